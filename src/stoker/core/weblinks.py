"""Addresses that callers give: are they what a browser or a webhook can go to? Pure; nothing is asked for."""

from collections.abc import Collection
from urllib.parse import urlsplit

WEB = ("http", "https")


def leads_somewhere(url: str, schemes: Collection[str] = WEB) -> bool:
    """Whether it names a host by one of the schemes."""
    try:
        parts = urlsplit(url)
        is_host = bool(parts.hostname) and not any(letter.isspace() for letter in parts.netloc)
        return parts.scheme in schemes and is_host
    except ValueError:  # a bracket that is not closed
        return False
