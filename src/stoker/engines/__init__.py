"""Adapters of ``stoker.ports.engine``: ways to start and stop running copies of a version."""
