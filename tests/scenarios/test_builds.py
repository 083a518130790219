"""Pushes: what is sent, what is kept, what is warned of, what is left of a build that fails or is cut off."""

import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.conftest import StartServer
from tests.scenarios.api import run
from tests.scenarios.machine import ECHO, YAML, project, until
from tests.servers import StokerServer

WITH_COMMAND = 'build:\n  python_version: "3.11"\n  run: ["{}"]\nrun: run.py:Runner\n'

LISTING = """
from pathlib import Path
from cog import BaseRunner

class Runner(BaseRunner):
    def run(self) -> list[str]:
        return sorted(str(path) for path in Path().rglob("*"))
"""

REQUIREMENT = YAML.replace("run: run.py", "  python_packages: [stoker-has-no-such-package==1]\nrun: run.py")

Done = subprocess.CompletedProcess[str]


def environments(server: StokerServer) -> dict[str, float]:
    """The environments that are there, whole or not, with the time at which each was made."""
    folders = (server.data_dir / "environments").glob("*")
    return {folder.name: (folder / "pyvenv.cfg").stat().st_mtime for folder in folders}


def half_made(server: StokerServer) -> list[str]:
    """What builds have left behind that is not a whole environment or source tree."""
    data = server.data_dir
    broken = [path for path in data.glob("environments/*") if not (path / "stoker.json").exists()]
    return [str(path) for path in [*broken, *data.glob("scratch/*"), *data.glob("blobs/incoming/*")]]


def working_in(folder: Path) -> list[int]:
    """The processes whose working directory is in that folder."""
    found: list[int] = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink().is_relative_to(folder):
                found.append(int(process.name))
        except OSError:
            continue
    return found


def versions(server: StokerServer, model: str) -> list[str]:
    with server.client() as client:
        answer = client.get(f"/v1/models/{model}/versions")
        return [version["id"] for version in answer.json()["results"]] if answer.status_code == 200 else []


def test_a_change_of_code_keeps_the_environment_and_sends_one_file(server: StokerServer, tmp_path: Path):
    folder = project(tmp_path / "echo", data__words="one two")
    first = server.push(folder, "local/echo")
    before = environments(server)
    (folder / "run.py").write_text(ECHO.replace("return text", "return text.upper()"))
    again = server.stoker("push", str(folder), "local/echo")
    second = again.stdout.split()[-1]
    assert "Sent 1 file" in again.stderr
    assert "2 known to the server" in again.stderr
    assert environments(server) == before
    assert versions(server, "local/echo") == [second, first]
    with server.client() as client:
        assert run(client, second, {"text": "a"})["output"] == "A"
        assert run(client, first, {"text": "a"})["output"] == "a"
        assert run(client, "local/echo", {"text": "a"})["output"] == "A"


def test_the_same_source_is_the_same_version(server: StokerServer, tmp_path: Path):
    first = server.push(project(tmp_path / "one"), "local/same")
    copy = project(tmp_path / "two")
    (copy / "run.py").touch()
    again = server.stoker("push", str(copy), "local/same")
    assert again.stdout.split()[-1] == first
    assert "exists already" in again.stderr
    assert "Sent 0 files" in again.stderr
    assert versions(server, "local/same") == [first]


def test_ignored_files_stay_at_home(server: StokerServer, tmp_path: Path):
    files = ["secret.txt", "data__a.txt", "data__b.log", "data__deep__c.log", "keep.log"]
    folder = project(tmp_path / "ignoring", LISTING, **dict.fromkeys(files, "x"))
    (folder / ".dockerignore").write_text("# not these\nsecret.txt\n**/*.log\n!keep.log\n")
    (folder / ".cogignore").write_text("data/a.txt\n")
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "x.pyc").write_text("x")
    version = server.push(folder, "local/ignoring")
    with server.client() as client:
        seen = set(run(client, version)["output"])
    assert {"run.py", "cog.yaml", "keep.log"} <= seen
    assert not seen & {"secret.txt", "data/a.txt", "data/b.log", "data/deep/c.log", "__pycache__/x.pyc"}


@pytest.mark.parametrize(
    ("yaml", "code", "words"),
    [
        (REQUIREMENT, ECHO, "resolved"),
        (WITH_COMMAND.format("echo before; exit 3"), ECHO, "exit status 3"),
        (YAML, "import no_such_module\n" + ECHO, "no_such_module"),
        (YAML, "x = 1\n", "Runner"),
        (YAML, ECHO.replace("text: str", "text: object"), "object"),
        (YAML, "def broken(:\n", "invalid syntax"),
    ],
    ids=["requirement", "command", "import", "no class", "type", "syntax"],
)
def test_a_failed_build_leaves_nothing(
    server: StokerServer, tmp_path: Path, yaml: str, code: str, words: str
):
    failed = server.stoker("push", str(project(tmp_path / "failing", code, yaml=yaml)), "local/failing")
    assert failed.returncode == 1
    assert failed.stdout == ""
    assert words in failed.stderr.partition("Error: ")[2], failed.stderr
    assert versions(server, "local/failing") == []
    until(lambda: not half_made(server), f"nothing is left, not even {half_made(server)}")


