"""A finished prediction's output: what of it is a file, how the rest is printed, and saving files.

Used by delivery. Files are downloaded under their own names into the current folder (never over another
file), or to where ``-o`` says. The API token does not go along: their addresses are good by themselves.
"""

import base64
import binascii
import mimetypes
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, unquote_to_bytes, urlsplit

import click
import httpx

from stoker.cli.running.inputs import resolve
from stoker.cli.server import problems
from stoker.cli.server.client import Api
from stoker.cli.terminal import text

STDOUT = "-"


def is_concatenated(openapi: dict[str, Any]) -> bool:
    """Whether the output is one text that comes in pieces."""
    shape = resolve(openapi["components"]["schemas"].get("Output", {}), openapi)
    return shape.get("x-cog-array-type") == "iterator" and shape.get("x-cog-array-display") == "concatenate"


def names_files(shape: dict[str, Any], openapi: dict[str, Any]) -> bool:
    """Whether the schema says that there are files in the output."""
    shape = resolve(shape, openapi)
    parts = [shape.get("items", {}), *shape.get("properties", {}).values()]
    return shape.get("format") == "uri" or any(names_files(part, openapi) for part in parts if part)


def replace_files(
    value: Any, shape: dict[str, Any], openapi: dict[str, Any], *, own: str, save: Callable[[str], str]
) -> Any:
    """The value with ``save(url)`` in the place of every file.

    A file is what the schema says is one; where it says nothing, an address below ``own``, which is where
    the server delivers files.
    """
    shape = resolve(shape, openapi)
    if isinstance(value, str):
        named = shape.get("format") == "uri" and value.startswith(("http://", "https://", "data:"))
        return save(value) if named or value.startswith(own) else value
    if isinstance(value, list):
        items = shape.get("items", {})
        return [replace_files(item, items, openapi, own=own, save=save) for item in value]
    if isinstance(value, dict):
        fields = shape.get("properties", {})
        return {
            key: replace_files(item, fields.get(key, {}), openapi, own=own, save=save)
            for key, item in value.items()
        }
    return value


def count_files(value: Any, shape: dict[str, Any], openapi: dict[str, Any], *, own: str) -> int:
    """How many files there are in the value."""
    found: list[str] = []

    def note(url: str) -> str:
        found.append(url)
        return url

    replace_files(value, shape, openapi, own=own, save=note)
    return len(found)


def printed(value: Any, openapi: dict[str, Any]) -> str:
    """The output as text: strings as they are, pieces of text in one, everything else as JSON."""
    if isinstance(value, str):
        return value
    if is_concatenated(openapi) and isinstance(value, list):
        return "".join(str(piece) for piece in value)
    return text.to_json(value)


def file_name(url: str) -> str:
    """A safe name for the file of that URL: its own last part, never a path."""
    if url.startswith("data:"):
        content_type = url[5:].partition(",")[0].partition(";")[0]
        return "output" + (mimetypes.guess_extension(content_type) or "")
    name = PurePosixPath(unquote(urlsplit(url).path)).name
    kept = "".join(letter for letter in name if letter.isprintable() and letter not in "/\\")
    return kept.lstrip(".")[-200:] or "output"


def check_target(target: str | None) -> None:
    """Raises where ``-o`` names a place that cannot be written: before a run, not after it."""
    if target in (None, STDOUT):
        return
    path = Path(target)
    is_folder = target.endswith("/") or path.is_dir()
    folder = path if is_folder else path.parent
    if is_folder:  # it may yet have to be made
        folder = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    if not folder.is_dir():
        raise click.UsageError(f"{target} cannot be written: {folder} is no folder.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise click.UsageError(f"{target} cannot be written: {folder} is not writable.")


def place(target: str, name: str) -> Path | None:
    """A free path for a file of that name in the folder that ``-o`` names; None where it names a file."""
    folder = Path(target)
    if not (target.endswith("/") or folder.is_dir()):
        return None
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.ClickException(f"{target} cannot be made: {error.strerror}.") from error
    return _free(folder / name)


class Saver:
    """Puts files on this disk. ``target`` is what ``-o`` named: a file, a folder, ``-``, or None."""

    def __init__(self, api: Api, target: str | None, *, public_base: str, several: bool):
        self._api = api
        self._target = target
        self._public_base = public_base
        self._several = several
        self.saved: list[str] = []

    def save(self, url: str) -> str:
        """Saves one file; its path, or the URL itself where the bytes went to stdout."""
        if self._target == STDOUT:
            _copy(self._chunks(url), sys.stdout.buffer.write)
            return url
        path = self._path(url)
        draft = path.with_name(f".{path.name}.part")
        try:
            with draft.open("wb") as file:
                size_bytes = _copy(self._chunks(url), file.write)
            draft.replace(path)
        except OSError as error:
            raise click.ClickException(f"{path} cannot be written: {error.strerror}.") from error
        finally:
            draft.unlink(missing_ok=True)
        click.echo(f"Saved {path} ({text.size(size_bytes)})", err=True)
        self.saved.append(str(path))
        return str(path)

    def _path(self, url: str) -> Path:
        if self._target is None:
            return _free(Path(file_name(url)))
        if (path := place(self._target, file_name(url))) is not None:
            return path
        target = Path(self._target)
        if self._several:
            return target.with_name(f"{target.stem}-{len(self.saved) + 1}{target.suffix}")
        return target

    def _chunks(self, url: str) -> Iterator[bytes]:
        if url.startswith("data:"):
            yield _data(url)
            return
        try:
            with self._api.open(self._api.near(url, public_base=self._public_base)) as response:
                if not response.is_success:
                    what = f"Downloading {url}"
                    sentence = problems.sentence(response.status_code, response.content, what=what)
                    raise click.ClickException(sentence)
                yield from response.iter_bytes()
        except httpx.TransportError as error:
            raise click.ClickException(f"{url} cannot be downloaded: {error}.") from error


def _copy(chunks: Iterator[bytes], write: Callable[[bytes], object]) -> int:
    size_bytes = 0
    for chunk in chunks:
        write(chunk)
        size_bytes += len(chunk)
    return size_bytes


def _free(path: Path) -> Path:
    """The path, or the first of ``name-2``, ``name-3`` ... that nothing has yet."""
    taken, number = path, 1
    while path.exists():
        number += 1
        path = taken.with_name(f"{taken.stem}-{number}{taken.suffix}")
    return path


def _data(url: str) -> bytes:
    head, _, body = url.partition(",")
    if not head.endswith(";base64"):
        return unquote_to_bytes(body)
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error as error:
        raise click.ClickException("The output holds a data URL that cannot be decoded.") from error
