"""Cog's own server on a model of this repository, as ``cog build`` would have started it but for Docker.

Called by the measures and by the differential tests: the oracle of both. Each server has a copy of the
model's folder with ``.cog/openapi_schema.json`` in it, a free port, and is ended by its process id.
"""

import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Self

import yaml

_LEFT_BEHIND = Path(tempfile.gettempdir()) / "coglet" / "predictions"
"""Where Cog's server leaves three empty folders of every prediction, whatever TMPDIR says."""


class CogServerFailed(Exception):
    """The server ended or did not answer in time; the text has the end of its log."""


def free_port() -> int:
    """A port of the loopback that nobody listened on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def configuration(model: Path) -> dict[str, Any]:
    """The model's cog.yaml, scalars as text."""
    return yaml.load((model / "cog.yaml").read_text(), Loader=yaml.BaseLoader) or {}


def declared_slots(model: Path) -> int:
    """What cog.yaml or the decorator says, as Cog's builder reads it from the source."""
    config = configuration(model)
    if "concurrency" in config:
        return int(config["concurrency"]["max"])
    source = (model / reference(model).partition(":")[0]).read_text()
    found = re.search(r"@concurrent\(max=(\d+)\)", source)
    return int(found[1]) if found else 1


def reference(model: Path) -> str:
    """``file.py:Name`` of what runs."""
    config = configuration(model)
    return config.get("run") or config["predict"]


class CogServer:
    """A running server; a context manager, so that it ends."""

    def __init__(self, model: Path, schema: dict[str, Any] | None, *, python: Path = Path(sys.executable)):
        self.folder = Path(tempfile.mkdtemp(prefix="cog-server-"))
        self.port = free_port()
        self._began = time.time()
        source = shutil.copytree(model, self.folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
        if schema is not None:
            (source / ".cog").mkdir()
            (source / ".cog/openapi_schema.json").write_text(json.dumps(schema))
        self._log = (self.folder / "log").open("wb")
        self.process = subprocess.Popen(
            [python, "-m", "cog.server.http", "--host", "127.0.0.1"],
            cwd=source,
            env=self._environment(model, python),
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )

    def _environment(self, model: Path, python: Path) -> dict[str, str]:
        declared = dict(line.split("=", 1) for line in configuration(model).get("environment") or [])
        temp = self.folder / "tmp"
        temp.mkdir()
        return declared | {
            "PATH": f"{python.parent}:{os.environ.get('PATH', os.defpath)}",
            "HOME": str(self.folder),
            "TMPDIR": str(temp),
            "LANG": "C.UTF-8",
            "PORT": str(self.port),
            "COG_PREDICT_TYPE_STUB": reference(model),
            "COG_MAX_CONCURRENCY": str(declared_slots(model)),
            "COG_LOG_LEVEL": "warning",
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        return self.process.pid

    def log(self) -> str:
        """What the server has written so far."""
        return (self.folder / "log").read_text(errors="replace")

    def health(self) -> dict[str, Any]:
        """The answer of ``/health-check``."""
        status, body = self.call("GET", "/health-check")
        if status != 200:
            raise CogServerFailed(f"/health-check answered {status}")
        return json.loads(body)

    def wait_set_up(self, timeout_s: float = 60) -> dict[str, Any]:
        """Waits until set-up has ended, well or not; the health object then."""
        end = time.monotonic() + timeout_s
        while time.monotonic() < end and self.process.poll() is None:
            with contextlib.suppress(OSError, http.client.HTTPException):
                health = self.health()
                if health["status"] != "STARTING":
                    return health
            time.sleep(0.02)
        raise CogServerFailed(f"did not set up: {self.log()[-2000:]}")

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        timeout_s: float = 60,
    ) -> tuple[int, bytes]:
        """One request on a connection of its own; status and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)
        try:
            data = None if body is None else json.dumps(body)
            connection.request(method, path, data, {"Content-Type": "application/json"} | (headers or {}))
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def stop(self) -> None:
        """Ends the server and its worker and removes what they left on the disk."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
        # A worker that hangs outlives its server: what is left of the session goes with it.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self._log.close()
        self._remove_left_behind()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _remove_left_behind(self) -> None:
        """Only empty folders, and only those made since the start: another server may be at work."""
        if not _LEFT_BEHIND.is_dir():
            return
        for folder in _LEFT_BEHIND.iterdir():
            with contextlib.suppress(OSError):
                if folder.stat().st_mtime >= self._began - 1:
                    for part in ("inputs", "outputs"):
                        (folder / part).rmdir()
                    folder.rmdir()
