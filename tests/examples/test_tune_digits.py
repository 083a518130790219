"""The example that is trained: what it learned is measured, kept, run, and built upon."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import replicate

from tests.servers import TOKEN, StokerServer

EXAMPLES = Path(__file__).parents[2] / "examples"
MODEL = "local/tune-digits"


@pytest.fixture
def client(server: StokerServer) -> Iterator[replicate.Client]:
    made = replicate.Client(api_token=TOKEN, base_url=server.base_url)
    yield made
    made._client.close()


@pytest.fixture
def untrained(server: StokerServer) -> str:
    return f"{MODEL}:{server.push(EXAMPLES / 'tune-digits', MODEL)}"


def train(client: replicate.Client, version: str, **input: Any) -> Any:
    """A training of that version, waited for, as a user of the stock client would."""
    training: Any = client.trainings.create(version=version, input=input, destination=MODEL)
    while training.status not in ("succeeded", "failed", "canceled"):
        training.reload()
    return training


def measured(client: replicate.Client, training: Any) -> dict[str, float]:
    """The training's metrics, which this client does not read."""
    return client._client.get(f"/v1/trainings/{training.id}").json()["metrics"]


def read_seven(client: replicate.Client, version: str) -> dict[str, Any]:
    with (EXAMPLES / "digits" / "seven.png").open("rb") as image:
        return client.run(version, input={"image": image})


def test_it_gets_better_and_better(client: replicate.Client, untrained: str):
    first = train(client, untrained, rounds=2)
    assert (first.status, first.error) == ("succeeded", None)
    second = train(client, first.output["version"], rounds=40)
    assert (second.status, second.error) == ("succeeded", None)
    early, late = measured(client, first), measured(client, second)
    assert early["accuracy_before"] < 0.3
    assert early["accuracy_after"] > early["accuracy_before"] + 0.3
    assert late["accuracy_before"] == early["accuracy_after"], "it went on from there"
    assert late["accuracy_after"] > 0.95
    assert "round 40: 9" in second.logs

    before, after = read_seven(client, untrained), read_seven(client, second.output["version"])
    assert before["confidence"] < 0.5
    assert after["digit"] == 7
    assert after["confidence"] > before["confidence"]


def test_it_learns_from_what_it_is_given(client: replicate.Client, untrained: str, tmp_path: Path):
    lines = [[16 if place % 10 == digit else 0 for place in range(64)] + [digit] for digit in range(10)]
    (tmp_path / "samples.csv").write_text("".join(f"{','.join(map(str, line))}\n" for line in lines))
    (tmp_path / "wrong.csv").write_text("1,2,3\n")
    with (tmp_path / "samples.csv").open("rb") as samples:
        training = train(client, untrained, rounds=1, samples=samples)
    assert (training.status, measured(client, training)["samples"]) == ("succeeded", 10)
    with (tmp_path / "wrong.csv").open("rb") as samples:
        training = train(client, untrained, rounds=1, samples=samples)
    assert training.error == "Each line needs 64 numbers from 0 to 16 and a digit from 0 to 9."
