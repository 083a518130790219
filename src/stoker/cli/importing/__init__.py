"""Copying from another Replicate-compatible API: reading it, what is copied, and the account of it."""
