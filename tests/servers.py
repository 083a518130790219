"""A real Stoker server as a process, for tests: start it, talk to it, kill it, start it again."""

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.documented import hold

TOKEN = "r8_" + "T" * 37
START_WITHIN_S = 60
STOP_WITHIN_S = 60


class StokerServer:
    """``stoker serve`` on a free port over a data directory; the same directory can be served again."""

    def __init__(self, data_dir: Path, *args: str, variables: Mapping[str, str] | None = None, port: int = 0):
        self.data_dir = data_dir
        self.base_url = ""
        self.port = port
        self._args = args
        self._variables = dict(variables or {})
        self._client_variables: dict[str, str] = {}
        self._lines: queue.Queue[str | None] = queue.Queue()
        self.process: subprocess.Popen[str] | None = None

    @property
    def log_path(self) -> Path:
        return self.data_dir.parent / f"{self.data_dir.name}.log"

    def start(self) -> "StokerServer":
        """Returns when it can take requests."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("STOKER_", "REPLICATE_"))}
        environment |= {"STOKER_BOOTSTRAP_TOKEN": TOKEN, "PYTHONUNBUFFERED": "1"} | self._variables
        with self.log_path.open("a") as log:
            command = [sys.executable, "-m", "stoker", "serve", "--data-dir", str(self.data_dir)]
            self.process = subprocess.Popen(
                [*command, "--port", str(self.port), *self._args],
                stdout=subprocess.PIPE,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env=environment,
                text=True,
            )
        self._lines = queue.Queue()
        threading.Thread(target=self._read, args=(self.process, self._lines), daemon=True).start()
        try:
            self._await_ready()
        except BaseException:
            self.kill()
            raise
        self.port = int(self.base_url.rsplit(":", 1)[1])
        return self

    def kill(self) -> None:
        """``kill -9``: no goodbye."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(STOP_WITHIN_S)

    def stop(self) -> int:
        """SIGTERM, and the exit status; killed where it does not stop in time."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                self.kill()
                raise
        return self.process.returncode

    @contextmanager
    def client(self, **options: Any) -> Iterator[httpx.Client]:
        """An HTTP client with the token; whatever it is answered is held against the OpenAPI document."""
        headers = {"authorization": f"Bearer {TOKEN}"}
        hooks = {"response": [hold]}
        with httpx.Client(
            base_url=self.base_url, headers=headers, timeout=90, event_hooks=hooks, **options
        ) as client:
            yield client

    def trust(self, authority: Path) -> None:
        """Clients shall trust this certificate authority."""
        self._client_variables["SSL_CERT_FILE"] = str(authority)

    def variables(self, *, v1: bool = False) -> dict[str, str]:
        """What a client's environment needs."""
        base_url = self.base_url + ("/v1" if v1 else "")
        return {"REPLICATE_BASE_URL": base_url, "REPLICATE_API_TOKEN": TOKEN} | self._client_variables

    def stoker(
        self, *args: str, timeout_s: float = 300, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command of the CLI against this server; the variables may name another token."""
        return subprocess.run(
            [sys.executable, "-m", "stoker", *args],
            env=os.environ | self.variables() | variables,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            stdin=subprocess.DEVNULL,
        )

    def push(self, folder: Path, model: str) -> str:
        """Pushes a Cog project; its version id."""
        done = self.stoker("push", str(folder), model)
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout.split()[-1]

    def _read(self, process: subprocess.Popen[str], lines: "queue.Queue[str | None]") -> None:
        assert process.stdout is not None
        with process.stdout as output:
            for line in output:
                lines.put(line.rstrip("\n"))
        lines.put(None)

    def _await_ready(self) -> None:
        while True:
            line = self._lines.get(timeout=START_WITHIN_S)
            if line is None:
                raise AssertionError(f"the server did not start:\n{self.log_path.read_text()}")
            if line.startswith("ready "):
                self.base_url = line.removeprefix("ready ")
                return
