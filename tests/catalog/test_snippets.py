"""The article's code, unedited: its snippets run against a real server that has the catalogue's models.

They are for version 1 of the published client (version 2 knows no ``predictions.create(model=...)``), which
is told by its environment alone where to go. The weights are tiny, so the words are noise; where they come
from and in which shape is as with the real ones.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.catalog.conftest import Added
from tests.catalog.speech import SENTENCE, say
from tests.catalog.things import ROOT, WITHIN_S
from tests.scenarios import api
from tests.servers import StokerServer
from tests.web_server import Web

SNIPPETS = ROOT / "../shared/reference/article-snippets.py"
STORY = Path(__file__).with_name("snippets_story.py")
LLAMA, SDXL = "meta/meta-llama-3.1-70b-instruct", "stability-ai/sdxl"
WHISPER, BLIP2 = "openai/whisper", "salesforce/blip-2"
BLIP2_ID = "4b32258c42e9efd4288bb9910bc532a69727f9acd26aa08e175713a0a857a608"


@pytest.fixture(scope="module")
def versions(added: Added) -> dict[str, str]:
    models = {"llama": LLAMA, "sdxl": SDXL, "whisper": WHISPER, "blip2": BLIP2}
    return {name: added(model, name) for model, name in models.items()}


@pytest.fixture
def client(server: StokerServer) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("picture") / "stripes.ppm"
    path.write_bytes(b"P6 60 40 255 " + bytes((255, 0, 0, 0, 0, 255)) * (60 * 40 // 2))
    return path


@pytest.fixture
def web() -> Iterator[Web]:
    with Web() as running:
        yield running


def play(server: StokerServer, *arguments: str | Path) -> dict[str, Any]:
    """What the snippets gave, in a process of their own."""
    done = subprocess.run(
        [sys.executable, STORY, SNIPPETS, *arguments],
        env=os.environ | server.variables(),
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def size(png: bytes) -> tuple[int, int]:
    return int.from_bytes(png[16:20]), int.from_bytes(png[20:24])


def test_the_articles_snippets_run_as_they_are(
    server: StokerServer,
    client: httpx.Client,
    versions: dict[str, str],
    picture: Path,
    web: Web,
    tmp_path: Path,
) -> None:
    before = {one["id"] for one in client.get("/v1/predictions").json()["results"]}
    speech = say(SENTENCE, tmp_path / "speech.wav")
    told = play(server, speech, picture, f"{web.url}/hook")
    (post,) = web.await_posts(1)
    listed = [one for one in client.get("/v1/predictions").json()["results"] if one["id"] not in before]
    made = [api.get(client, one["id"]) for one in reversed(listed)]

    ran = [LLAMA, LLAMA, SDXL, WHISPER, BLIP2, LLAMA, LLAMA]
    assert [(one["status"], one["version"]) for one in made] == [
        ("succeeded", versions[name]) for name in ran
    ]
    stream, text, image, transcript, answer, background, hooked = (one["output"] for one in made)
    # An event's text has one kind of line break, whichever of all kinds the noise has.
    assert told["stream"].split() == "".join(stream).split() != []
    assert told["text"] == "".join(text) != ""
    assert told["background"] == "".join(background) != ""
    assert [told["picture"]] == image
    assert size(httpx.get(told["picture"]).content) == (1024, 1024)
    assert told["speech"] == transcript["transcription"] != ""
    assert told["vision"] == answer != ""
    assert told["with_webhook"] == made[-1]["id"]
    assert (json.loads(post.body)["id"], json.loads(post.body)["output"]) == (told["with_webhook"], hooked)


@pytest.mark.parametrize("published", [f"andreasjansson/blip-2:{BLIP2_ID}", "andreasjansson/blip-2"])
def test_blip2_runs_under_its_other_name(
    client: httpx.Client, versions: dict[str, str], picture: Path, published: str
) -> None:
    file = client.post("/v1/files", files={"content": (picture.name, picture.read_bytes())}).json()
    asked = {"image": file["urls"]["get"], "question": "What objects are in this image?"}
    one, same = (api.run(client, name, asked) for name in (published, versions[BLIP2]))
    assert (one["status"], one["version"]) == ("succeeded", versions[BLIP2])
    assert one["output"] == same["output"] != ""
