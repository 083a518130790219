"""How a model is named on the command line: ``OWNER/NAME`` or ``OWNER/NAME:VERSION``. Pure."""

import re
from dataclasses import dataclass

import click

_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_REFERENCE = re.compile(rf"(?P<model>{_NAME}/{_NAME})(?::(?P<version>[0-9a-f]{{64}}))?")


@dataclass(frozen=True)
class Reference:
    model: str
    """``owner/name``."""
    version: str | None = None
    """64 hex digits."""

    def __str__(self) -> str:
        return f"{self.model}:{self.version}" if self.version else self.model


def parse(text: str, *, with_version: bool = True) -> Reference:
    """The model, and the version where one is named and may be."""
    match = _REFERENCE.fullmatch(text)
    if match is None or (match["version"] and not with_version):
        wanted = "OWNER/NAME or OWNER/NAME:VERSION (64 hex digits)" if with_version else "OWNER/NAME"
        raise click.UsageError(f"{text!r} does not name a model. Write it as {wanted}.")
    return Reference(match["model"], match["version"])
