"""Models that misbehave: floods of logs, outputs that are no JSON, streams that never end, strange files."""

from pathlib import Path

import pytest

from tests.conftest import MODELS, Pushed, StartServer
from tests.scenarios.api import create, ended, events, run, when
from tests.scenarios.machine import MIB, grows_less_than, project
from tests.servers import StokerServer

STRANGE = """
import os
from cog import BaseRunner, Input, Path

MADE = {
    "pipe": lambda: os.mkfifo("thing"),
    "device": lambda: os.symlink("/dev/zero", "thing"),
    "folder": lambda: os.mkdir("thing"),
    "missing": lambda: None,
    "broken link": lambda: os.symlink("nowhere", "thing"),
}

class Runner(BaseRunner):
    def run(self, kind: str = Input(choices=list(MADE))) -> Path:
        MADE[kind]()
        return Path("thing")
"""

NAMES = """
import os
from pathlib import Path as LocalPath
from cog import BaseRunner, Path

class Runner(BaseRunner):
    def run(self, name: str) -> Path:
        path = LocalPath(os.fsdecode(name.encode("latin-1")))
        path.write_text("content")
        return Path(path)
"""


def test_three_hundred_megabytes_of_logs(server: StokerServer, pushed: Pushed):
    with server.client() as client:
        version = pushed("many_logs")
        with grows_less_than(server, 100 * MIB):
            flooded = run(client, version, {"size_bytes": 300_000_000})
        assert (flooded["status"], flooded["output"]) == ("succeeded", 300_000_000)
        assert len(flooded["logs"]) < 5 * MIB
        assert "the rest is left out" in flooded["logs"][-100:]
        next_one = run(client, version, {"size_bytes": 500})
        assert next_one["logs"] == ("x" * 99 + "\n") * 5


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("custom class", "JSON cannot hold"),
        ("custom class inside", "JSON cannot hold"),
        ("bytes", "JSON cannot hold"),
        ("nan", "JSON cannot hold"),
        ("infinity", "JSON cannot hold"),
        ("lone surrogate", "not valid Unicode"),
        ("missing file", "does not exist"),
    ],
)
def test_an_output_that_is_no_json(server: StokerServer, pushed: Pushed, kind: str, words: str):
    with server.client() as client:
        failed = run(client, pushed("output_values"), {"kind": kind})
        assert (failed["status"], failed["output"]) == ("failed", None)
        assert words in failed["error"]
        assert run(client, pushed("output_values"), {"kind": "int"})["output"] == 7


def test_a_stream_that_never_ends_is_ended_at_the_limit(start_server: StartServer):
    """A million words of one letter take more memory as words than as text; neither may pass the limit."""
    server = start_server(STOKER_OUTPUT_LIMIT_BYTES=str(32 * MIB))
    version = server.push(MODELS / "endless", "local/endless")
    with server.client() as client:
        with grows_less_than(server, 150 * MIB):
            failed = run(client, version, {"word": "a"})
        assert failed["status"] == "failed"
        assert "larger than this server allows" in failed["error"]
        assert failed["output"][:2] == ["a", "a"]
        stream = client.get(failed["urls"]["stream"], headers={"accept": "text/event-stream"})
        assert stream.text.endswith('data: {"reason":"error"}\n\n')


def test_a_stream_that_never_ends_can_be_cancelled(server: StokerServer, pushed: Pushed):
    with server.client() as client:
        made = create(client, pushed("endless"))
        events(client, made["urls"]["stream"], most=1000)
        assert client.post(made["urls"]["cancel"]).json()["status"] == "canceled"
        again = create(client, pushed("endless"), {"word": "next "})
        assert events(client, again["urls"]["stream"], most=1)[0]["data"] == "next "
        client.post(again["urls"]["cancel"])


def test_files_that_are_no_files(server: StokerServer, tmp_path: Path):
    version = server.push(project(tmp_path / "strange", STRANGE), "local/strange")
    with server.client() as client:
        for kind in ("pipe", "device", "folder", "missing", "broken link"):
            failed = run(client, version, {"kind": kind})
            assert failed["status"] == "failed", kind
            assert "thing" in failed["error"], failed["error"]


def test_names_of_files_that_are_hard_to_write(server: StokerServer, tmp_path: Path):
    version = server.push(project(tmp_path / "names", NAMES), "local/names")
    with server.client() as client:
        for name in (
            "a b.txt",
            "50%.txt",
            "quo\"te'.txt",
            "line\nbreak.txt",
            "\xe9\xff.txt",
            "n" * 250 + ".txt",
        ):
            done = run(client, version, {"name": name})
            assert done["status"] == "succeeded", (name, done["error"])
            answer = client.get(done["output"])
            assert (answer.status_code, answer.text) == (200, "content"), name
            assert answer.headers["content-type"].startswith("text/plain")


def test_a_model_that_writes_to_the_protocol_is_ended_and_replaced(server: StokerServer, tmp_path: Path):
    code = """
import os, stat
from cog import BaseRunner

class Runner(BaseRunner):
    def run(self, spoil: bool = False) -> str:
        for name in os.listdir("/proc/self/fd") if spoil else ():
            try:
                if stat.S_ISSOCK(os.stat(f"/proc/self/fd/{name}").st_mode):
                    os.write(int(name), b"\\xff" * 100)
            except OSError:
                pass
        return "ok"
"""
    version = server.push(project(tmp_path / "spoiler", code), "local/spoiler")
    with server.client() as client:
        failed = run(client, version, {"spoil": True})
        assert failed["status"] == "failed"
        assert run(client, version)["output"] == "ok"


def test_a_list_of_large_outputs_comes_in_smaller_pages(server: StokerServer, pushed: Pushed):
    with server.client() as client:
        ids = [run(client, pushed("big_output"), {"size_bytes": 25_000_000})["id"] for _ in range(4)]
        with grows_less_than(server, 250 * MIB):
            first = client.get("/v1/predictions")
            assert len(first.content) < 60_000_000
            second = client.get(first.json()["next"])
        listed = [prediction["id"] for page in (first, second) for prediction in page.json()["results"]]
        assert listed[:4] == ids[::-1]


def test_a_prediction_that_takes_too_long(start_server: StartServer):
    server = start_server(STOKER_RUN_TIMEOUT_S="1")
    version = server.push(MODELS / "sleeper", "local/sleeper")
    with server.client() as client:
        late = create(client, version, {"seconds": 600})["id"]
        when(client, late, lambda p: "left" in p["logs"])
        failed = ended(client, late)
        assert failed["status"] == "failed"
        assert "timed out after 1 seconds" in failed["error"]
        assert run(client, version, {"seconds": 0})["status"] == "succeeded"
