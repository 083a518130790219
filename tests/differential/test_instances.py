"""What a model sees around it, what it keeps from one run to the next, and what its health means."""

import threading
import time
from collections.abc import Callable
from typing import Any

import httpx

from tests.differential.cog_server import CogServer
from tests.differential.conftest import Sides
from tests.differential.outcome import Outcome
from tests.differential.scenario import Scenario
from tests.differential.scenarios import MODELS
from tests.servers import StokerServer

REPLACED_WITHIN_S = 30


def both(sides: Sides, model: str, **input: Any) -> tuple[Outcome, Outcome]:
    scenario = Scenario(model=model, name="-", input=input)
    return sides.cog(model).run(scenario), sides.ours(model).run(scenario)


def test_the_surroundings_of_a_model(sides: Sides):
    cog, ours = both(sides, "surroundings")
    for name in ("argv", "path", "python"):
        assert ours.output[name] == cog.output[name]
    seen = {file for file in ours.output["folder_files"] if file != "__pycache__"}
    assert seen == {file for file in cog.output["folder_files"] if file != "__pycache__"}
    declared = {"GREETING": "hello to you", "EMPTY": ""}
    assert declared.items() <= ours.output["variables"].items()
    assert declared.items() <= cog.output["variables"].items()


def test_what_is_ours_alone(sides: Sides):
    """Everything in the main thread, a session and a temp folder of its own, no secret of the server."""
    cog, ours = both(sides, "surroundings")
    assert (cog.output["main_thread"], ours.output["main_thread"]) == (False, True)
    assert (cog.output["session"], ours.output["session"]) == (False, True)
    variables = ours.output["variables"]
    assert ours.output["temp"] == variables["TMPDIR"]
    assert not {name for name in variables if name.startswith(("REPLICATE", "COG_"))}
    told = {name for name in variables if name.startswith("STOKER")}
    assert told == {"STOKER_INSTANCE", "STOKER_BASE_URL", "STOKER_ALLOW_NET"}


def test_what_a_model_writes_is_there_for_its_next_run(sides: Sides):
    both(sides, "surroundings", write="note.txt")
    for outcome in both(sides, "surroundings"):
        assert "note.txt" in outcome.output["folder_files"]


def test_a_model_keeps_its_state(sides: Sides):
    first, second = both(sides, "state"), both(sides, "state")
    for before, after in zip(first, second, strict=True):
        assert after.output["process"] == before.output["process"]
        assert after.output["count"] == before.output["count"] + 1


def test_an_unhealthy_model_is_kept_by_cog_and_replaced_by_us(
    sides: Sides, server: StokerServer, pushed: Callable[[str], str]
):
    with CogServer(MODELS / "health", sides.schema("health")) as cog:
        cog.wait_set_up()
        assert cog.call("POST", "/predictions", {"input": {"answer": "false"}})[0] == 200
        assert cog.health()["status"] == "UNHEALTHY"
    unhealthy = {"health": {"answer": "false"}, "async_health": {"healthy": False}}
    with server.client() as client:
        for model, input in unhealthy.items():
            body = {"version": pushed(model), "input": input}
            answer = client.post("/v1/predictions", json=body, headers={"Prefer": "wait"})
            assert answer.json()["status"] == "succeeded"
        _await_gone(client, {f"local/{model}" for model in unhealthy})


def _await_gone(client: httpx.Client, models: set[str]) -> None:
    end = time.monotonic() + REPLACED_WITHIN_S
    while models & {instance["model"] for instance in client.get("/health").json()["instances"]}:
        assert time.monotonic() < end, "an unhealthy instance stays"
        threading.Event().wait(0.1)
