"""salesforce/blip-2 on a real server with a tiny checkpoint, asked by the published client; and its parts.

The weights are random: the words are nonsense, but they depend on the picture and on what is asked.
"""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import replicate

from tests.catalog.conftest import Added
from tests.catalog.things import MODELS, PYTHON, WITHIN_S, Lab, environment
from tests.scenarios import api
from tests.servers import TOKEN, StokerServer

NAME = "salesforce/blip-2"
PUBLISHED = "4b32258c42e9efd4288bb9910bc532a69727f9acd26aa08e175713a0a857a608"
SURFACES = Path(__file__).parents[2] / "../shared/reference/model-surfaces.json"
RED, GREEN, BLUE, BLACK, WHITE = [255, 0, 0], [0, 255, 0], [0, 0, 255], [0, 0, 0], [255, 255, 255]
QUARTERS = [RED, BLUE, GREEN, BLACK]

Look = Callable[..., str]


@pytest.fixture(scope="module")
def version(added: Added) -> str:
    return added("blip2", NAME)


@pytest.fixture
def client(server: StokerServer) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    opened = Lab("blip-2", "blip2_lab", tmp_path_factory.mktemp("lab") / "log")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def pictures(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    lab("make", folder=str(folder))
    return folder


@pytest.fixture(scope="module")
def look(server: StokerServer, version: str, pictures: Path) -> Iterator[Look]:
    """``look("circle.png", question="...")``: what is said."""
    stock = replicate.Client(api_token=TOKEN, base_url=server.base_url)

    def run(name: str, *, model: str = f"{NAME}:{version}", **given: Any) -> str:
        with (pictures / name).open("rb") as image:
            return stock.run(model, input={"image": image, **given})

    yield run
    stock._client.close()


@pytest.fixture(scope="module")
def opt(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A checkpoint with the other kind of language model."""
    folder = tmp_path_factory.mktemp("opt")
    code = "import pathlib, sys, blip2; blip2.make(pathlib.Path(sys.argv[1]), language_model='opt')"
    done = subprocess.run(
        [PYTHON, "-c", code, folder],
        env=environment() | {"PYTHONPATH": os.fspath(MODELS / "tiny")},
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
    )
    assert done.returncode == 0, done.stderr
    return str(folder)


def test_the_surface_is_the_published_one(client: httpx.Client, version: str) -> None:
    published = json.loads(SURFACES.read_text())[NAME]
    document = client.get(f"/v1/models/{NAME}/versions/{version}").json()["openapi_schema"]
    schemas = document["components"]["schemas"]
    ours = schemas["Input"]["properties"]
    assert sorted(ours, key=lambda name: ours[name]["x-order"]) == list(published["input"])
    for name, wanted in published["input"].items():
        shown = {
            key: value for key, value in ours[name].items() if key not in ("title", "description", "x-order")
        }
        assert shown == {key: value for key, value in wanted.items() if key != "note"}, name
        assert ours[name]["description"], name
    assert schemas["Input"]["required"] == published["required"]
    assert {key: value for key, value in schemas["Output"].items() if key != "title"} == published["output"]


def test_pictures_have_captions_of_their_own(look: Look) -> None:
    one, other = look("circle.png", caption=True), look("plain.png", caption=True)
    assert one.strip() and other.strip()
    assert one != other
    assert look("circle.png", caption=True) == one
    assert look("circle.png", caption=True, question="Why?", context="Question: a? Answer: b.") == one
    assert look("plain.webp", caption=True) == other, "the same points in another kind of file"


def test_what_is_asked_matters(look: Look) -> None:
    usual = look("circle.png")
    assert usual == look("circle.png", question="What is this a picture of?")
    answers = {
        usual,
        look("circle.png", caption=True),
        look("circle.png", question="How many circles are there?"),
        look("circle.png", context="Question: is it round? Answer: yes."),
        look("plain.png"),
    }
    assert len(answers) == 5


def test_words_by_chance(look: Look) -> None:
    drawn = {look("circle.png", use_nucleus_sampling=True, temperature=1) for _ in range(3)}
    assert len(drawn) > 1
    assert look("circle.png", temperature=0.5) == look("circle.png"), "it counts with nucleus sampling alone"


def test_what_is_no_picture_is_refused(client: httpx.Client, version: str, pictures: Path) -> None:
    whole = (pictures / "plain.png").read_bytes()
    for content, words in (
        (b"These are words.", "This is no picture: the file is of no known kind."),
        (whole[: len(whole) // 2], "The picture is damaged"),
        (b"", "This is no picture: the file is of no known kind."),
    ):
        sent = client.post("/v1/files", files={"content": ("picture.png", content, "image/png")})
        ended = api.run(client, version, {"image": sent.json()["urls"]["get"]})
        assert ended["status"] == "failed"
        assert ended["error"].startswith(words)


def test_too_much_to_read_is_refused(look: Look) -> None:
    with pytest.raises(
        replicate.exceptions.ModelError, match="Question and context are too long: with the picture"
    ):
        look("circle.png", context="Question: why? Answer: so. " * 400)
    assert look("circle.png")


def test_a_temperature_out_of_bounds_is_refused(client: httpx.Client, version: str) -> None:
    for temperature in (0.4, 1.1):
        given = {"image": "data:image/png;base64,", "temperature": temperature}
        answer = client.post("/v1/predictions", json={"version": version, "input": given})
        assert answer.status_code == 422


@pytest.mark.parametrize("name", [NAME, "andreasjansson/blip-2"])
def test_the_published_id_is_this_model_under_both_names(look: Look, name: str) -> None:
    answer = look("circle.png", model=f"{name}:{PUBLISHED}", question="What objects are in this image?")
    assert answer == look("circle.png", question="What objects are in this image?")


def test_without_weights_it_says_so(lab: Lab) -> None:
    needed = "STOKER_CHECKPOINT is not set: this model needs a folder with BLIP-2's weights"
    assert lab("without_weights").startswith(needed)


def test_weights_of_another_model_are_refused(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "llama"}')
    refused = lab("other_weights", folder=str(tmp_path))
    assert refused == f"{tmp_path} holds no BLIP-2 weights: its config.json says model_type llama."


@pytest.mark.parametrize(
    ("name", "size", "corners"),
    [
        ("plain.png", [60, 40], QUARTERS),
        ("palette.png", [60, 40], QUARTERS),
        ("print.jpg", [60, 40], QUARTERS),
        ("moving.gif", [60, 40], QUARTERS),
        ("turned.jpg", [40, 60], [GREEN, RED, BLACK, BLUE]),
        ("see_through.png", [60, 40], [RED, WHITE, GREEN, BLACK]),
        ("hole.png", [60, 40], [RED, WHITE, GREEN, BLACK]),
        ("grey.png", [60, 40], [[76] * 3, [29] * 3, [150] * 3, BLACK]),
        ("ink.png", [60, 40], [BLACK, BLACK, WHITE, BLACK]),
        ("deep_grey.png", [60, 40], [WHITE, [1] * 3, [127] * 3, BLACK]),
        ("point.png", [1, 1], [RED] * 4),
    ],
)
def test_every_kind_is_seen_as_a_viewer_shows_it(
    lab: Lab, pictures: Path, name: str, size: list[int], corners: list[list[int]]
) -> None:
    mode, shown, found = lab("seen", path=str(pictures / name))
    assert (mode, shown) == ("RGB", size)
    for colour, wanted in zip(found, corners, strict=True):
        assert colour == pytest.approx(wanted, abs=4), "jpeg is not exact"


def test_a_picture_that_would_fill_the_memory_is_refused(lab: Lab, pictures: Path) -> None:
    assert lab("seen", path=str(pictures / "huge.png")).startswith("The picture is too large")


def test_questions_have_the_form_that_it_was_taught(lab: Lab) -> None:
    assert lab("asked", question=" Who? ", context="") == "Question: Who? Answer:"
    context = "Question: What? Answer: a dog."
    assert lab("asked", question="Who?", context=f"{context} ") == f"{context} Question: Who? Answer:"


def test_a_language_model_that_only_goes_on_gives_the_answer_alone(
    lab: Lab, opt: str, pictures: Path
) -> None:
    def says(words: str, name: str = "circle.png") -> str:
        return lab("says", checkpoint=opt, path=str(pictures / name), words=words)

    question = "Question: Who? Answer:"
    answers = {says(""), says(question), says("Question: Why? Answer:"), says(question, "plain.png")}
    assert len(answers) == 4
    assert all(answer and "Question" not in answer for answer in answers)
    assert says("so " * 300).startswith(
        "refused: Question and context are too long: with the picture they have "
    )
