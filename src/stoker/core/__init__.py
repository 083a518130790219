"""Nouns and decisions: no I/O, no clock, no randomness (they are arguments)."""
