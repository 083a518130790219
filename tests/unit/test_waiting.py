"""Why a prediction waits, in words and in seconds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoker.core.waiting import MOST_STEPS, Booting, WaitView, duration, estimate_s, explain


def booting(since_s: float, stage: str = "set-up") -> Booting:
    return Booting(stage=stage, since_s=since_s)


def test_the_reason_is_what_holds_it_up_first():
    busy = {"ahead": 2, "running_s": [1.0]}
    paused = {"failures": 3, "error": "no weights", "next_try_s": 4.0}
    for view, reason in (
        (WaitView(stopping=True, fetching=True, **busy), "stopping"),
        (WaitView(fetching=True, boots=[booting(1)]), "files"),
        (WaitView(**busy, boots=[booting(1)], short_of="no GPU"), "queue"),
        (WaitView(ahead=0, boots=[booting(1)], short_of="no GPU"), "boot"),
        (WaitView(ahead=0, **paused), "paused"),
        (WaitView(ahead=0, short_of="Other models are making room for it."), "room"),
        (WaitView(ahead=0), "boot"),
    ):
        assert explain(view).reason == reason


def test_a_line_is_worked_off_by_the_slots_that_there_are():
    assert estimate_s(WaitView(ahead=0, running_s=[4.0, 1.0], run_s=10)) == 6
    assert estimate_s(WaitView(ahead=1, running_s=[4.0, 1.0], run_s=10)) == 9
    assert estimate_s(WaitView(ahead=2, running_s=[4.0, 1.0], run_s=10)) == 16
    assert estimate_s(WaitView(ahead=0, running_s=[15.0], run_s=10)) == 0, "it is late, and may end now"


def test_nothing_is_promised_while_what_runs_is_none_of_the_usual_runs():
    late = WaitView(ahead=3, running_s=[3.5, 4.0], run_s=0.01)
    assert explain(late).estimate_s is None
    assert explain(late).message == "3 predictions are before it. What runs takes longer than usual."
    assert estimate_s(WaitView(ahead=0, running_s=[0.5, 4.0], run_s=0.01)) == 0
    assert estimate_s(WaitView(ahead=0, running_s=[-1.0, 4.0], run_s=0.01)) == 0, "a slot is free"
    boots = WaitView(ahead=0, running_s=[4.0], run_s=0.01, boots=[booting(1)], boot_s=8)
    assert estimate_s(boots) is not None


def test_what_boots_helps_when_it_is_there():
    view = WaitView(ahead=1, running_s=[0.0], run_s=30, boots=[booting(3)], boot_s=8)
    assert estimate_s(view) == 30
    assert estimate_s(WaitView(ahead=1, boots=[booting(3)], slots=2, boot_s=8, run_s=30)) == 5


def test_a_pause_comes_on_top():
    view = WaitView(ahead=0, boot_s=8, failures=1, next_try_s=4, error="no weights")
    assert estimate_s(view) == 12
    told = explain(view)
    assert (told.next_try_s, told.error, told.failures) == (4, "no weights", 1)
    assert (
        told.message == "The model failed to start once; it is tried again in 4 s. The last error: no weights"
    )


@pytest.mark.parametrize(
    "view",
    [
        WaitView(ahead=0, boots=[booting(3)]),
        WaitView(ahead=0, running_s=[1.0], boot_s=8),
        WaitView(ahead=1, boots=[booting(3)], boot_s=8),
        WaitView(ahead=0, boot_s=8, run_s=1, short_of="It waits for room."),
    ],
    ids=["first boot", "first run", "runs are not known", "no room"],
)
def test_nothing_is_promised_where_nothing_is_known(view: WaitView):
    assert estimate_s(view) is None


def test_a_long_line_is_estimated_by_the_averages():
    exact = estimate_s(WaitView(ahead=MOST_STEPS, running_s=[0.0] * 4, run_s=2))
    beyond = estimate_s(WaitView(ahead=100_000, running_s=[0.0] * 4, run_s=2))
    assert exact is not None and beyond is not None
    assert beyond == exact + (100_000 - MOST_STEPS) / 2


def test_the_words():
    assert explain(WaitView(ahead=0, running_s=[2.0], run_s=10)).message == (
        "It is next in line. It should start in about 8 s."
    )
    assert explain(WaitView(ahead=1, running_s=[2.0])).message == "1 prediction is before it."
    assert explain(WaitView(ahead=1200, boots=[booting(100)], boot_s=30, run_s=1)).message == (
        "An instance starts (set-up, for 2 min). 1,200 predictions are before it. "
        "It should start in about 20 min."
    )
    assert (
        explain(WaitView(stopping=True)).message == "The server is stopping; this runs after its next start."
    )
    assert [duration(s) for s in (0, 89, 600, 9000)] == ["1 s", "89 s", "10 min", "2.5 h"]


seconds = st.integers(0, 100).map(float)


@given(st.lists(seconds, min_size=1, max_size=5), st.integers(0, 200), seconds)
def test_an_estimate_is_what_playing_the_line_through_gives(
    boots_in_s: list[float], ahead: int, run_s: float
):
    boots = [booting(100 - left_s) for left_s in boots_in_s]
    free = sorted(boots_in_s)
    for _ in range(ahead):
        free = sorted([free[0] + run_s, *free[1:]])
    assert estimate_s(WaitView(ahead=ahead, boots=boots, boot_s=100, run_s=run_s)) == free[0]
