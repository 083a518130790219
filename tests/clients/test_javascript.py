"""The published npm package ``replicate`` 1.4.0, unmodified, run by Node."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.clients.stories import MODELS, paged, stocked, tell
from tests.conftest import Pushed
from tests.servers import StokerServer

HERE = Path(__file__).parent
CLIENT = HERE / "js" / "node_modules" / "replicate" / "index.js"

STORIES: dict[str, Any] = {
    "run": ["hello", "named", ["Once", " upon", " a"]],
    "poll": "polled",
    "longerThanTheWait": "ran to its end",
    "stream": ["Once upon a time\n", ["output", "done"]],
    "streamError": '{"detail":"out of words"}',
    "background": ["succeeded", "back", True],
    "cancel": "canceled",
    "abort": "canceled",
    "filesApi": [10, {"about": "test"}, True],
    "errors": [["ApiError", 422], ["ApiError", 404], ["ApiError", 401], "Prediction failed: out of words"],
    "deployments": ["deployed", "local/javascript", [1, 1, 2], True, 409, True],
    "account": ["local", True, [True]],
    "trainings": ["succeeded", "learned.txthi!", "canceled", True, True],
}


def play(server: StokerServer, pushed: Pushed, story: str) -> Any:
    pushed("training")
    versions = [pushed(model) for model in MODELS]
    command = ["node", HERE / "javascript_story.mjs", CLIENT.as_uri(), story, *versions]
    return tell(command, server.variables(v1=True))


@pytest.mark.parametrize("story", STORIES)
def test_story(server: StokerServer, pushed: Pushed, story: str):
    assert play(server, pushed, story) == STORIES[story]


def test_collections_search_examples_and_published_ids(server: StokerServer, pushed: Pushed):
    stocked(server, pushed("empty"))
    found = play(server, pushed, "catalogue")
    assert found == ["cpu", True, ["empty"], ["empty"], True, "kept", True, "pinned", "named"]


def test_pages(server: StokerServer, pushed: Pushed):
    paged(server, pushed("empty"))
    assert play(server, pushed, "pages") == [True, True, True]


def test_a_file_goes_in_and_another_comes_out(server: StokerServer, pushed: Pushed):
    """Over plain http a file output is a string (gotcha 11)."""
    url = play(server, pushed, "fileInAndOut")
    assert httpx.get(url).content == b"desserts"
