"""Our own endpoint for why a prediction has not started, and what ``/health`` tells of failed starts."""

from typing import Any

from stoker.core.waiting import Booting, Wait
from tests.contract import things
from tests.contract.platform import Platform
from tests.contract.scripted import never_ends, never_starts
from tests.contract.story import story, story_with
from tests.contract.test_permissions import OPERATOR, populate


@story
async def test_a_wait_is_told(p: Platform) -> None:
    p.dispatcher.script = never_starts
    made = await p.predict(await p.version("sketch"))
    boot = Booting(stage="set-up", since_s=3.5)
    p.dispatcher.waits[made["id"]] = Wait(
        reason="boot", message="An instance starts.", position=1, boot=boot, estimate_s=4.5
    )
    told = await p.client.get(f"/stoker/predictions/{made['id']}/wait")
    assert (told.status_code, told.json()) == (
        200,
        {
            "id": made["id"],
            "status": "starting",
            "priority": "normal",
            "wait": {
                "reason": "boot",
                "message": "An instance starts.",
                "position": 1,
                "boot": {"stage": "set-up", "since_s": 3.5},
                "estimate_s": 4.5,
                "failures": 0,
                "error": None,
                "next_try_s": None,
            },
        },
    )


@story
async def test_a_pause_is_told_with_its_error(p: Platform) -> None:
    p.dispatcher.script = never_starts
    made = await p.predict(await p.version("sketch"))
    p.dispatcher.waits[made["id"]] = Wait(
        reason="paused", message="It failed.", failures=3, error="no weights", next_try_s=4.0
    )
    wait = (await p.client.get(f"/stoker/predictions/{made['id']}/wait")).json()["wait"]
    assert (wait["failures"], wait["error"], wait["next_try_s"]) == (3, "no weights", 4.0)
    assert (wait["position"], wait["boot"], wait["estimate_s"]) == (None, None, None)


@story
async def test_what_runs_or_is_over_does_not_wait(p: Platform) -> None:
    made, run = await p.running(await p.version("sketch"))
    assert p.dispatcher.script is never_ends
    path = f"/stoker/predictions/{made['id']}/wait"
    told = {"id": made["id"], "priority": "normal", "wait": None}
    assert (await p.client.get(path)).json() == told | {"status": "processing"}
    await run.end()
    run.stopped.set()
    assert (await p.client.get(path)).json() == told | {"status": "succeeded"}
    assert (await p.other.get(path)).status_code == 404


@story_with(account=OPERATOR)
async def test_health_tells_of_failed_starts_to_those_who_may_know(p: Platform) -> None:
    headers = await populate(p)
    await p.version("closed", owner="team")
    await p.version("open", owner="bob", visibility="public")
    training = (await things.ask(p, "GET", "/trainings/{id}", of="mia")).path.rpartition("/")[2]
    pauses = [
        paused(model="team/closed"),
        paused(model="bob/open"),
        paused(model="bob/open", deployment="alice/app"),
        paused(model="bob/open", training=training),
    ]
    p.dispatcher.pauses = pauses
    for caller, seen in (("root", [0, 1, 2, 3]), ("alice", [1, 2]), ("mia.read", [0, 1, 3]), ("bob", [1])):
        told = (await p.anonymous.get(f"{p.base}/health", headers=headers[caller])).json()
        assert told["paused"] == [pauses[n] for n in seen], caller
    assert "paused" not in (await p.anonymous.get(f"{p.base}/health")).json()


@story
async def test_a_pause_is_ended_by_whoever_may_change_the_model(p: Platform) -> None:
    await p.version("sketch")
    pause = paused(model="alice/sketch")
    p.dispatcher.pauses = [pause, paused(model="alice/sketch", deployment="bob/app")]
    path = "/stoker/models/alice/sketch/resume"
    assert (await p.other.post(path)).status_code == 404
    assert (await p.client.post(path)).json() == {"resumed": [pause]}
    assert (await p.client.post(path)).json() == {"resumed": []}


@story
async def test_a_base_is_named_to_those_who_may_see_it(p: Platform) -> None:
    version = await p.version("sketch")
    for base, visibility in (("closed", "private"), ("open", "public")):
        await p.version(base, owner="bob", visibility=visibility)
        pause = paused(model=f"bob/{base}")
        p.dispatcher.pauses, p.dispatcher.guests = [pause], {f"bob/{base}": "alice/sketch"}
        told = (await p.client.post("/stoker/models/alice/sketch/resume")).json()["resumed"]
        mine = pause | {"model": "alice/sketch", "version": version.id}
        assert told == [pause if base == "open" else mine]


def paused(**fields: Any) -> dict[str, Any]:
    return {
        "version": "0" * 64,
        "deployment": None,
        "training": None,
        "failures": 2,
        "error": "Model setup failed: no weights (E9243)",
        "next_try_s": 1.5,
    } | fields
