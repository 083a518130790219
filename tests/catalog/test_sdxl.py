"""stability-ai/sdxl on a real server with a tiny checkpoint, asked by the published client."""

import base64
import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import replicate
from replicate.exceptions import ModelError

from tests.catalog.conftest import Added, Tiny
from tests.catalog.things import MODELS, Lab
from tests.scenarios import api
from tests.servers import TOKEN, StokerServer

NAME = "stability-ai/sdxl"
SURFACES = Path(__file__).parents[2] / "../shared/reference/model-surfaces.json"
QUICK = {"prompt": "a lighthouse", "width": 64, "height": 64, "num_inference_steps": 3, "seed": 1}
PUBLISHED = [
    "7762fd07cf82c948538e41f63f77d685e02b063e37e496e96eefd46c929f9bdc",
    "39ed52f2a78e934b3ba6e2a89f5b1c712de7dfea535525255b1aa35c5565e08b",
]
LOADED = "Loaded trained weights"

TRAIN = """
import shutil
from cog import BaseModel, Path

class Trained(BaseModel):
    weights: Path

def train(lora: Path) -> Trained:
    return Trained(weights=Path(shutil.copy(lora, "weights.tar")))
"""


class Studio:
    """The model, asked by the stock client; pictures are texts in base64, as the lab has them."""

    def __init__(self, client: replicate.Client, version: str, name: str = NAME):
        self.version = version
        self.client = client
        self._reference = f"{name}:{version}"

    def ask(self, **given: Any) -> Any:
        """The prediction, in its final state."""
        prediction = self.client.predictions.create(version=self.version, input=QUICK | given)
        prediction.wait()
        return prediction

    def many(self, **given: Any) -> list[str]:
        outputs = self.client.run(self._reference, input=QUICK | given)
        return [fetched(link) for link in outputs]

    def one(self, **given: Any) -> str:
        (picture,) = self.many(**given)
        return picture

    def refusal(self, **given: Any) -> str:
        with pytest.raises(ModelError) as failed:
            self.many(**given)
        return str(failed.value)


@pytest.fixture(scope="module")
def version(added: Added) -> str:
    return added("sdxl", NAME)


@pytest.fixture(scope="module")
def stock(server: StokerServer) -> Iterator[replicate.Client]:
    made = replicate.Client(api_token=TOKEN, base_url=server.base_url)
    yield made
    made._client.close()


@pytest.fixture(scope="module")
def studio(stock: replicate.Client, version: str) -> Studio:
    return Studio(stock, version)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    lab = Lab("sdxl", "sdxl_lab", tmp_path_factory.mktemp("lab") / "sdxl.log")
    yield lab
    lab.close()


@pytest.fixture
def client(server: StokerServer) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


def fetched(link: str) -> str:
    """The picture behind a link; links of a server without TLS stay plain text in the stock client."""
    return base64.b64encode(httpx.get(link).raise_for_status().content).decode()


def file_of(picture: str) -> io.BytesIO:
    return io.BytesIO(base64.b64decode(picture))


def uri_of(content: str) -> str:
    return f"data:application/octet-stream;base64,{content}"


def test_the_surface_is_the_published_one(client: httpx.Client, version: str) -> None:
    published = json.loads(SURFACES.read_text())[NAME]
    document = client.get(f"/v1/models/{NAME}/versions/{version}").json()["openapi_schema"]
    schemas = document["components"]["schemas"]
    ours = schemas["Input"]["properties"]
    assert all(ours[name].pop("description") for name in ours)
    assert ours == published["input"]
    assert schemas["Input"].get("required", []) == published["required"]
    assert schemas["Output"] == published["output"]
    assert {name: schemas[name]["enum"] for name in published["enums"]} == published["enums"]


def test_each_scheduler_makes_another_picture_and_a_seed_the_same(studio: Studio, version: str) -> None:
    names = json.loads(SURFACES.read_text())[NAME]["enums"]["scheduler"]
    pictures = {name: studio.one(scheduler=name) for name in names}
    assert len(set(pictures.values())) == 7
    assert studio.one() == pictures["K_EULER"]
    assert studio.one(seed=2) != pictures["K_EULER"]


@pytest.mark.parametrize("id", PUBLISHED)
def test_code_pinned_to_the_published_version_runs(studio: Studio, id: str) -> None:
    (link,) = studio.client.run(f"{NAME}:{id}", input=QUICK)
    assert fetched(link) == studio.one()


