"""The models that ship, or those in a folder of somebody's own: Cog projects, each with a ``catalog.toml``.

Used by ``stoker catalog``. It reads, and asks nobody.
"""

import tomllib
from pathlib import Path

import click
import msgspec

import stoker

FILE = "catalog.toml"
SHIPPED = Path(stoker.__file__).parent / "models"
"""``models`` of the repository; a link in a checkout, a folder of the package in a wheel."""


class StandsInFor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A published version id, and the models that it was published under."""

    id: str
    names: tuple[str, ...] = ()


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    title: str
    names: tuple[str, ...]
    """The models that are made from this source, ``owner/name``."""
    description: str
    license_url: str | None = None
    paper_url: str | None = None
    github_url: str | None = None
    hub: dict[str, str] = {}
    """The hub id of each model's usual weights."""
    leave_out: tuple[str, ...] = ()
    """Patterns of files of the hub's that the model does not read."""
    parts: dict[str, dict[str, str]] = {}
    """Of each model more hub ids, by the folder of its checkpoint that they become."""
    stands_in_for: tuple[StandsInFor, ...] = ()
    folder: Path = Path()
    """The Cog project; not in the file."""

    def published(self, name: str) -> list[StandsInFor]:
        """The published ids that the model of that name stands in for."""
        return [one for one in self.stands_in_for if self.model_of(one) == name]

    def model_of(self, published: StandsInFor) -> str:
        """Whose version a published id means: the first model that has one of its names, else the first."""
        return next((name for name in self.names if name in published.names), self.names[0])


def read_entries(folder: Path | None) -> list[Entry]:
    """Those in the folder, else those that ship; by their first name."""
    root = folder or SHIPPED
    if not root.is_dir():
        raise click.ClickException(f"There is no folder {root}.")
    found = [_read(file) for file in root.glob(f"*/{FILE}")]
    if not found:
        raise click.ClickException(f"There is no {FILE} in any folder of {root}.")
    return sorted(found, key=lambda entry: entry.names)


def find_entry(entries: list[Entry], name: str) -> tuple[Entry, str]:
    """The one that the model is made from, and the model's name; by a name that it stands in for, too."""
    for entry in entries:
        if name in entry.names:
            return entry, name
    for entry in entries:
        for published in entry.stands_in_for:
            if name in published.names:
                return entry, entry.model_of(published)
    known = ", ".join(one for entry in entries for one in entry.names)
    raise click.ClickException(f"The catalogue has no {name}. It has {known}.")


def _read(file: Path) -> Entry:
    try:
        values = tomllib.loads(file.read_text("utf-8"))
        entry = msgspec.convert(values | {"folder": str(file.parent.resolve())}, Entry, dec_hook=_path)
    except (OSError, ValueError) as error:
        raise click.ClickException(f"{file} cannot be used: {error}.") from error
    unknown = [name for name in [*entry.hub, *entry.parts] if name not in entry.names]
    if not entry.names or unknown:
        raise click.ClickException(f"{file} cannot be used: {', '.join(unknown) or 'it'} is not in names.")
    return entry


def _path(kind: type, value: object) -> object:
    if kind is Path:
        return Path(str(value))
    raise NotImplementedError(f"{value!r} is not a {kind.__name__}")
