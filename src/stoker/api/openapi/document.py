"""Puts the document together from the YAML files beside this one; says which operations it has.

``resources.document`` serves it; tests hold it against the routes and against answers. A file holds what
belongs to one resource: ``paths``, ``components`` and ``webhooks``; ``head.yaml`` has the rest. What
``endpoint`` gives to every operation alike is written here once. Does no I/O but to read these files.
"""

from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any, NamedTuple, cast

import msgspec
import yaml

Node = dict[str, Any]

PACKAGE = "stoker.api.openapi"
HEAD = "head.yaml"
METHODS = {name: name.upper() for name in ("get", "put", "post", "patch", "delete", "options")}
METHODS["x-query"] = "QUERY"
"""What a path item calls a method, which OpenAPI 3.1 does not know."""
REFERENCES = "#/components/"

_ALWAYS = {"500": "ServerError", "503": "Unavailable", "507": "StorageFull"}
_PREFLIGHTS = {"delivery.preflight", "streams.preflight", "streams.files.preflight"}
_FROM_MEMORY = _PREFLIGHTS | {"openapi.get"}
"""The operations that ask nobody for anything, and so answer whatever else is wrong."""
_WITH_TOKEN = {"401": "Unauthenticated", "429": "Throttled"}
_LIMITS = {"ratelimit-remaining": "RateLimitRemaining", "ratelimit-reset": "RateLimitReset"}
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Operation(NamedTuple):
    method: str
    path: str
    node: Node
    """The operation object, with everything that the document says of it."""


def document(*, base: str, version: str) -> Node:
    """The whole document; ``base`` is the public base URL, without ``/v1``. The caller may change it."""
    made: Node = msgspec.json.decode(_joined())
    made["info"]["version"] = version
    made["servers"] = [{"url": f"{base}/v1"}]
    return made


def operations(document: Node) -> Iterator[Operation]:
    """Every operation of the document's paths."""
    for path, item in document["paths"].items():
        for key, method in METHODS.items():
            if key in item:
                yield Operation(method, path, item[key])


def resolved(document: Node, node: Node) -> Node:
    """The node itself, or the component that it refers to."""
    while "$ref" in node:
        _, kind, name = cast(str, node["$ref"]).removeprefix("#/").split("/")
        node = document["components"][kind][name]
    return node


@cache
def _joined() -> bytes:
    """The document but for version and server, as JSON: two files never say the same thing."""
    whole = _read(HEAD)
    names = [file.name for file in resources.files(PACKAGE).iterdir() if file.name.endswith(".yaml")]
    for name in sorted(names):
        if name != HEAD:
            _join(whole, _read(name), name)
    for operation in operations(whole):
        _complete(whole, operation)
    return msgspec.json.encode(whole)


def _read(name: str) -> Node:
    text = resources.files(PACKAGE).joinpath(name).read_text(encoding="utf-8")
    return cast(Node, yaml.load(text, Loader=_Loader))


def _join(whole: Node, part: Node, name: str) -> None:
    rooms = {kind: whole["components"].setdefault(kind, {}) for kind in part.get("components", {})}
    parts = [(rooms[kind], part["components"][kind]) for kind in rooms]
    parts += [(whole.setdefault(kind, {}), part[kind]) for kind in ("paths", "webhooks") if kind in part]
    for room, new in parts:
        twice = room.keys() & new.keys()
        if twice:
            raise ValueError(f"{name} says again what another file says: {', '.join(sorted(twice))}")
        room.update(new)


def _complete(whole: Node, operation: Operation) -> None:
    """Adds what comes with every operation, or with every one that asks for a token."""
    if operation.node["operationId"] in _FROM_MEMORY:
        return
    responses: Node = operation.node["responses"]
    guarded = operation.node.get("security", whole["security"])
    guarded = bool(guarded) and {} not in guarded
    for status, name in (_ALWAYS | _WITH_TOKEN if guarded else _ALWAYS).items():
        responses.setdefault(status, {"$ref": f"{REFERENCES}responses/{name}"})
    if {"$ref": f"{REFERENCES}parameters/IdempotencyKey"} in operation.node.get("parameters", []):
        _add_headers(whole, operation, {"idempotent-replayed": "IdempotentReplayed"})
    # Answers about files do not tell what is left of the limit (section 1 of the HTTP contract).
    if not guarded or operation.path.startswith("/files"):
        return
    _add_headers(whole, operation, _LIMITS)


def _add_headers(whole: Node, operation: Operation, headers: dict[str, str]) -> None:
    """To every answer that is no error."""
    for status, response in operation.node["responses"].items():
        if status.startswith("2"):
            told = resolved(whole, response).setdefault("headers", {})
            told.update({name: {"$ref": f"{REFERENCES}headers/{kind}"} for name, kind in headers.items()})