def test_words_make_the_picture(studio: Studio) -> None:
    pictures = [studio.one(), studio.one(prompt="a cat"), studio.one(negative_prompt="a cat")]
    assert len(set(pictures)) == 3


def test_without_a_seed_the_log_tells_which_was_taken(studio: Studio) -> None:
    given = {name: value for name, value in QUICK.items() if name != "seed"}
    first, second = (studio.client.predictions.create(version=studio.version, input=given) for _ in range(2))
    first.wait(), second.wait()
    seeds = [int(one.logs.split("Using seed: ")[1].split()[0]) for one in (first, second)]
    assert seeds[0] != seeds[1]
    assert first.output is not None and second.output is not None
    again = studio.ask(seed=seeds[0])
    assert fetched(again.output[0]) == fetched(first.output[0])


def test_several_pictures_are_those_of_the_seeds_that_follow(studio: Studio, lab: Lab) -> None:
    prediction = studio.ask(num_outputs=3)
    assert prediction.metrics["image_count"] == 3
    several = [fetched(link) for link in prediction.output]
    assert len(set(several)) == 3
    # Rounding depends on how many are computed together.
    assert lab("difference", one=several[2], other=studio.one(seed=3))["white"] <= 3


def test_the_size_asked_for(studio: Studio, lab: Lab) -> None:
    assert lab("size", data=studio.one(width=72, height=40)) == [72, 40]


def test_progress_is_told_as_clients_read_it(studio: Studio) -> None:
    progress = studio.ask().progress
    assert (progress.current, progress.total, progress.percentage) == (3, 3, 1.0)


def test_from_a_picture(studio: Studio, lab: Lab) -> None:
    source = lab("picture", width=80, height=56)
    weak, strong = (studio.one(image=file_of(source), prompt_strength=part) for part in (0.4, 1.0))
    assert lab("size", data=weak) == [80, 56]
    assert weak != strong
    other = lab("picture", width=80, height=56, colour="green")
    assert studio.one(image=file_of(other), prompt_strength=0.4) != weak


def test_what_is_outside_of_the_mask_stays(studio: Studio, lab: Lab) -> None:
    source = lab("picture", width=64, height=64)
    mask = lab("picture", width=64, height=64, colour="black", spot=24)
    for refine in ("no_refiner", "base_image_refiner"):
        given = {"refine": refine, "num_inference_steps": 5, "apply_watermark": False}
        made = studio.one(image=file_of(source), mask=file_of(mask), **given)
        apart = lab("difference", one=made, other=source, mask=mask)
        assert apart["black"] == 0
        assert apart["white"] > 50


def test_the_refiner_takes_part(studio: Studio) -> None:
    def steps(prediction: Any) -> list[str]:
        lines = [line for line in prediction.logs.split("\n") if "100%" in line]
        return list(dict.fromkeys(line.rsplit("| ", 1)[1].split(" ")[0] for line in lines))

    plain = studio.ask(num_inference_steps=10)
    expert = studio.ask(num_inference_steps=10, refine="expert_ensemble_refiner", high_noise_frac=0.6)
    whole = studio.ask(num_inference_steps=10, refine="base_image_refiner", refine_steps=20)
    assert [steps(one) for one in (plain, expert, whole)] == [["10/10"], ["6/6", "4/4"], ["10/10", "6/6"]]
    assert len({fetched(one.output[0]) for one in (plain, expert, whole)}) == 3


def test_the_watermark_is_there_and_can_be_left_out(studio: Studio, lab: Lab) -> None:
    # Untrained weights make noise, much of it pure white, which holds nothing: it takes many copies.
    large = {"width": 512, "height": 512, "num_inference_steps": 1}
    marked, plain = (studio.one(apply_watermark=apply, **large) for apply in (True, False))
    assert [lab("is_marked", data=marked), lab("is_marked", data=plain)] == [True, False]
    assert 0 < lab("difference", one=marked, other=plain)["white"] < 80


def test_trained_weights_work_as_strongly_as_asked_and_leave_nothing(studio: Studio, lab: Lab) -> None:
    plain = studio.one()
    weights = {form: uri_of(lab("lora", seed=1, form=form)) for form in ("peft", "processor", "kohya")}
    pictures = {form: studio.one(replicate_weights=link) for form, link in weights.items()}
    assert len(set(pictures.values())) == 1
    weak = studio.one(replicate_weights=weights["peft"], lora_scale=0.2)
    assert len({plain, weak, pictures["peft"]}) == 3
    assert studio.one(replicate_weights=weights["peft"], lora_scale=0) == plain
    assert studio.one() == plain


