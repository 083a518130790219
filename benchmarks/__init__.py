"""Measures models served by Cog's own server and by Stoker; never asserts a time."""
