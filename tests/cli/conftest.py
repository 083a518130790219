"""A server that does as it is told, and the command line in this process or in one of its own."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from stoker.cli.app import cli
from tests.cli.fake_server import TOKEN, FakeServer

Invoke = Callable[..., Result]
Spawn = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def fake() -> Iterator[FakeServer]:
    server = FakeServer().start()
    yield server
    server.stop()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def variables(fake: FakeServer, tmp_path: Path) -> dict[str, str]:
    """The environment that leads a command to the fake server."""
    return {
        "REPLICATE_BASE_URL": fake.base_url,
        "REPLICATE_API_TOKEN": TOKEN,
        "STOKER_HOME": str(tmp_path / "home"),
    }


@pytest.fixture
def invoke(variables: dict[str, str], here: Path) -> Invoke:
    """Runs a command in this process; what it raises beyond a plain error fails the test."""

    def run(*args: str, **options: object) -> Result:
        result = CliRunner().invoke(cli, args, env=variables, **options)  # type: ignore[arg-type]
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


@pytest.fixture
def spawn(variables: dict[str, str], here: Path) -> Iterator[Spawn]:
    """Starts the program in a process of its own, which ends with the test."""
    started: list[subprocess.Popen[str]] = []

    def start(*args: str, **options: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", "from stoker.cli.app import cli; cli(prog_name='stoker')", *args]
        pipes: dict[str, object] = {
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            "text": True,
            "env": {**os.environ, **variables},
        }
        process = subprocess.Popen(command, **(pipes | options))  # type: ignore[call-overload]
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait(20)
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
