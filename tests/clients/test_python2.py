"""The published ``replicate`` 2.0.0b4, in an environment of its own (it has 1.0.7's import name)."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.clients.stories import MODELS, paged, stocked, tell
from tests.conftest import MODELS as MODELS_FOLDER
from tests.conftest import Pushed
from tests.servers import StokerServer

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv" / "client2" / "bin" / "python"

STORIES: dict[str, Any] = {
    "run": ["hello", "named", "Once upon a"],
    "use": ["used", "Once upon a"],
    "longer_than_the_wait": "ran to its end",
    "stream": "Once upon a time\n",
    "background": ["succeeded", "back", True, True],
    "cancel": "canceled",
    "files_api": [10, {"about": "test"}, True],
    "errors": ["UnprocessableEntityError", "NotFoundError", "AuthenticationError", "ModelError"],
    "deployments": ["deployed", "local/python2", [1, 2], 409],
    "account": ["local", True],
    "download": ["some bytes", True],
    "asynchronous": ["0", "1", "2", "3"],
    "trainings": ["succeeded", "learned.txthi!", "canceled", True, True],
}


def play(server: StokerServer, pushed: Pushed, story: str, *, v1: bool) -> Any:
    pushed("training")
    versions = [pushed(model) for model in MODELS]
    command = [PYTHON, Path(__file__).with_name("python2_story.py"), story, *versions]
    return tell(command, server.variables(v1=v1))


@pytest.mark.parametrize("story", STORIES)
def test_story(server: StokerServer, pushed: Pushed, story: str):
    assert play(server, pushed, story, v1=True) == STORIES[story]


def test_collections_search_examples_and_published_ids(server: StokerServer, pushed: Pushed):
    stocked(server, pushed("empty"))
    found = play(server, pushed, "catalogue", v1=True)
    one = ["empty"]
    assert found == ["cpu", True, one, one, one, True, True, "", "kept", True, "pinned", "used"]


def test_a_model_of_ones_own_is_changed_and_deleted(server: StokerServer, pushed: Pushed):
    server.push(MODELS_FOLDER / "empty", "local/discarded-by-python2")
    told = ["Goes away", "https://g.example/", "https://p.example/"]
    gone = "The requested resource could not be found."
    assert play(server, pushed, "own_models", v1=True) == [told, True, "used", gone]


def test_pages_and_dates(server: StokerServer, pushed: Pushed):
    paged(server, pushed("empty"))
    assert play(server, pushed, "pages", v1=True) == [True, True, True, True]


def test_a_base_url_without_v1_works_too(server: StokerServer, pushed: Pushed):
    """Gotcha 20."""
    assert play(server, pushed, "run", v1=False) == STORIES["run"]


def test_a_file_goes_in_and_another_comes_out(server: StokerServer, pushed: Pushed):
    url = play(server, pushed, "file_in_and_out", v1=True)
    assert httpx.get(url).content == b"desserts"
