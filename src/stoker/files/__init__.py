"""Adapters of the blobs port: bytes under their sha256."""
