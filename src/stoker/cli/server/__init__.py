"""The way to the server: where it is, asking it, its events, and its problems as sentences."""
