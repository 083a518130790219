"""The ``weights`` part of cog.yaml: reading it, and putting files of the project at their targets.

Pure; called by ``reader`` and by the builder. Only weights that come with the project are served: a source
elsewhere would make a version depend on what somebody else may change or remove.
"""

import posixpath
import re
from collections.abc import Iterable

from stoker.core.catalog import SourceFile
from stoker.core.errors import ConfigInvalid, Invalid
from stoker.core.ignore import Ignore, parse_ignore
from stoker.packaging.cogyaml.config import Weight, WeightSource
from stoker.packaging.cogyaml.fields import Fields

_NAME = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")
_MODEL_FOLDER = "/src/"
"""Where Cog's images have the project; here it is the model's working directory."""


def read_weights(root: Fields) -> tuple[Weight, ...]:
    """The entries; problems go to the fields' findings."""
    weights: list[Weight] = []
    for number, item in enumerate(root.items("weights")):
        fields = Fields(item, f"weights[{number}]", root.findings)
        fields.warn_of_others({"name", "target", "source"})
        name, target = fields.text("name") or "", fields.text("target") or ""
        _check(fields, name, target, weights)
        weights.append(Weight(name, target, _sources(fields)))
    if weights and "model" not in root:
        root.findings.problems.append("weights require 'model' to be set in cog.yaml")
    return tuple(weights)


def place_weights(files: Iterable[SourceFile], weights: Iterable[Weight]) -> list[SourceFile]:
    """The project's files, and again those that ``weights`` wants elsewhere. Raises ``ConfigInvalid``."""
    placed = {file.path: file for file in files}
    for weight in weights:
        target = posixpath.normpath(weight.target) + "/"
        if not target.startswith(_MODEL_FOLDER):
            raise ConfigInvalid(
                f"weights {weight.name}: only targets in {_MODEL_FOLDER} (the model's folder) work here, "
                f"not {weight.target}."
            )
        for source in weight.sources:
            placed |= _placed(list(placed.values()), weight, source, target.removeprefix(_MODEL_FOLDER))
    return sorted(placed.values())


def _check(fields: Fields, name: str, target: str, before: list[Weight]) -> None:
    if not _NAME.fullmatch(name):
        fields.problem("name", "must be lower-case letters and digits with single '.', '_' or '-' between")
    if any(name == other.name for other in before):
        fields.problem("name", f"must be unique, and {name!r} is not")
    if not target.startswith("/") or posixpath.normpath(target) == "/":
        fields.problem("target", "must be an absolute path other than /")
        return
    own = posixpath.normpath(target) + "/"
    for other in before:
        theirs = posixpath.normpath(other.target) + "/"
        if own.startswith(theirs) or theirs.startswith(own):
            fields.problem("target", f"must not be, contain or lie in {other.target}")


def _sources(fields: Fields) -> tuple[WeightSource, ...]:
    raw = fields.raw("source")
    items = raw if isinstance(raw, list) else [raw]
    if raw is None or not items:
        fields.problem("source", "must be a mapping or a list of them")
        return ()
    sources: list[WeightSource] = []
    for item in items:  # pyright: ignore[reportUnknownVariableType]
        source = Fields(item, f"{fields.name}.source", fields.findings)
        uri = source.text("uri")
        if not uri:
            source.problem("uri", "is required")
        patterns = {key: source.texts(key) for key in ("include", "exclude")}
        for key, values in patterns.items():
            if any(not value.strip() or "!" in value or "\\" in value for value in values):
                source.problem(key, "must hold patterns without '!' and '\\'")
        sources.append(WeightSource(uri or "", patterns["include"], patterns["exclude"]))
    return tuple(sources)


def _placed(
    files: list[SourceFile], weight: Weight, source: WeightSource, target: str
) -> dict[str, SourceFile]:
    folder = _local_folder(weight, source)
    include, exclude = _matcher(source.include), _matcher(source.exclude)
    placed: dict[str, SourceFile] = {}
    for file in files:
        inner = posixpath.basename(file.path) if file.path == folder else _inside(file.path, folder)
        if inner is None or (source.include and not include.excludes(inner)) or exclude.excludes(inner):
            continue
        path = posixpath.normpath(target + inner)
        placed[path] = SourceFile(path, file.sha256, file.size_bytes, file.executable)
    if not placed:
        raise ConfigInvalid(f"weights {weight.name}: {source.uri} names no file of the project.")
    return placed


def _local_folder(weight: Weight, source: WeightSource) -> str:
    scheme, separator, rest = source.uri.partition("://")
    if separator and scheme != "file":
        raise ConfigInvalid(
            f"weights {weight.name}: {scheme}:// sources are not fetched here. Put the files into the "
            f"project, or let setup() download them."
        )
    path = posixpath.normpath(rest if separator else source.uri)
    if path.startswith(("/", "..")):
        raise ConfigInvalid(f"weights {weight.name}: {source.uri} is outside the project.")
    return path


def _inside(path: str, folder: str) -> str | None:
    if folder == ".":
        return path
    return path.removeprefix(folder + "/") if path.startswith(folder + "/") else None


def _matcher(patterns: tuple[str, ...]) -> Ignore:
    try:
        return parse_ignore("\n".join(patterns))
    except Invalid as error:
        raise ConfigInvalid(f"weights: {error.message}") from None
