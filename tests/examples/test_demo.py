"""``make demo`` without a terminal: every story is told, every file is there, the server can be stopped."""

import os
import subprocess
import sys
import wave
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]
STORIES_WITHIN_S = 600


def demo(command: str, folder: Path) -> str:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("STOKER_", "REPLICATE_"))}
    done = subprocess.run(
        [sys.executable, "-W", "error", str(ROOT / "examples" / "demo.py"), command],
        env=clean | {"STOKER_DEMO_DIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=STORIES_WITHIN_S,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_demo(tmp_path: Path):
    try:
        told = demo("start", tmp_path)
        address = next(line for line in told.splitlines() if line.startswith("export REPLICATE_BASE_URL="))
        base_url = address.partition("=")[2]
        assert httpx.get(f"{base_url}/health").json()["status"] == "ok"
    finally:
        assert demo("stop", tmp_path) == "Stopped.\n"
    assert "digit 7" in told
    assert "builtins.list.sort" in told
    assert "the webhook came; succeeded, 40 tokens" in told
    assert "asked for 1,000,000 tokens, canceled after" in told
    assert "ModelError: There is nothing in this text that could be said." in told
    for effect in ("sketch", "oil", "poster"):
        assert (tmp_path / "out" / f"landscape-{effect}.png").read_bytes().startswith(b"\x89PNG")
    with wave.open(str(tmp_path / "out" / "hello.wav")) as sound:
        assert sound.getnframes() / sound.getframerate() > 2


def test_stopping_what_does_not_run_is_no_error(tmp_path: Path):
    assert demo("stop", tmp_path) == "The demo's server is not running.\n"
