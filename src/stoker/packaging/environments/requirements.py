"""What a project wants installed: requirement lines in, lines for the resolver out. Pure.

Called by the builder. The rules are those of section 1.4 of the Cog contract, but for one: a ``#`` begins a
comment only after a blank (pip's rule), so that URL fragments such as ``#egg=name`` survive.
"""

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping

import msgspec
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from stoker.core.catalog import SourceFile
from stoker.core.errors import ConfigInvalid

_COMMENT = re.compile(r"(^|\s+)#.*$")
_ARCHIVE = re.compile(r"\.(whl|zip|tar\.gz|tgz|tar\.bz2|tar\.xz)$", re.IGNORECASE)
_ARCHIVE_AND_MORE = re.compile(r"\.(whl|zip|tar\.gz|tgz|tar\.bz2|tar\.xz)(\[|\s|;)", re.IGNORECASE)
_REMOTE = re.compile(r"^([a-z]+\+)?(https?|ssh|git)://|^git\+", re.IGNORECASE)
_LOCAL_FILE_OPTION = re.compile(
    r"^(-r|--requirement|-f|--find-links|-c|--constraint)(?:[ =]\s*|(?<=-\w))(.+)$"
)
_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*")

SDK_PACKAGES = {"cog", "coglet"}
"""Always installed by us, in our version."""


class Requirements(msgspec.Struct, frozen=True, kw_only=True):
    lines: tuple[str, ...] = ()
    """Requirements; a file of the project is ``./SHA256/NAME``."""
    options: tuple[str, ...] = ()
    """Option lines of a requirements file (``--extra-index-url …``)."""
    artifacts: tuple[tuple[str, str], ...] = ()
    """(sha256, name) of each file of the project that is installed."""
    warnings: tuple[str, ...] = ()

    @property
    def hashed(self) -> bool:
        """Whether the author pinned digests, which then are kept."""
        return any("--hash=" in line for line in self.lines)


def read_requirements(
    lines: Iterable[str], *, folder: str, files: Mapping[str, SourceFile], place: str
) -> Requirements:
    """The requirements in ``lines``; raises ``ConfigInvalid`` that lists all problems.

    ``folder`` is the requirements file's in the project (local artifacts are relative to it), ``files`` the
    project by path, ``place`` how messages call the lines.
    """
    kept: list[str] = []
    options: list[str] = []
    artifacts: dict[str, tuple[str, str]] = {}
    warnings: list[str] = []
    problems: list[str] = []
    for line in _logical(lines):
        name = _name(line)
        if name in SDK_PACKAGES:
            warnings.append(f'"{line}" in {place} is left out: the server installs {name} itself.')
        elif _LOCAL_FILE_OPTION.match(line) or not line.startswith("-"):
            try:
                kept_line = _accept(line, folder, files, artifacts)
            except ValueError as error:
                problems.append(str(error))
                continue
            (options if kept_line.startswith("-") else kept).append(kept_line)
        else:
            options.append(line)
    if problems:
        raise ConfigInvalid(f"{place} cannot be installed:\n" + "\n".join(f"- {p}" for p in problems))
    return Requirements(
        lines=tuple(sorted(set(kept))),
        options=tuple(options),
        artifacts=tuple(sorted(set(artifacts.values()))),
        warnings=tuple(warnings),
    )


def direct_specifier(lines: Iterable[str], package: str) -> str | None:
    """What the lines themselves demand of a package: its version specifiers joined; None where unnamed."""
    found: list[str] = []
    for line in lines:
        try:
            requirement = Requirement(line.partition(" --")[0])
        except InvalidRequirement:
            continue
        if canonicalize_name(requirement.name) == package:
            found.append(str(requirement.specifier))
    return ",".join(part for part in found if part) if found else None


def _logical(lines: Iterable[str]) -> Iterator[str]:
    """Lines without comments, continuations joined; the project itself (``-e .``) is left out."""
    pending = ""
    for raw in lines:
        line = raw.rstrip("\r\n")
        if line.rstrip().endswith("\\") and not line.lstrip().startswith("#"):
            pending += line.rstrip()[:-1] + " "
            continue
        whole = _COMMENT.sub("", pending + line).strip()
        pending = ""
        editable = re.match(r"^(?:-e|--editable)[ =]\s*(.+)$", whole)
        if editable and editable[1].strip() in (".", "./"):
            continue
        if whole := editable[1] if editable else whole:
            yield whole
    if last := _COMMENT.sub("", pending).strip():
        yield last


def _name(line: str) -> str | None:
    """The package that the line names, where it names one and not a file."""
    match = _NAME.match(line)
    if match is None:
        return None
    is_file = _ARCHIVE.search(line) and not line[match.end() :].lstrip().startswith(("@", "["))
    return None if is_file else canonicalize_name(match[0])


def _accept(
    line: str, folder: str, files: Mapping[str, SourceFile], artifacts: dict[str, tuple[str, str]]
) -> str:
    """The line for the resolver; raises ``ValueError`` with what is wrong."""
    if option := _LOCAL_FILE_OPTION.match(line):
        if _REMOTE.match(option[2]):
            return line
        raise ValueError(f'"{line}": {option[1]} with a local file is not supported; write its lines out.')
    target = line.partition("@")[2].strip() if re.match(r"^[\w.\-\[\], ]+@", line) else line
    if target.lower().startswith("file:"):
        raise ValueError(f'"{line}": file: URLs are not supported; give the path alone.')
    if _REMOTE.match(target):
        return line
    if target is not line:
        raise ValueError(f'"{line}": a name with a local path is not supported; give the path alone.')
    if _ARCHIVE_AND_MORE.search(line):
        raise ValueError(f'"{line}": a local file takes no extras, markers, options or hashes.')
    if _ARCHIVE.search(line):
        return _artifact(line, folder, files, artifacts)
    if line.startswith((".", "/", "~")) or "/" in line.partition(";")[0].partition("--")[0]:
        raise ValueError(f'"{line}": local directories are not supported; build a wheel of it.')
    return _normalised(line)


def _artifact(
    line: str, folder: str, files: Mapping[str, SourceFile], artifacts: dict[str, tuple[str, str]]
) -> str:
    path = posixpath.normpath(posixpath.join(folder, line))
    if path.startswith(("/", "../")):
        raise ValueError(f'"{line}": it is outside the project.')
    file = files.get(path)
    if file is None:
        raise ValueError(f'"{line}": the file does not exist in the project.')
    name = posixpath.basename(path)
    artifacts[path] = (file.sha256, name)
    return f"./{file.sha256}/{name}"


def _normalised(line: str) -> str:
    try:
        return str(Requirement(line))
    except InvalidRequirement:
        if "--" in line:
            return line
        raise ValueError(f'"{line}": this is not a requirement.') from None
