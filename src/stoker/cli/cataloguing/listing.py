"""What the catalogue has, beside what of it the server has. Used by ``catalog list``."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from stoker.cli.cataloguing.adding import own_model
from stoker.cli.cataloguing.entries import Entry
from stoker.cli.server.client import Api
from stoker.cli.terminal import text


@dataclass(frozen=True)
class Row:
    entry: Entry
    name: str
    version: str | None
    """The latest on the server; None where the model is not there, or has none."""
    checkpoint: dict[str, Any] | None
    """What that version runs with, as the server describes it."""

    @property
    def source(self) -> str | None:
        """Where its weights are from; of one that is not there, where they would be."""
        return self.checkpoint["source"] if self.checkpoint else self.entry.hub.get(self.name)

    def cells(self) -> list[str]:
        size = text.size(self.checkpoint["size_bytes"]) if self.checkpoint else ""
        return [self.name, (self.version or "")[:12], self.source or "", size, self.entry.title]

    def as_json(self) -> dict[str, Any]:
        size = self.checkpoint["size_bytes"] if self.checkpoint else None
        checkpoint = self.checkpoint["id"] if self.checkpoint else None
        told = {"model": self.name, "title": self.entry.title, "version": self.version}
        return told | {"checkpoint": checkpoint, "source": self.source, "size_bytes": size}


def rows(api: Api, entries: Sequence[Entry]) -> list[Row]:
    """A row for each model."""
    by_version = {
        version: checkpoint
        for checkpoint in api.get("/stoker/checkpoints")["results"]
        for version in checkpoint["versions"]
    }
    found: list[Row] = []
    for entry in entries:
        for name in entry.names:
            model = own_model(api, name)
            version = ((model or {}).get("latest_version") or {}).get("id")
            found.append(Row(entry, name, version, by_version.get(f"{name}:{version}")))
    return found
