"""What the core needs from the world, as Protocols; adapters live in store, files and engines."""
