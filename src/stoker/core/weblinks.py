"""Addresses that callers give: are they what a browser or a webhook can go to? Pure; nothing is asked for."""

from collections.abc import Collection
from urllib.parse import urlsplit

WEB = ("http", "https")


def leads_somewhere(url: str, schemes: Collection[str] = WEB) -> bool:
    """Whether it names a host by one of the schemes."""
    try:
        parts = urlsplit(url)
        return parts.scheme in schemes and bool(parts.hostname)
    except ValueError:  # a bracket that is not closed
        return False