def test_what_this_machine_lacks_is_an_error_of_the_push(server: StokerServer, tmp_path: Path):
    wanted = YAML.replace("run: run.py", "  system_packages: [stoker-no-such-library]\nrun: run.py")
    failed = server.stoker("push", str(project(tmp_path / "library", yaml=wanted)), "local/lacking")
    if shutil.which("dpkg-query"):
        assert failed.returncode == 1
        assert "apt-get install stoker-no-such-library" in failed.stderr
    if not list(Path("/dev").glob("nvidia[0-9]*")):
        wanted = YAML.replace("run: run.py", "  gpu: true\nrun: run.py")
        failed = server.stoker("push", str(project(tmp_path / "gpu", yaml=wanted)), "local/lacking")
        assert failed.returncode == 1
        assert "no NVIDIA GPU" in failed.stderr
        assert "gpu: false" in failed.stderr


def test_warnings_and_strict(server: StokerServer, tmp_path: Path):
    """An old Python, an unknown key, a path that only Cog's images have."""
    yaml = YAML.replace("3.11", "3.8") + "colour: blue\n"
    folder = project(tmp_path / "warned", ECHO + '\nFOLDER = "/src/weights"\n', yaml=yaml)
    strict = server.stoker("push", "--strict", str(folder), "local/warned")
    assert strict.returncode == 1
    assert "there were warnings" in strict.stderr
    assert versions(server, "local/warned") == []
    plain = server.stoker("push", str(folder), "local/warned")
    assert plain.returncode == 0, plain.stderr
    warned = [line for line in plain.stderr.splitlines() if line.startswith("Warning: ")]
    for words in ("minimum supported Python", "colour", "/src/"):
        assert any(words in line for line in warned), (words, warned)
    with server.client() as client:
        assert run(client, plain.stdout.split()[-1], {"text": "a"})["output"] == "a"


def test_pushes_at_the_same_time(server: StokerServer, tmp_path: Path):
    """Three of the same source into one model, one of other code, all in need of one new environment."""
    yaml = WITH_COMMAND.format("echo made >> ~/made")
    same = project(tmp_path / "same", yaml=yaml)
    other = project(tmp_path / "other", ECHO + "# other\n", yaml=yaml)
    before = environments(server)
    done: list[Done] = []

    def push(folder: Path) -> None:
        done.append(server.stoker("push", str(folder), "local/at-once"))

    pushes = [threading.Thread(target=push, args=(folder,)) for folder in (same, same, other, same)]
    for thread in pushes:
        thread.start()
    for thread in pushes:
        thread.join()
    assert [push.returncode for push in done] == [0] * 4, [push.stderr for push in done]
    made = {push.stdout.split()[-1] for push in done}
    assert set(versions(server, "local/at-once")) == made
    assert len(made) == 2
    new = environments(server).keys() - before.keys()
    assert len(new) == 1
    assert (server.data_dir / "environments" / new.pop() / "home" / "made").read_text() == "made\n"
    assert half_made(server) == []


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_a_server_that_ends_in_the_middle_of_a_build(start_server: StartServer, tmp_path: Path, end: str):
    server = start_server()
    slow = WITH_COMMAND.format("setsid sleep 600 & echo working; sleep 600")
    folder = project(tmp_path / "slow", yaml=slow)
    command = [sys.executable, "-m", "stoker", "push", str(folder), "local/slow"]
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), **server.variables()}
    with subprocess.Popen(command, env=environ, stdout=-1, stderr=-1, text=True) as push:
        assert push.stderr is not None
        assert any("working" in line for line in push.stderr)
        assert len(half_made(server)) >= 2
        if end == "kill":
            server.kill()
        else:
            assert server.stop() == 0
        server.start()
        told = push.stderr.read()
        assert push.wait(60) == 1
    assert "Error: " in told
    assert "Traceback" not in told
    if end == "stop":
        assert "The server is stopping. Push again in a moment." in told
    assert half_made(server) == []
    assert working_in(server.data_dir) == []
    assert versions(server, "local/slow") == []
    version = server.push(project(tmp_path / "quick"), "local/slow")
    with server.client() as client:
        assert run(client, version, {"text": "a"})["output"] == "a"
