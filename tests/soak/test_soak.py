"""A small soak, the same each time (``make soak`` is the large one), and that it would tell what is wrong."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from stoker.core.prediction import INTERRUPTED
from tests.soak.models import INSTANCES
from tests.soak.plan import Act, acts, blows
from tests.soak.story import Order, Soak
from tests.soak.verdicts import CRASHED, NOT_STARTED, Hook, Kill, Told, problems

HOOKED = Act(number=1, model=0, does="do", asks="hook", seconds=0)
STREAMED = Act(number=2, model=2, does="do", asks="stream", seconds=0)
HANGS = Act(number=3, model=0, does="hang", asks="poll", seconds=0, cancel="running")
SERVER = Kill(victim="server", begun_us=1_500_000, ended_us=1_600_000, pid=9)
OTHERS = Kill(victim="instance", begun_us=1_500_000, ended_us=1_500_001, pid=8, model="soak-01")
ITS_OWN = Kill(victim="instance", begun_us=1_500_000, ended_us=1_500_001, pid=7, model="soak-00")
JUST_BEFORE = Kill(victim="instance", begun_us=-3_000, ended_us=-2_000, pid=6, model="soak-00")
LONG_BEFORE = Kill(victim="instance", begun_us=-9_000_001, ended_us=-9_000_000, pid=6, model="soak-00")


def told(act: Act, **changes: Any) -> Told:
    """Of a prediction that was created at 0 s, ran from 1 to 2 s, right unless something is changed."""
    final = {
        "status": "succeeded",
        "error": None,
        "output": act.output,
        "logs": f"pid 7\n{act.does} {act.text}\n",
        "created_at": "1970-01-01T00:00:00.000000Z",
        "started_at": "1970-01-01T00:00:01.000000Z",
        "completed_at": "1970-01-01T00:00:02.000000Z",
        "metrics": {"runs": 1, "predict_time": 1.0},
    }
    hooks = [Hook(1, "a", "processing"), Hook(2, "b", "succeeded")]
    events = [(f"0:{n}", "output", word) for n, word in enumerate(act.output)] + [("0:5", "done", "{}")]
    return Told(act=act, final=final | changes, hooks=hooks, events=events)


def test_a_small_soak(tmp_path: Path):
    outcome = asyncio.run(Soak(Order(count=200, models=6, seed=3), tmp_path, print).run())
    assert not outcome.problems, "\n".join(outcome.problems)
    assert len(outcome.told) == 200
    assert {"instance", "server"} <= {kill.victim for kill in outcome.kills}
    assert outcome.starts["forked"]
    assert outcome.most_instances == INSTANCES


def test_a_seed_says_all():
    assert acts(50, 6, seed=1) == acts(50, 6, seed=1) != acts(50, 6, seed=2)
    assert blows(200, seed=1) == blows(200, seed=1) != blows(200, seed=2)
    hanging = [act for act in acts(2000, 6, seed=1) if act.does == "hang"]
    assert {act.cancel for act in hanging} == {"waiting", "running", "deadline"}


FAILED = {"status": "failed", "output": None}
WAITED = {"started_at": None, "logs": "", "metrics": {"predict_time": 0.0}}


@pytest.mark.parametrize(
    ("seen", "kills"),
    [
        (told(HOOKED), []),
        (told(STREAMED), []),
        (told(HOOKED), [OTHERS]),
        (told(STREAMED, error=INTERRUPTED, **FAILED), [SERVER]),
        (told(STREAMED, error=CRASHED, **FAILED), [ITS_OWN]),
        (told(HANGS, error=NOT_STARTED, **WAITED, **FAILED), [JUST_BEFORE]),
    ],
)
def test_what_is_right(seen: Told, kills: list[Kill]):
    assert problems(seen, kills) == []


@pytest.mark.parametrize(
    ("seen", "kills", "words"),
    [
        (told(STREAMED, status="processing"), [], "did not end"),
        (told(STREAMED, error=INTERRUPTED, **FAILED), [ITS_OWN], "the server lived"),
        (told(STREAMED), [SERVER], "survived the server"),
        (told(STREAMED, error=CRASHED, **FAILED), [OTHERS], "nobody killed its instance"),
        (told(HANGS, error=NOT_STARTED, **WAITED, **FAILED), [OTHERS, LONG_BEFORE], "did not start"),
        (told(STREAMED, error="no room", **FAILED), [], "it failed with"),
        (told(STREAMED, status="canceled"), [], "by nobody"),
        (told(HANGS), [], "was to hang"),
        (told(HOOKED, output="another's"), [], "it gave"),
        (told(STREAMED, logs="pid 7\npid 8\ndo word2\n"), [], "its logs"),
        (told(STREAMED, metrics={"runs": 2, "predict_time": 1.0}), [], "ran 2 times"),
        (told(STREAMED, metrics={"runs": 1, "predict_time": 3.0}), [], "are metered"),
    ],
)
def test_what_is_wrong_is_told(seen: Told, kills: list[Kill], words: str):
    assert any(words in problem for problem in problems(seen, kills))


def test_what_is_told_twice_is_found():
    hooked, streamed = told(HOOKED), told(STREAMED)
    again = msgspec.structs.replace(hooked.hooks[1], at_us=3_000_000)
    hooked.hooks.append(again)
    streamed.events.insert(1, streamed.events[0])
    assert any("came 2 times" in problem for problem in problems(hooked, []))
    assert not any("came 2 times" in problem for problem in problems(hooked, [SERVER]))
    assert any("twice" in problem for problem in problems(streamed, []))