def test_the_same_weights_are_loaded_once(studio: Studio, lab: Lab) -> None:
    link = uri_of(lab("lora", seed=2))
    logs = [studio.ask(replicate_weights=link).logs for _ in range(3)]
    assert [LOADED in log for log in logs] == [True, False, False]


def test_words_that_a_training_has_learned(studio: Studio, lab: Lab) -> None:
    trainings = [uri_of(lab("training", seed=seed)) for seed in range(6)]
    first = studio.one(prompt="a photo of TOK", replicate_weights=trainings[0])
    assert first != studio.one(prompt="a photo of it", replicate_weights=trainings[0])
    wordless = uri_of(lab("training", seed=0, without="embeddings.pti"))
    assert first != studio.one(prompt="a photo of TOK", replicate_weights=wordless)
    # More than are kept at a time, and all of them call their words the same.
    pictures = [studio.one(prompt="a photo of TOK", replicate_weights=one) for one in trainings]
    assert len(set(pictures)) == len(trainings)
    assert pictures[0] == first == studio.one(prompt="a photo of TOK", replicate_weights=trainings[0])


def test_trained_weights_by_link(
    server: StokerServer, studio: Studio, client: httpx.Client, lab: Lab
) -> None:
    content = lab("lora", seed=1)
    file = client.post("/v1/files", files={"content": ("lora.safetensors", file_of(content))}).json()
    assert studio.one(replicate_weights=file["urls"]["get"]) == studio.one(replicate_weights=uri_of(content))


@pytest.mark.parametrize(
    ("link", "words"),
    [
        ("file:///etc/passwd", "a link that begins with https://"),
        ("/etc/passwd", "a link that begins with https://"),
        ("http://169.254.169.254/latest", "private address"),
        ("http://127.0.0.1:1/lora", "cannot fetch it"),
        ("data:;base64,AAAA", "neither a safetensors file nor a tar"),
        ("data:;base64,A", "not a valid data URI"),
    ],
)
def test_weights_that_cannot_be_had(studio: Studio, link: str, words: str) -> None:
    refusal = studio.refusal(replicate_weights=link)
    assert refusal.startswith("replicate_weights cannot be used: ")
    assert words in refusal


def test_weights_that_do_not_fit_leave_nothing_behind(studio: Studio, lab: Lab) -> None:
    good = uri_of(lab("training", seed=9))
    plain, trained = studio.one(), studio.one(prompt="TOK", replicate_weights=good)
    for bad, words in [
        (lab("lora", seed=1, width=32), "size mismatch"),
        (lab("training", seed=1, without="lora.safetensors"), "no lora.safetensors"),
        (lab("training", seed=1, words=0), "no learned words"),
    ]:
        assert words in studio.refusal(replicate_weights=uri_of(bad))
        assert studio.one() == plain
        assert studio.one(prompt="TOK", replicate_weights=good) == trained


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"width": 65}, "width must be a multiple of 8"),
        ({"height": 0}, "height must be a multiple of 8"),
        ({"height": 8192}, "height must be a multiple of 8 from 8 to 4096"),
        ({"seed": 2**64}, "does not fit into 64 bits"),
        ({"refine": "base_image_refiner", "refine_steps": 2}, "raise refine_steps"),
        ({"refine": "base_image_refiner"}, "raise num_inference_steps"),
        ({"refine": "expert_ensemble_refiner", "high_noise_frac": 0}, "leaves the base model no step"),
    ],
)
def test_orders_that_cannot_be_carried_out(studio: Studio, given: dict[str, Any], words: str) -> None:
    assert words in studio.refusal(**given)


def test_pictures_that_cannot_be_used(studio: Studio, lab: Lab) -> None:
    picture = lab("picture", width=64, height=64)
    assert "a mask needs an image" in studio.refusal(mask=file_of(picture))
    assert "image is not a picture" in studio.refusal(image=io.BytesIO(b"no picture"))
    assert "mask is not a picture" in studio.refusal(image=file_of(picture), mask=io.BytesIO(b"no picture"))
    assert "raise prompt_strength" in studio.refusal(image=file_of(picture), prompt_strength=0.1)


