"""Fine-tuning Llama on a real server, by the published client: lines in, a version that knows them out."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import replicate

from tests.catalog.conftest import Added, Tiny
from tests.processes import mapping
from tests.scenarios import api
from tests.servers import TOKEN, StokerServer

NAME = "meta/meta-llama-3.1-8b-instruct"
NUMBERS = ("one", "two", "three", "four", "five", "six")
PAIRS = [{"prompt": f"What is {n}?", "completion": f"It is the number {n}."} for n in NUMBERS]
CHATS = [
    {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Who are you?"},
            {"role": "assistant", "content": "A tiny model."},
            {"role": "user", "content": "Who made you?"},
            {"role": "assistant", "content": "A test."},
        ]
    }
]
QUICK = {"num_train_epochs": 60, "learning_rate": 0.01, "lora_dropout": 0, "seed": 1}
PAGE_KB = 4
ENDLESS = {"num_train_epochs": 100_000, "checkpoint_steps": 2}


@pytest.fixture(scope="module")
def base(added: Added) -> str:
    return f"{NAME}:{added('llama', NAME)}"


@pytest.fixture(scope="module")
def stock(server: StokerServer, base: str) -> Iterator[replicate.Client]:
    made = replicate.Client(api_token=TOKEN, base_url=server.base_url)
    connections = made._client
    yield made
    connections.close()


@pytest.fixture
def client(server: StokerServer) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


@pytest.fixture(scope="module")
def tuned(stock: replicate.Client, tmp_path_factory: pytest.TempPathFactory, base: str) -> Any:
    """A training that has learned the pairs."""
    folder = tmp_path_factory.mktemp("lines")
    unseen = [{"text": "What nobody learns."}]
    with lines(folder / "pairs.jsonl", PAIRS) as data, lines(folder / "unseen.jsonl", unseen) as validation:
        begun = begin(stock, base, "tuned", train_data=data, validation_data=validation, **QUICK)
    return waited(stock, begun)


def lines(path: Path, content: list[Any]) -> Any:
    path.write_text("".join(f"{json.dumps(line)}\n" for line in content))
    return path.open("rb")


def begin(stock: replicate.Client, version: str, destination: str, **input: Any) -> Any:
    wanted = {"owner": "local", "name": destination, "visibility": "private", "hardware": "cpu"}
    assert stock._client.post("/v1/models", json=wanted).status_code in (201, 409)
    return stock.trainings.create(version=version, input=input, destination=f"local/{destination}")


def waited(stock: replicate.Client, training: Any) -> Any:
    while training.status not in ("succeeded", "failed", "canceled"):
        training.reload()
    return training


def metrics(client: httpx.Client, training: Any) -> dict[str, Any]:
    return client.get(f"/v1/trainings/{training.id}").json()["metrics"]


def says(client: httpx.Client, version: str, prompt: str, **input: Any) -> str:
    given = {"prompt": prompt, "max_tokens": 24, "temperature": 0, **input}
    ended = api.run(client, version.partition(":")[2], given)
    assert ended["status"] == "succeeded", ended["error"]
    return "".join(ended["output"])


def test_a_version_says_what_it_was_taught(client: httpx.Client, base: str, tuned: Any) -> None:
    assert (tuned.status, tuned.error) == ("succeeded", None)
    for pair in PAIRS:
        assert says(client, tuned.output["version"], pair["prompt"]) == pair["completion"]
        assert says(client, base, pair["prompt"]) != pair["completion"], "the base is as it was"


def test_the_base_answers_with_what_a_training_gave(client: httpx.Client, base: str, tuned: Any) -> None:
    """Beside others, and as the version of its own does."""
    given = {"replicate_weights": tuned.output["weights"]}
    for pair in PAIRS:
        assert says(client, base, pair["prompt"], **given) == pair["completion"]
        assert says(client, base, pair["prompt"]) != pair["completion"]


def test_how_it_goes_is_told_in_lines_and_metrics(client: httpx.Client, tuned: Any) -> None:
    found = metrics(client, tuned)
    losses = dict(found["losses"])
    assert list(losses) == list(range(1, 121))
    assert losses[120] < losses[1] / 3
    assert found["loss"] == losses[120]
    assert (found["step"], found["steps"], found["epoch"], found["train_examples"]) == (120, 120, 60, 6)
    assert len(found["validation_losses"]) == 10
    assert found["validation_loss"] == found["validation_losses"][-1][1]
    assert f"step 120/120  epoch 60.00  loss {found['loss']:.4f}" in tuned.logs
    assert tuned.logs.count("checkpoint after step") == 10


def test_a_trained_version_learns_more(
    client: httpx.Client, stock: replicate.Client, tuned: Any, tmp_path: Path
) -> None:
    with lines(tmp_path / "chats.jsonl", CHATS) as data:
        more = waited(stock, begin(stock, tuned.output["version"], "tuned", train_data=data, **QUICK))
    assert (more.status, more.error) == ("succeeded", None)
    known = dict(metrics(client, tuned)["losses"])
    asked = CHATS[0]["messages"][:4]
    version = more.output["version"]
    assert says(client, version, "", messages=json.dumps(asked[:2])) == "A tiny model."
    assert says(client, version, "", messages=json.dumps(asked)) == "A test."
    assert metrics(client, more)["losses"][0][1] != known[1], "it began where the other had ended"


def test_base_and_adapter_have_the_weights_in_memory_once(
    client: httpx.Client, base: str, tuned: Any, tiny: Tiny
) -> None:
    """Two versions at work at once, in one process, which has no page of the weights of its own."""
    weights = tiny("llama") / "model.safetensors"
    size_kb = weights.stat().st_size // 1024
    endless = {"prompt": "Hi", "max_tokens": 900, "min_tokens": 900}
    running, processes = [], []
    for name in (base, tuned.output["version"]):
        running.append(api.create(client, name.partition(":")[2], endless))
        api.when(client, running[-1]["id"], lambda prediction: prediction["output"])
        processes.append(set(mapping(weights)))
    held = list(mapping(weights).values())
    assert api.get(client, running[0]["id"])["status"] == "processing"
    for one in running:
        client.post(f"/v1/predictions/{one['id']}/cancel")
    assert processes[0], "the base runs"
    assert processes[1] <= processes[0], "and its trained version where it does"
    assert any(sizes["Rss"] >= size_kb for sizes in held)
    assert sum(sizes["Private_Dirty"] for sizes in held) == 0
    assert sum(sizes["Pss"] for sizes in held) <= size_kb + PAGE_KB


def test_a_training_that_was_broken_off_goes_on_as_if_it_had_not_been(
    client: httpx.Client, stock: replicate.Client, base: str, tuned: Any, tmp_path: Path
) -> None:
    plan = QUICK | {"checkpoint_steps": 1}
    with lines(tmp_path / "pairs.jsonl", PAIRS) as data:
        broken = begin(stock, base, "tuned", train_data=data, **plan)
    api.when(client, broken.id, lambda training: "checkpoint" in training["metrics"])
    broken.cancel()
    waited(stock, broken)
    assert broken.status == "canceled"
    assert broken.output is None
    link = metrics(client, broken)["checkpoint"]
    with lines(tmp_path / "pairs.jsonl", PAIRS) as data:
        resumed = waited(stock, begin(stock, base, "tuned", train_data=data, resume_from=link, **plan))
    assert (resumed.status, resumed.error) == ("succeeded", None)
    assert "going on after step" in resumed.logs
    assert "step 1/120" not in resumed.logs
    assert resumed.output["version"] == tuned.output["version"], "the same weights to the last bit"

    with lines(tmp_path / "others.jsonl", PAIRS[:3]) as data:
        other = waited(stock, begin(stock, base, "tuned", train_data=data, resume_from=link, **plan))
    assert other.status == "failed"
    assert "resume_from is a checkpoint of a training with another train_data" in other.error


def test_logs_and_metrics_are_live_and_a_cancel_ends_it(
    client: httpx.Client, stock: replicate.Client, base: str, tmp_path: Path
) -> None:
    with lines(tmp_path / "pairs.jsonl", PAIRS) as data:
        running = begin(stock, base, "tuned", train_data=data, **ENDLESS)
    seen = api.when(
        client,
        running.id,
        lambda training: (
            "checkpoint after step 2\n" in training["logs"] and "checkpoint_step" in training["metrics"]
        ),
    )
    assert seen["status"] == "processing"
    assert seen["metrics"]["steps"] == 200_000
    assert seen["metrics"]["checkpoint_step"] >= 2
    running.cancel()
    assert waited(stock, running).status == "canceled"


def test_wrong_lines_fail_it_with_their_place(stock: replicate.Client, base: str, tmp_path: Path) -> None:
    with lines(tmp_path / "wrong.jsonl", [*PAIRS, {"prompt": "half"}]) as data:
        failed = waited(stock, begin(stock, base, "tuned", train_data=data))
    assert failed.status == "failed"
    assert failed.error.startswith("train_data, line 7: a line must be")
