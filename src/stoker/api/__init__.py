"""Replicate's HTTP surface: ``create_app(Services(...))`` gives the ASGI application.

Resources are modules of ``resources``; ``routes`` maps paths to them. ``http`` knows HTTP and no resource.
What is here stands between: who calls (``auth``), which version is meant (``references``, ``known``), whether
an input fits it (``creation``, ``inputs``, ``input_files``), how answers look (``wire``, ``problems``).
"""

from stoker.api.app import create_app
from stoker.api.services import Services

__all__ = ["Services", "create_app"]