def test_what_the_safety_checker_objects_to_is_not_given(studio: Studio, lab: Lab) -> None:
    """The tiny one objects to red."""
    red = lab("picture", width=64, height=64, colour="red")
    mask = lab("picture", width=64, height=64, colour="black", spot=2)

    def ask(**given: Any) -> str:
        return studio.one(image=file_of(red), mask=file_of(mask), **given)

    with pytest.raises(ModelError, match="NSFW"):
        ask()
    assert lab("size", data=ask(disable_safety_checker=True)) == [64, 64]


def test_a_cancel_takes_effect_within_a_step(client: httpx.Client, studio: Studio) -> None:
    before = studio.one()
    running = api.create(client, studio.version, QUICK | {"num_inference_steps": 500})
    api.when(client, running["id"], lambda prediction: "/500 [" in (prediction["logs"] or ""))
    client.post(f"/v1/predictions/{running['id']}/cancel")
    canceled = api.ended(client, running["id"])
    assert (canceled["status"], canceled["output"]) == ("canceled", None)
    assert "100%" not in canceled["logs"]
    assert studio.one() == before


@pytest.fixture(scope="module")
def trained(
    server: StokerServer,
    stock: replicate.Client,
    tiny: Tiny,
    lab: Lab,
    tmp_path_factory: pytest.TempPathFactory,
) -> Studio:
    """A version that a training made, with a checkpoint of nothing but a base model in half precision."""
    root = tmp_path_factory.mktemp("trainable")
    checkpoint = root / "checkpoint"
    lab("bare", checkpoint=str(tiny("sdxl")), folder=str(checkpoint))
    catalogue = trainable(root / "catalogue")
    added = server.stoker(
        *("catalog", "add", "local/trainable-sdxl", "--weights", str(checkpoint), "--from", str(catalogue))
    )
    assert added.returncode == 0, added.stderr
    base = added.stdout.split()[-1]
    with server.client() as client:
        client.post(
            "/v1/models",
            json={"owner": "local", "name": "trained-sdxl", "visibility": "private", "hardware": "cpu"},
        )
        training = client.post(
            f"/v1/models/local/trainable-sdxl/versions/{base}/trainings",
            json={"destination": "local/trained-sdxl", "input": {"lora": uri_of(lab("training", seed=1))}},
        ).json()
        for _ in range(100_000):
            training = client.get(f"/v1/trainings/{training['id']}").json()
            if training["status"] in api.FINAL:
                break
        assert training["status"] == "succeeded", training
    return Studio(stock, training["output"]["version"].split(":")[1], name="local/trained-sdxl")


def trainable(catalogue: Path) -> Path:
    """A catalogue with a model that is the same but for a training, which gives what it is given."""
    folder = catalogue / "sdxl"
    shutil.copytree(MODELS / "sdxl", folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "train.py").write_text(TRAIN)
    config = folder / "cog.yaml"
    config.write_text(config.read_text() + "train: train.py:train\n")
    about = {"title": "t", "description": "d", "names": ["local/trainable-sdxl"]}
    (folder / "catalog.toml").write_text(
        "".join(f"{key} = {json.dumps(value)}\n" for key, value in about.items())
    )
    return catalogue


def test_a_trained_version_has_its_weights_on(trained: Studio) -> None:
    prediction = trained.ask(prompt="TOK")
    assert prediction.status == "succeeded", prediction.error
    assert trained.one(prompt="TOK", lora_scale=0.6) == trained.one(prompt="TOK")
    assert len({trained.one(prompt="TOK"), trained.one(prompt="TOK", lora_scale=0), trained.one()}) == 3


def test_without_a_refiner_its_modes_are_refused(trained: Studio) -> None:
    for mode in ("expert_ensemble_refiner", "base_image_refiner"):
        assert f"{mode} needs the refiner's weights" in trained.refusal(refine=mode)


def test_without_a_safety_checker_pictures_are_given_unseen(trained: Studio, lab: Lab) -> None:
    red = lab("picture", width=64, height=64, colour="red")
    mask = lab("picture", width=64, height=64, colour="black", spot=2)
    assert lab("size", data=trained.one(image=file_of(red), mask=file_of(mask))) == [64, 64]


def test_without_weights_it_says_what_to_do(lab: Lab) -> None:
    assert "`stoker catalog add stability-ai/sdxl --weights DIR-or-hub-id`" in lab("without_weights")
