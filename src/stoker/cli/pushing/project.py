"""A push from its first file to its version: reads the project, sends what is missing, has it built.

Used by ``stoker push`` and ``stoker catalog add``.
"""

from pathlib import Path

from stoker.cli.pushing import source, upload
from stoker.cli.pushing.build import Built, build
from stoker.cli.server.client import Api
from stoker.cli.terminal import text
from stoker.cli.terminal.screen import Screen


def push_project(
    api: Api, root: Path, model: str, *, screen: Screen, strict: bool = False, checkpoint: str | None = None
) -> Built:
    """Makes a version of the project; of a model that exists. Raises with what is wrong."""
    files = _read(root, screen)
    _send(api, files, screen)
    return build(api, model, files, strict=strict, checkpoint=checkpoint, screen=screen)


def _read(root: Path, screen: Screen) -> list[source.Hashed]:
    listing = source.list_files(root)
    for warning in listing.warnings:
        screen.line(f"Warning: {warning}")
    screen.phase("Reading the files", total=sum(file.size_bytes for file in listing.files), unit="bytes")
    return source.hash_files(listing.files, screen.advance)


def _send(api: Api, files: list[source.Hashed], screen: Screen) -> None:
    sent = upload.send_missing(api, files, screen)
    known = len({item.sha256 for item in files}) - sent.files
    screen.line(
        f"Sent {text.count(sent.files, 'file')} ({text.size(sent.size_bytes)}), {known} known to the server."
    )
