"""The commands that the pages show are run, as they stand, against a real server."""

import os
import queue
import re
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, blocks, commands
from tests.servers import StokerServer

README = ROOT / "README.md"
EXAMPLES = sorted(page.parent.name for page in ROOT.glob("examples/*/README.md"))
BIN = Path(sys.executable).parent
WITHIN_S = 60


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A folder that looks like the checkout and may be written to."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    return tmp_path


@pytest.fixture
def first_start(here: Path) -> Iterator[dict[str, str]]:
    """``stoker serve`` as the README has it (on a free port); gives what its ``export`` lines say."""
    (command,) = [line for line in commands(README, "stoker") if line.startswith("stoker serve")]
    variables = {"STOKER_HOME": str(here / "data"), "STOKER_PORT": "0", "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        shlex.split(command), env=environment(variables), stdout=subprocess.PIPE, text=True, cwd=here
    )
    lines: queue.Queue[str] = queue.Queue()
    reader = threading.Thread(target=pass_on, args=(process, lines))
    reader.start()
    try:
        yield exports(lines)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(WITHIN_S) == 0
        reader.join(WITHIN_S)


def pass_on(process: subprocess.Popen[str], lines: "queue.Queue[str]") -> None:
    assert process.stdout is not None
    with process.stdout as output:
        for line in output:
            lines.put(line)
    lines.put("")


def exports(lines: "queue.Queue[str]") -> dict[str, str]:
    found: dict[str, str] = {}
    while line := lines.get(timeout=WITHIN_S):
        if line.startswith("export "):
            name, _, value = line.removeprefix("export ").strip().partition("=")
            found[name] = value
        elif line.startswith("ready "):
            return found
    raise AssertionError("the server did not start")


def environment(variables: dict[str, str]) -> dict[str, str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("STOKER_", "REPLICATE_"))}
    return clean | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"} | variables


def run(command: str | list[str], variables: dict[str, str], *, cwd: Path) -> str:
    done = subprocess.run(
        command,
        shell=isinstance(command, str),
        env=environment(variables),
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=300,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_readme_from_the_first_start_on(first_start: dict[str, str], here: Path):
    assert set(first_start) == {"REPLICATE_BASE_URL", "REPLICATE_API_TOKEN"}
    # Moving needs another API, weights a hub: tests/scenarios/test_import.py and tests/catalog play that.
    elsewhere = ("stoker import", "stoker catalog add")
    alone = [line for line in commands(README, "stoker")[1:] if not line.startswith(elsewhere)]
    said = [run(command, first_start, cwd=here) for command in alone]
    assert re.fullmatch(r"[0-9a-f]{64}", said[0].strip())
    assert len(said[1].split()) > 20
    (snippet,) = [block for block in blocks(README) if block.startswith("import replicate")]
    assert len(run([sys.executable, "-c", snippet], first_start, cwd=here).split()) > 20


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_commands_of_an_example(example: str, server: StokerServer, here: Path):
    shown = commands(ROOT / "examples" / example / "README.md", "stoker")
    assert [line.split()[1] for line in shown] == ["push", "run"]
    for command in shown:
        run(command, server.variables(), cwd=here)


def test_the_first_model_of_the_authors_page(server: StokerServer, tmp_path: Path):
    page = ROOT / "docs" / "models.md"
    for block in blocks(page):
        name = block.split("\n", 1)[0].removeprefix("# ")
        if name in ("cog.yaml", "run.py"):
            (tmp_path / name).write_text(block)
    said = [run(command, server.variables(), cwd=tmp_path) for command in commands(page, "stoker")]
    assert said[-1].strip() == "Hello, world"
