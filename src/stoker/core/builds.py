"""A build: a source tree on its way to becoming a version. Written by ``stoker.packaging``; pure nouns."""

from typing import Any, Literal

import msgspec

BuildStatus = Literal["building", "succeeded", "failed"]
Stage = Literal["source", "environment", "schema", "version"]

STAGES: tuple[Stage, ...] = ("source", "environment", "schema", "version")


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """How a source tree is to be built."""

    strict: bool = False
    """Whether warnings are errors."""
    checkpoint: str | None = None
    """The weights in the server's cache that it is to run with."""
    gpu: bool = False
    """Whether its model's hardware has GPUs, so that packages are those for GPUs, whatever cog.yaml says."""


PLAIN = Order()


class Build(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    model: str
    """``owner/name``."""
    created_us: int
    status: BuildStatus = "building"
    version: str | None = None
    error: str | None = None
    warnings: tuple[str, ...] = ()


class BuildEvent(msgspec.Struct, frozen=True):
    """One thing that a build told; its number is its place in the build's list of events, from 1."""

    kind: Literal["progress", "log", "warning", "done", "error"]
    data: str | dict[str, Any]
    """Text for a log, else what is sent as JSON (docs/architecture/extensions.md)."""
