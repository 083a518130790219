"""The demo's own server: everything it keeps is in one folder, and it stays up until it is told to stop.

Used by ``demo.py``. The folder is ``.demo`` in the checkout, or what ``STOKER_DEMO_DIR`` says.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = Path(os.environ.get("STOKER_DEMO_DIR") or ROOT / ".demo").absolute()
DATA, LOG, PID, OUT = FOLDER / "data", FOLDER / "server.log", FOLDER / "server.pid", FOLDER / "out"

USUAL_PORT = 8080
START_WITHIN_S = 60
STOP_WITHIN_S = 60


def start() -> dict[str, str]:
    """Starts the server and gives the variables that a client needs; an earlier one is stopped first."""
    stop()
    OUT.mkdir(parents=True, exist_ok=True)
    LOG.unlink(missing_ok=True)
    with LOG.open("wb") as log:
        # The webhooks of the demo go to this machine, which no server does unless it is allowed to.
        process = subprocess.Popen(
            [sys.executable, "-m", "stoker", "serve", "--allow-net", "127.0.0.0/8", "--port", str(_port())],
            env=_clean_environment() | {"STOKER_HOME": str(DATA), "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    PID.write_text(str(process.pid))
    _await_ready(process)
    stored = json.loads((DATA / "credentials.json").read_text())
    return {"REPLICATE_BASE_URL": stored["base_url"], "REPLICATE_API_TOKEN": stored["token"]}


def stop() -> bool:
    """Lets the server end what runs and waits for it; whether there was one."""
    pid = _running()
    if pid is None:
        return False
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_WITHIN_S
    while _running() is not None:
        if time.monotonic() > deadline:
            raise SystemExit(f"The server (process {pid}) does not stop; {LOG} may say why.")
        time.sleep(0.05)
    PID.unlink(missing_ok=True)
    return True


def push(folder: Path, model: str, client: dict[str, str]) -> str:
    """Makes a version of the project, as ``stoker push`` does for a person; its id."""
    done = subprocess.run(
        [sys.executable, "-m", "stoker", "push", str(folder), model],
        env=_clean_environment() | client,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(f"{model} could not be pushed.")
    return done.stdout.split()[-1]


def _running() -> int | None:
    """The server's process id; None where the process is gone or has become another program's."""
    try:
        pid = int(PID.read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError, ValueError):
        return None
    return pid if b"stoker" in command else None


def _await_ready(process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_WITHIN_S
    while not any(line.startswith("ready ") for line in LOG.read_text().splitlines()):
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"The server did not start:\n{LOG.read_text()}")
        time.sleep(0.05)


def _port() -> int:
    """The usual port where it is free, else any."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", USUAL_PORT))
        except OSError:
            return 0
    return USUAL_PORT


def _clean_environment() -> dict[str, str]:
    return {
        name: value for name, value in os.environ.items() if not name.startswith(("STOKER_", "REPLICATE_"))
    }
