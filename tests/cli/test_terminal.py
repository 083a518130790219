"""On a terminal: a moving line on stderr, tokens as they come, results whole."""

import os
import pty
import subprocess
import termios
from pathlib import Path

import pytest

from tests.cli.conftest import Spawn
from tests.cli.fake_server import VERSION, FakeServer
from tests.cli.schemas import TEXT_PIECES, openapi


class Terminal:
    """A pseudo-terminal of 100 columns; ``read`` gives everything that was written to it."""

    def __init__(self) -> None:
        self._master, self.end = pty.openpty()
        termios.tcsetwinsize(self.end, (40, 100))

    def read(self) -> str:
        os.close(self.end)
        text = b""
        while True:
            try:
                chunk = os.read(self._master, 65536)
            except OSError:  # Linux says EIO once the other side is closed
                chunk = b""
            if not chunk:
                os.close(self._master)
                return text.decode()
            text += chunk


@pytest.fixture
def variables(variables: dict[str, str]) -> dict[str, str]:
    return variables | {"TERM": "xterm-256color", "COLUMNS": "100"}


def finish(process: "subprocess.Popen[str]", terminal: Terminal) -> tuple[str, str]:
    text = terminal.read()
    stdout = process.stdout.read() if process.stdout else ""
    assert process.wait(30) == 0, text
    return stdout, text


def test_push_moves_on_stderr_and_leaves_stdout_alone(fake: FakeServer, here: Path, spawn: Spawn) -> None:
    (here / "cog.yaml").write_text("predict: predict.py:Predictor\n")
    fake.build_events = [
        ("progress", {"stage": "environment", "message": "Making the environment", "done": 2, "total": 4}),
        ("log", "Installed [bold]numpy[/bold]"),
        ("done", {"version": VERSION, "cached": False}),
    ]
    terminal = Terminal()
    stdout, text = finish(spawn("push", "local/story", stderr=terminal.end), terminal)
    assert stdout == f"{VERSION}\n"
    assert "Uploading" in text
    assert "Making the environment" in text
    assert "2/4" in text
    assert "Installed [bold]numpy[/bold]" in text
    assert "\x1b[" in text


def test_text_streams_by_itself(fake: FakeServer, spawn: Spawn) -> None:
    fake.add_model("local/story", openapi(output=TEXT_PIECES))
    done = fake.prediction("p1", status="succeeded", output=["Once", " upon"], logs="said\n")
    fake.next_states = [fake.prediction("p1"), done]
    for state in fake.next_states:
        state["urls"]["stream"] = f"{fake.base_url}/v1/streams/key"
    fake.stream_events = [("output", "Once"), ("output", " upon"), ("done", {})]
    terminal = Terminal()
    _, text = finish(spawn("run", "local/story", stdout=terminal.end, stderr=terminal.end), terminal)
    assert "Once upon\r\n" in text
    assert "said\r\n" in text
    assert len(fake.asked("GET", "/v1/streams/key")) == 1


def test_the_state_and_the_models_own_progress_bar(fake: FakeServer, spawn: Spawn) -> None:
    fake.add_model("local/story", openapi())
    boot = {"stage": "set-up", "since_s": 1.5}
    fake.waits["p1"] = {"reason": "boot", "message": "An instance starts.", "boot": boot, "estimate_s": 7.6}
    bar = "loading\n\r 10%|#   | 1/10\r 40%|##  | 4/10"
    fake.next_states = [
        fake.prediction("p1"),
        fake.prediction("p1", status="processing", logs=bar),
        fake.prediction("p1", status="succeeded", output="done", logs=bar + "\r100%|####| 10/10\n"),
    ]
    terminal = Terminal()
    stdout, text = finish(spawn("run", "local/story", stderr=terminal.end), terminal)
    assert stdout == "done\n"
    assert "Starting the model: set-up (about 8 s)" in text
    assert "Running" in text
    assert "40/100 %" in text
    assert "100%|####| 10/10" in text


def test_a_table_on_a_narrow_terminal_loses_nothing(fake: FakeServer, spawn: Spawn) -> None:
    fake.add_model("local/story", openapi())
    terminal = Terminal()
    _, text = finish(spawn("versions", "local/story", stdout=terminal.end, stderr=terminal.end), terminal)
    assert VERSION in text


def test_a_row_becomes_a_paragraph_where_there_is_no_room_for_it(
    fake: FakeServer, spawn: Spawn, variables: dict[str, str]
) -> None:
    variables |= {"COLUMNS": "60", "TERM": "dumb"}
    fake.predictions["p1"] = [
        fake.prediction("p1" * 13, model="local/a-long-name-of-a-model", status="failed")
    ]
    terminal = Terminal()
    _, text = finish(spawn("predictions", "list", stdout=terminal.end), terminal)
    assert text.splitlines() == [
        "p1" * 13,
        "  MODEL local/a-long-name-of-a-model  STATUS failed",
        "  CREATED (UTC) 2026-11-20 10:00:00",
    ]


def test_a_table_where_the_terminal_has_no_unicode(
    fake: FakeServer, spawn: Spawn, variables: dict[str, str]
) -> None:
    variables |= {"PYTHONIOENCODING": "ascii"}
    account = {"username": "ann", "type": "user", "name": "Änn", "role": None, "retention_s": 604800.0}
    fake.overrides["GET", "/v1/stoker/accounts"] = [(200, {"results": [account], "next": None})]
    terminal = Terminal()
    _, text = finish(spawn("account", "list", stdout=terminal.end, stderr=terminal.end), terminal)
    assert "ann" in text
    assert "7d" in text
