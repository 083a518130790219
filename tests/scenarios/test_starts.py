"""Starts that cannot be, and starts that are broken off."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from stoker.core.settings import Settings
from stoker.main import server


def refused(tmp_path: Path, *args: str) -> str:
    """What ``stoker serve`` says where it does not start."""
    command = [
        sys.executable,
        "-m",
        "stoker",
        "serve",
        "--data-dir",
        str(tmp_path / "data"),
        "--port",
        "0",
        *args,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr.splitlines()[-1]


def test_a_port_that_is_taken_is_named(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        told = refused(tmp_path, "--port", str(port))
    assert told.startswith(
        f"Error: The server cannot listen on 127.0.0.1 port {port}: Address already in use."
    )


def test_a_folder_that_cannot_be_is_named(tmp_path: Path):
    (tmp_path / "data").write_text("a file")
    told = refused(tmp_path)
    assert told.startswith(f"Error: The data directory {tmp_path / 'data'} cannot be made: File exists.")


def test_a_certificate_that_cannot_be_is_named(tmp_path: Path):
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    tls = ("--tls-cert", str(cert), "--tls-key", str(key))
    cert.write_text("no certificate")
    assert refused(tmp_path, *tls) == f"Error: tls_key {key} cannot be read: No such file or directory."
    key.write_text("no key")
    told = refused(tmp_path, *tls)
    assert told.startswith(f"Error: tls_cert {cert} and tls_key {key} cannot be used together")


def test_a_misspelt_variable_is_told_of_at_the_start(tmp_path: Path):
    (tmp_path / "data").write_text("a file")
    command = [sys.executable, "-m", "stoker", "serve", "--data-dir", str(tmp_path / "data")]
    environ = os.environ | {"STOKER_PROT": "1"}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120, check=False)
    assert "Warning: STOKER_PROT is no setting and means nothing (is it STOKER_PORT" in done.stderr


@pytest.mark.parametrize("times", [1, 2], ids=["stop", "hurry"])
def test_told_to_stop_before_it_is_ready_it_clears_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, times: int
):
    closed: list[str] = []
    said: list[str] = []
    assemble = server.assemble

    async def told_meanwhile(stack: contextlib.AsyncExitStack, **parts: Any) -> Any:
        stack.callback(closed.append, "what was built")
        for _ in range(times):
            os.kill(os.getpid(), signal.SIGTERM)
        if times == 2:
            await asyncio.Event().wait()
        return await assemble(stack, **parts)

    monkeypatch.setattr(server, "assemble", told_meanwhile)
    settings = Settings(data_dir=tmp_path / "data", port=0)
    asyncio.run(asyncio.wait_for(server.serve(settings, announce=said.append), 60))
    assert closed == ["what was built"]
    assert not [line for line in said if line.startswith("ready")]
