"""The source tree of a Cog project as it is pushed: which files, and the sha256 of each.

Used by push. It only reads. What ``.dockerignore`` and ``.cogignore`` leave out is left out; links are
followed where they stay inside the project, since the server gets files and nothing else.
"""

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import click

from stoker.core.ignore import CONFIG_FILE, IGNORE_FILES, Ignore, parse_ignore

LEFT_OUT = "**/.git\n**/__pycache__\n"
"""Before the project's own rules, so that ``!.git`` in one of them brings it back. Both change without any
change to the model, and every push would make another version."""

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Found:
    """One file of the project, not read yet."""

    path: str
    """Relative to the project, ``/`` between parts."""
    local: Path
    size_bytes: int
    executable: bool


@dataclass(frozen=True)
class Hashed:
    file: Found
    sha256: str

    def wire(self) -> dict[str, object]:
        """As a build names it."""
        return {
            "path": self.file.path,
            "sha256": self.sha256,
            "size_bytes": self.file.size_bytes,
            "executable": self.file.executable,
        }


@dataclass
class Listing:
    files: list[Found] = field(default_factory=list[Found])
    warnings: list[str] = field(default_factory=list[str])
    escapes: list[str] = field(default_factory=list[str])


def project_folder(chosen: str | None, *, name: str = "OWNER/NAME") -> Path:
    """The folder with the cog.yaml: the chosen one, else the current one or the nearest above it.

    ``name`` is the model's, which somebody may have left out: a folder is then taken for it.
    """
    if chosen is not None:
        folder = Path(chosen)
        if not folder.is_dir():
            raise click.ClickException(f"{chosen} is not a folder.")
        if not (folder / CONFIG_FILE).is_file():
            raise click.ClickException(f"There is no {CONFIG_FILE} in {chosen}.")
        return folder.resolve()
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / CONFIG_FILE).is_file():
            return folder
    if (Path(name) / CONFIG_FILE).is_file():
        raise click.UsageError(
            f"{name} is a folder: name the model, too, as in 'stoker push {name} OWNER/NAME'."
        )
    raise click.ClickException(f"There is no {CONFIG_FILE} here or in any folder above.")


def list_files(root: Path) -> Listing:
    """Every file that belongs to the project, in order of its path.

    Raises where a link leads out of the project: the version could not run elsewhere.
    """
    listing = Listing()
    _walk(_Walk(root.resolve(), _rules(root), listing), "", root.resolve(), ())
    if listing.escapes:
        raise click.ClickException(
            "These links lead out of the project: "
            + ", ".join(sorted(listing.escapes))
            + ". Copy what they point to into the project, or leave them out with a .dockerignore."
        )
    listing.files.sort(key=lambda found: found.path)
    return listing


def hash_files(files: list[Found], on_bytes: Callable[[int], None]) -> list[Hashed]:
    """Reads every file, several at once (the digest runs outside Python's lock)."""
    with ThreadPoolExecutor(4) as pool:
        digests = pool.map(lambda found: _digest(found, on_bytes), files)
        return [Hashed(found, digest) for found, digest in zip(files, digests, strict=True)]


def chunks(local: Path) -> Iterator[bytes]:
    """The bytes of a file, a piece at a time."""
    try:
        with local.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                yield chunk
    except OSError as error:
        raise click.ClickException(f"{local} cannot be read: {error.strerror}.") from error


@dataclass(frozen=True)
class _Walk:
    root: Path
    rules: Ignore
    listing: Listing


def _rules(root: Path) -> Ignore:
    texts = [LEFT_OUT]
    for name in IGNORE_FILES:
        try:
            texts.append((root / name).read_text("utf-8"))
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError) as error:
            raise click.ClickException(f"{name} cannot be read: {error}.") from error
    return parse_ignore(*texts)


def _walk(walk: _Walk, prefix: str, folder: Path, above: tuple[Path, ...]) -> None:
    try:
        entries = list(os.scandir(folder))
    except OSError as error:
        raise click.ClickException(f"{folder} cannot be read: {error.strerror}.") from error
    for entry in entries:
        path = prefix + entry.name
        try:
            path.encode()
        except UnicodeEncodeError as error:
            raise click.ClickException(f"The name of {path!r} is not UTF-8.") from error
        _visit(walk, path, Path(entry.path), (*above, folder))


def _visit(walk: _Walk, path: str, local: Path, above: tuple[Path, ...]) -> None:
    ignored = walk.rules.excludes(path)
    if local.is_symlink() and not ignored:
        target = _target(walk, path, local)
        if target is None:
            return
        local = target
    kind = _stat(local, follow=not ignored)
    if stat.S_ISDIR(kind.st_mode):
        _enter(walk, path, local, above, ignored=ignored)
    elif ignored:
        return
    elif stat.S_ISREG(kind.st_mode):
        executable = bool(kind.st_mode & stat.S_IXUSR)
        walk.listing.files.append(Found(path, local, kind.st_size, executable))
    else:
        walk.listing.warnings.append(f"{path} is left out: it is neither a file nor a folder.")


def _stat(local: Path, *, follow: bool) -> os.stat_result:
    try:
        return local.stat(follow_symlinks=follow)
    except OSError as error:
        raise click.ClickException(f"{local} cannot be read: {error.strerror}.") from error


def _enter(walk: _Walk, path: str, local: Path, above: tuple[Path, ...], *, ignored: bool) -> None:
    if walk.rules.prunes(path):
        return
    if local in above:
        walk.listing.warnings.append(f"{path} is left out: it leads back to a folder that it is in.")
    elif (local / "pyvenv.cfg").is_file():
        walk.listing.warnings.append(f"{path} is left out: it is a virtual environment.")
    else:
        _walk(walk, path + "/", local, above)


def _target(walk: _Walk, path: str, local: Path) -> Path | None:
    """Where a link leads, None where it is left out; remembers those that lead out of the project."""
    try:
        target = local.resolve(strict=True)
    except (OSError, RuntimeError):
        walk.listing.warnings.append(f"{path} is left out: it is a link to nothing.")
        return None
    if not target.is_relative_to(walk.root):
        walk.listing.escapes.append(f"{path} -> {local.readlink()}")
        return None
    return target


def _digest(found: Found, on_bytes: Callable[[int], None]) -> str:
    digest = hashlib.sha256()
    for chunk in chunks(found.local):
        digest.update(chunk)
        on_bytes(len(chunk))
    return digest.hexdigest()
