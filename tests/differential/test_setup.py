"""A set-up that fails: Cog's server keeps the reason to itself, ours gives it to whoever waits."""

from collections.abc import Callable

import pytest

from tests.differential.cog_server import CogServer
from tests.differential.scenarios import MODELS
from tests.servers import StokerServer


@pytest.mark.parametrize(
    ("model", "reason", "cog_says", "printed"),
    [
        (
            "setup_fails",
            "the weights are not there",
            "RuntimeError: the weights are not there",
            "looking for",
        ),
        ("setup_exits", "SystemExit: 4", "SystemExit: 4", "leaving"),
        ("setup_crashes", "exited with code 5", "worker crashed", "about to die"),
    ],
)
def test_a_failed_set_up_has_the_same_reason_on_both_sides(
    model: str,
    reason: str,
    cog_says: str,
    printed: str,
    server: StokerServer,
    pushed: Callable[[str], str],
):
    with CogServer(MODELS / model, None) as cog:
        health = cog.wait_set_up()
    assert health["status"] == "SETUP_FAILED"
    assert cog_says in health["setup"]["logs"]
    assert printed not in health["setup"]["logs"]

    with server.client() as client:
        body = {"version": pushed(model), "input": {}}
        prediction = client.post("/v1/predictions", json=body, headers={"Prefer": "wait"}).json()
    assert prediction["status"] == "failed"
    assert reason in prediction["error"]
    assert printed in prediction["logs"]
