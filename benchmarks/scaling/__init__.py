"""A simulator of scaling: traffic, policies, and what each would cost. ``python -m benchmarks.scaling``."""
