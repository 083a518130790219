"""Replicate's HTTP surface: ``create_app(Services(...))`` gives the ASGI application.

Resources are modules (``predictions``, ``models``, ``files`` ...); ``routes`` maps paths to them.
"""

from stoker.api.app import create_app
from stoker.api.services import Services

__all__ = ["Services", "create_app"]
