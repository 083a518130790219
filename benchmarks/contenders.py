"""The two that are compared, each serving the same models, behind one face.

Called by the measures. ``Arena`` pushes a model to Stoker once, takes the schema that Stoker serves for it
and starts Cog's own server with that schema, so that both validate and stream alike.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import msgspec

from benchmarks import client, process_tree
from benchmarks.client import BUILD, Load, Mode, Target
from benchmarks.figures import Side
from tests.differential.cog_server import CogServer
from tests.servers import TOKEN, StokerServer

MODELS = Path(__file__).parents[1] / "tests/models"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
SUCCEEDED = '"status":"succeeded"'


class Measured(msgspec.Struct, frozen=True):
    """One load, and what it cost the server."""

    load: Load
    cpu_s: float

    @property
    def cpu_s_per_1000(self) -> float:
        return self.cpu_s / self.load.ok * 1000


class Contender(Protocol):
    """One model on one server."""

    @property
    def name(self) -> Side: ...

    @property
    def pid(self) -> int: ...

    def call(self, input: dict[str, Any], *, callers: int = 1, count: int = 1) -> Measured:
        """Blocking predictions, each with its whole output in the answer."""
        ...

    def stream(self, input: dict[str, Any], *, events: int, callers: int = 1, count: int = 1) -> Measured:
        """Predictions whose output is read as it comes."""
        ...

    def download(self, input: dict[str, Any], *, count: int = 1) -> Measured:
        """Predictions that give a file, and the file."""
        ...


class OnCog:
    """A model on a Cog server of its own."""

    name: Side = "Cog"

    def __init__(self, server: CogServer):
        self.pid = server.pid
        self._port = server.port

    def call(self, input: dict[str, Any], *, callers: int = 1, count: int = 1) -> Measured:
        target = Target(self._port, "/predictions", {"input": input}, {}, SUCCEEDED)
        return _measured(self.pid, target, "post", callers=callers, count=count)

    def stream(self, input: dict[str, Any], *, events: int, callers: int = 1, count: int = 1) -> Measured:
        target = Target(self._port, "/predictions", {"input": input})
        return _measured(self.pid, target, "events", callers=callers, count=count, events=events)

    def download(self, input: dict[str, Any], *, count: int = 1) -> Measured:
        """The file is in the answer, as a data URL."""
        return self.call(input, count=count)


class OnStoker:
    """A model on the one Stoker server."""

    name: Side = "Stoker"

    def __init__(self, server: StokerServer, version: str):
        self.pid = pid(server)
        self._port = server.port
        self._version = version

    def call(self, input: dict[str, Any], *, callers: int = 1, count: int = 1) -> Measured:
        return _measured(self.pid, self._target(input), "post", callers=callers, count=count)

    def stream(self, input: dict[str, Any], *, events: int, callers: int = 1, count: int = 1) -> Measured:
        body = {"version": self._version, "input": input}
        target = Target(self._port, "/v1/predictions", body, HEADERS)
        return _measured(self.pid, target, "stream", callers=callers, count=count, events=events)

    def download(self, input: dict[str, Any], *, count: int = 1) -> Measured:
        """The answer has the file's URL, which is then fetched."""
        return _measured(self.pid, self._target(input), "fetch", callers=1, count=count)

    def _target(self, input: dict[str, Any]) -> Target:
        body = {"version": self._version, "input": input}
        headers = HEADERS | {"Prefer": "wait"}
        return Target(self._port, "/v1/predictions", body, headers, SUCCEEDED)


def _measured(pid: int, target: Target, mode: Mode, *, callers: int, count: int, events: int = 0) -> Measured:
    before_s = process_tree.cpu_s(pid)
    load = client.run_well(target, callers=callers, count=count, seconds=120, mode=mode, events=events)
    return Measured(load, process_tree.cpu_s(pid) - before_s)


@contextmanager
def stoker() -> Iterator[StokerServer]:
    """A fresh server, until the block ends.

    Its data is on the disk of this repository and not in a temp folder, which may be in memory: durability is
    part of what is measured.
    """
    BUILD.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="stoker-", dir=BUILD) as folder:
        server = StokerServer(Path(folder) / "data")
        try:
            yield server.start()
        finally:
            server.stop()


def pid(server: StokerServer) -> int:
    """The server's process id."""
    assert server.process is not None
    return server.process.pid


class Arena:
    """One Stoker server for a whole run, and Cog servers as they are needed."""

    def __init__(self, stoker: StokerServer):
        self.stoker = stoker
        self._versions: dict[str, str] = {}

    def version(self, model: str) -> str:
        """The model's version on the Stoker server; pushed at the first call."""
        if model not in self._versions:
            self._versions[model] = self.stoker.push(MODELS / model, f"local/{model}")
        return self._versions[model]

    def schema(self, model: str) -> dict[str, Any]:
        """The schema that Stoker serves for the model."""
        path = f"/v1/models/local/{model}/versions/{self.version(model)}"
        with self.stoker.client() as client:
            return client.get(path).raise_for_status().json()["openapi_schema"]

    @contextmanager
    def both(self, model: str) -> Iterator[tuple[Contender, Contender]]:
        """The model on both servers, Cog's first, until the block ends."""
        version = self.version(model)
        with CogServer(MODELS / model, self.schema(model)) as cog:
            cog.wait_set_up()
            yield OnCog(cog), OnStoker(self.stoker, version)
