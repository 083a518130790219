import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoker.core.queue import FairQueue


def drained(queue: FairQueue[str]) -> list[str]:
    return [queue.pop() for _ in range(len(queue))]


def test_accounts_take_turns_and_each_keeps_its_order():
    queue: FairQueue[str] = FairQueue()
    for id in ("a1", "a2", "a3"):
        queue.push("a", id, id)
    queue.push("b", "b1", "b1")
    assert drained(queue) == ["a1", "b1", "a2", "a3"]


def test_one_accounts_thousand_do_not_delay_anothers_single_one():
    queue: FairQueue[str] = FairQueue()
    for number in range(1000):
        queue.push("big", f"big{number}", f"big{number}")
    queue.push("small", "small", "small")
    assert "small" in [queue.pop(), queue.pop()]


def test_a_removed_item_never_comes():
    queue: FairQueue[str] = FairQueue()
    queue.push("a", "a1", "a1")
    queue.push("a", "a2", "a2")
    assert queue.remove("a", "a1")
    assert not queue.remove("a", "a1")
    assert not queue.remove("nobody", "a2")
    assert drained(queue) == ["a2"]


def test_an_empty_queue_has_nothing_to_give():
    with pytest.raises(IndexError):
        FairQueue[str]().pop()


steps = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 20), st.booleans()), max_size=60)


@given(steps)
def test_every_item_comes_exactly_once_in_its_accounts_order(pushes: list[tuple[str, int, bool]]):
    queue: FairQueue[str] = FairQueue()
    expected: dict[str, dict[str, None]] = {account: {} for account in "abc"}
    for account, number, removes in pushes:
        id = f"{account}{number}"
        if removes:
            assert queue.remove(account, id) == (id in expected[account])
            expected[account].pop(id, None)
        elif id not in expected[account]:
            queue.push(account, id, id)
            expected[account][id] = None
    assert len(queue) == sum(map(len, expected.values()))
    told = list(queue)
    got = drained(queue)
    assert told == got, "a look at the line gives the order of the turns"
    for account in "abc":
        assert [id for id in got if id[0] == account] == list(expected[account])
