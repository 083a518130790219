"""A process that serves a base and everything that was trained from it, really (``tests/models/adapted``)."""

import httpx
import pytest

from tests.conftest import Pushed
from tests.scenarios.api import Json, create, ended, run
from tests.scenarios.test_trainings import instances, text, train
from tests.servers import StokerServer


@pytest.fixture
def base(server: StokerServer, pushed: Pushed) -> str:
    return pushed("adapted")


def trained(client: httpx.Client, base: str, words: str, destination: str) -> str:
    """The id of what a training of that ``owner/name:id`` made."""
    training = train(client, base, {"text": words}, destination=destination)
    assert training["status"] == "succeeded", training
    return training["output"]["version"].partition(":")[2]


def said(prediction: Json) -> str:
    assert prediction["status"] == "succeeded", prediction
    return prediction["output"]


def test_versions_meet_in_one_process(server: StokerServer, base: str):
    with server.client() as client:
        red = trained(client, f"local/adapted:{base}", "red", "red")
        blue = trained(client, f"local/adapted:{base}", "blue", "blue")
        both = trained(client, f"local/red:{red}", "+", "both")
        # None of them answers before all four are in the same process.
        asked = [create(client, version, {"beside": 4}) for version in (base, red, blue, both)]
        done = [ended(client, one["id"]) for one in asked]
        answers = [said(one) for one in done]
        assert answers == [" ", "learned.txt red", "learned.txt blue", "learned.txt red+"]
        assert [one["version"] for one in done] == [base, red, blue, both]
        running = [one["model"] for one in instances(server) if one["version"] in (base, red, blue, both)]
        assert running == ["local/adapted"]


def test_weights_of_ones_own_go_before_those_of_the_version(server: StokerServer, base: str):
    with server.client() as client:
        green = trained(client, f"local/adapted:{base}", "green", "green")
        given = run(client, green, {"replicate_weights": text("mine")})
        assert said(given).endswith(" mine")
        plain = run(client, green, {"text": "!"})
        assert (said(plain), plain["input"]) == ("learned.txt green!", {"text": "!"})


def test_a_deployment_has_a_process_of_its_own(server: StokerServer, base: str):
    with server.client() as client:
        grey = trained(client, f"local/adapted:{base}", "grey", "grey")
        wanted = {"name": "grey", "model": "local/grey", "version": grey, "hardware": "cpu"}
        made = client.post("/v1/deployments", json=wanted | {"min_instances": 0, "max_instances": 1})
        assert made.status_code == 200, made.text
        asked = client.post("/v1/deployments/local/grey/predictions", json={"input": {"text": "!"}})
        assert said(ended(client, asked.json()["id"])) == "learned.txt grey!"
        running = [one["version"] for one in instances(server) if one["deployment"] == "local/grey"]
        assert running == [grey]


def test_the_base_says_how_many_and_how_long_and_a_trained_version_that_one_is_there(
    server: StokerServer, base: str
):
    with server.client() as client:
        teal = trained(client, f"local/adapted:{base}", "teal", "teal")
        room, own = (f"/v1/stoker/models/local/{name}/scale" for name in ("adapted", "teal"))
        assert client.patch(room, json={"idle_s": 77, "max_instances": 3}).status_code == 200
        told = client.patch(own, json={"min_instances": 1}).json()
        assert told["holds"] == {"idle_s": 77, "min_instances": 1, "max_instances": 3}
        assert client.patch(own, json={"idle_s": 5}).status_code == 422
        assert said(run(client, teal)) == "learned.txt teal"
        client.patch(own, json={"min_instances": None})
        client.patch(room, json={"idle_s": None, "max_instances": None})
