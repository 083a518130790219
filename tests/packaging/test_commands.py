"""Running processes of a build: output, time limit, and nothing left behind."""

import asyncio
import sys
from pathlib import Path

from stoker.packaging.commands import LINE_LIMIT, Outcome, kill_marked, run
from tests.processes import is_alive


def play(script: str, folder: Path, *, timeout_s: float = 60.0, mark: str = "") -> tuple[Outcome, list[str]]:
    lines: list[str] = []
    outcome = asyncio.run(
        run(
            [sys.executable, "-c", script],
            cwd=folder,
            env={},
            mark=mark or f"{folder}:test",
            timeout_s=timeout_s,
            on_line=lines.append,
        )
    )
    return outcome, lines


def test_both_streams_come_line_by_line_with_the_status(tmp_path: Path) -> None:
    script = "import sys; print('one'); print('two', file=sys.stderr); print('three', end=''); sys.exit(3)"
    outcome, lines = play(script, tmp_path)
    assert sorted(lines) == ["one", "three", "two"]
    assert (outcome.code, outcome.timed_out) == (3, False)


def test_carriage_returns_end_lines_and_long_ones_are_cut(tmp_path: Path) -> None:
    _, lines = play("print('10%\\r20%\\r30%'); print('x' * 100000)", tmp_path)
    assert lines[:3] == ["10%", "20%", "30%"]
    assert max(map(len, lines)) == LINE_LIMIT


def test_the_time_is_limited(tmp_path: Path) -> None:
    outcome, _ = play("import time; time.sleep(600)", tmp_path, timeout_s=0.2)
    assert (outcome.code, outcome.timed_out) == (-9, True)


def test_what_it_left_running_is_ended_though_it_holds_the_output_open(tmp_path: Path) -> None:
    script = (
        "import subprocess, sys\n"
        "child = [sys.executable, '-c', 'import time; time.sleep(600)']\n"
        "print(subprocess.Popen(child, start_new_session=True).pid)\n"
    )
    outcome, lines = play(script, tmp_path)
    assert outcome.code == 0
    assert not is_alive(int(lines[0]))


def test_marks_are_compared_from_the_beginning(tmp_path: Path) -> None:
    assert kill_marked(f"{tmp_path}:") == 0
