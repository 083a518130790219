"""HOME of a model: what the build's commands left there is seen, and what a model writes stays its own."""

from pathlib import Path

from tests.conftest import StartServer
from tests.scenarios.api import run
from tests.scenarios.machine import project

YAML = """
build:
  python_version: "3.11"
  run:
    - mkdir -p ~/.cache/words/blobs && echo built > ~/.cache/words/blobs/small
    - ln -s blobs/small ~/.cache/words/latest
    - head -c 2000000 /dev/zero > ~/.cache/words/large
run: run.py:Runner
"""

CODE = """
from pathlib import Path

from cog import BaseRunner

CACHE = Path.home() / ".cache" / "words"
AT_IMPORT = (CACHE / "latest").read_text()


class Runner(BaseRunner):
    def setup(self) -> None:
        self.found = sorted(path.name for path in CACHE.iterdir())

    def run(self, write: str = "") -> dict:
        said = {
            "found": self.found,
            "words": (CACHE / "latest").read_text(),
            "large": (CACHE / "large").stat().st_size,
            "at import": AT_IMPORT,
        }
        if write:
            (CACHE / "latest").write_text(write)
            (CACHE / "new").touch()
        return said
"""


def test_what_the_build_left_at_home_is_there_and_stays_as_it_was(start_server: StartServer, tmp_path: Path):
    server = start_server()
    version = server.push(project(tmp_path / "project", CODE, yaml=YAML), "local/home")
    built = {
        "found": ["blobs", "large", "latest"],
        "words": "built\n",
        "large": 2_000_000,
        "at import": "built\n",
    }
    with server.client() as client:
        assert run(client, version, {"write": "mine"})["output"] == built
        again = run(client, version)["output"]
        assert again["words"] == "mine", "the same instance has the same home"
    server.stop()
    server.start()
    with server.client() as client:
        assert run(client, version)["output"] == built
