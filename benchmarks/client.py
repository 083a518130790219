"""The load client: compiles ``load.c`` once and runs it with a count and a time limit.

Called by the measures and by the tests of the client; never decides what a good figure is.
"""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Literal

import msgspec

SOURCE = Path(__file__).with_name("load.c")
BUILD = Path(__file__).with_name("build")

Mode = Literal["post", "fetch", "events", "stream", "get"]


class Times(msgspec.Struct, frozen=True):
    """Microseconds of the calls that went well."""

    min: int
    p50: int
    p90: int
    p99: int
    max: int


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What one run of the client saw."""

    ok: int
    failed: int
    unfinished: int
    busy: int
    """Answers 409, after each of which the caller asked again."""
    reconnects: int
    elapsed_s: float
    events: int
    bytes: int
    latency_us: Times | None
    first_us: Times | None
    """From the call to its first ``output`` event."""
    failure: str
    """The first failed answer, for people."""

    @property
    def rate(self) -> float:
        """Calls a second."""
        return self.ok / self.elapsed_s

    @property
    def event_rate(self) -> float:
        """``output`` events a second."""
        return self.events / self.elapsed_s


class NoCompiler(Exception):
    """The load client is written in C and needs a C compiler: install gcc."""


class LoadFailed(Exception):
    """Some call did not end well, so that the figures would mean nothing."""


class Target(msgspec.Struct, frozen=True):
    """Where and what to call."""

    port: int
    path: str
    body: dict[str, Any] = {}
    headers: dict[str, str] = {}
    expect: str | None = None
    """Text that the answer to each POST must have in it."""
    more_paths: tuple[str, ...] = ()
    """More paths, which GETs take in turns with the first."""


def compiled() -> Path:
    """The client's executable, compiled anew where its source is newer."""
    BUILD.mkdir(exist_ok=True)
    executable = BUILD / "load"
    if not executable.exists() or executable.stat().st_mtime < SOURCE.stat().st_mtime:
        if shutil.which("cc") is None:
            raise NoCompiler(NoCompiler.__doc__)
        fresh = BUILD / "load.new"
        subprocess.run(["cc", "-O2", "-o", fresh, SOURCE], check=True)
        fresh.replace(executable)
    return executable


def run(
    target: Target,
    *,
    callers: int = 1,
    count: int = 1,
    seconds: float = 60,
    mode: Mode = "post",
    events: int = 0,
) -> Load:
    """Makes ``count`` calls in a closed loop of ``callers``; the result tells also of failures."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as body:
        json.dump(target.body, body)
        body.flush()
        command = [compiled(), "--port", target.port, "--body", body.name]
        for path in (target.path, *target.more_paths):
            command += ["--path", path]
        command += ["--mode", mode, "--callers", callers, "--count", count]
        command += ["--seconds", seconds, "--events", events]
        for name, value in target.headers.items():
            command += ["--header", f"{name}: {value}"]
        if target.expect is not None:
            command += ["--expect", target.expect]
        ended = subprocess.run(
            [str(word) for word in command], capture_output=True, text=True, timeout=seconds + 30
        )
    if ended.returncode not in (0, 1):
        raise LoadFailed(ended.stderr.strip())
    return msgspec.json.decode(ended.stdout, type=Load)


def run_well(
    target: Target,
    *,
    callers: int = 1,
    count: int = 1,
    seconds: float = 60,
    mode: Mode = "post",
    events: int = 0,
) -> Load:
    """As :func:`run`, but raises ``LoadFailed`` where any call failed or did not end."""
    load = run(target, callers=callers, count=count, seconds=seconds, mode=mode, events=events)
    if load.failed or load.unfinished:
        raise LoadFailed(
            f"{load.failed} of {count} calls failed, {load.unfinished} did not end: {load.failure}"
        )
    return load
