"""The adapter of ``ports.hub``: Hugging Face, or a mirror of it."""
