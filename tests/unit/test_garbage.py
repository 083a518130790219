"""Garbage in cycles is looked for when that disturbs nobody."""

import gc
from collections.abc import Iterator

import pytest

from stoker.main.garbage import FEW, LONG_US, Garbage, settle


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many there were, counted by ``len``."""
    found: list[int] = []
    monkeypatch.setattr(gc, "collect", lambda: found.append(1))
    return found


@pytest.fixture
def kept() -> Iterator[None]:
    """The interpreter's own ways are as before in the end."""
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


def test_everything_is_looked_at_while_little_is_held(looks: list[int]) -> None:
    garbage = Garbage(range(FEW - 1))
    for now_us in range(3):
        garbage.step(now_us)
    assert len(looks) == 3


def test_much_is_looked_at_once_in_a_long_while(looks: list[int]) -> None:
    garbage = Garbage(range(FEW))
    for now_us in (LONG_US, LONG_US + 1, 2 * LONG_US - 1, 2 * LONG_US):
        garbage.step(now_us)
    assert len(looks) == 2


@pytest.mark.usefixtures("kept")
def test_what_is_there_at_the_start_is_left_out_and_cycles_are_found_all_the_same() -> None:
    class Ring:
        def __init__(self) -> None:
            self.own = self

    gone: list[str] = []
    settle()
    assert gc.get_freeze_count() > 1000
    assert gc.get_threshold()[2] > 1_000_000
    ring = Ring()
    Ring.__del__ = lambda _: gone.append("ring")  # type: ignore[attr-defined]
    del ring
    Garbage(()).step(0)
    assert gone == ["ring"]
