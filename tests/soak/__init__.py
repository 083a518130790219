"""A soak: thousands of predictions over many models, with little room and processes killed at random."""
