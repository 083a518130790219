import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from stoker.core.priority import PRIORITIES, Priority
from stoker.core.queue import PASSED_MOST, FairQueue


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


def test_the_more_urgent_goes_first_and_equals_in_the_order_in_which_they_came():
    queue: FairQueue[str] = FairQueue()
    for id, priority in (("l1", "low"), ("n1", "normal"), ("h1", "high"), ("n2", "normal"), ("h2", "high")):
        queue.push("a", id, id, priority)
    assert drained(queue) == ["h1", "h2", "n1", "n2", "l1"]


def test_an_account_gains_no_turns_by_being_urgent():
    queue: FairQueue[str] = FairQueue()
    for number in range(3):
        queue.push("a", f"a{number}", f"a{number}", "high")
        queue.push("b", f"b{number}", f"b{number}", "low")
    assert drained(queue) == ["a0", "b0", "a1", "b1", "a2", "b2"]


def test_a_low_one_has_its_turn_though_high_ones_never_end():
    queue: FairQueue[str] = FairQueue()
    for number in range(3):
        queue.push("a", f"low{number}", f"low{number}", "low")
    got: list[str] = []
    for number in range(4 * (PASSED_MOST + 1)):
        queue.push("a", f"high{number}", f"high{number}", "high")
        got.append(queue.pop())
    assert [at for at, id in enumerate(got) if id[:3] == "low"] == [PASSED_MOST, 15, 23]
    assert [id for id in got if id[:3] == "low"] == ["low0", "low1", "low2"]


def test_one_that_is_lifted_waits_behind_those_that_were_as_urgent_before():
    queue: FairQueue[str] = FairQueue()
    for id, priority in (("l1", "low"), ("n1", "normal"), ("h1", "high"), ("l2", "low")):
        queue.push("a", id, id, priority)
    queue.lift("a", "l2", "high")
    queue.lift("a", "h1", "low")
    queue.lift("a", "nobody", "high")
    queue.lift("nobody", "l1", "high")
    assert len(queue) == 4
    assert drained(queue) == ["h1", "l2", "n1", "l1"]


class Play(RuleBasedStateMachine):
    """The queue against a list of what waits, looked at as a whole for every turn."""

    def __init__(self) -> None:
        super().__init__()
        self.queue: FairQueue[str] = FairQueue()
        self.turns: list[str] = []
        """Accounts, next first."""
        self.waiting: list[tuple[str, Priority, str]] = []
        """As they came."""
        self.passed: dict[str, int] = {}
        self.count = 0

    @rule(account=st.sampled_from("abc"), priority=st.sampled_from(PRIORITIES))
    def push(self, account: str, priority: Priority) -> None:
        self.count += 1
        id = f"{account}{self.count}"
        self.queue.push(account, id, id, priority)
        self.waiting.append((account, priority, id))
        if account not in self.turns:
            self.turns.append(account)
            self.passed[account] = 0

    @precondition(lambda self: self.waiting)
    @rule(at=st.integers(0))
    def remove(self, at: int) -> None:
        account, _, id = self.waiting.pop(at % len(self.waiting))
        assert self.queue.remove(account, id)
        assert not self.queue.remove(account, id)
        self._clear(account)

    @precondition(lambda self: self.waiting)
    @rule(at=st.integers(0), priority=st.sampled_from(PRIORITIES))
    def lift(self, at: int, priority: Priority) -> None:
        at %= len(self.waiting)
        account, before, id = self.waiting[at]
        self.queue.lift(account, id, priority)
        if PRIORITIES.index(priority) < PRIORITIES.index(before):
            del self.waiting[at]
            self.waiting.append((account, priority, id))

    @precondition(lambda self: self.waiting)
    @rule()
    def pop(self) -> None:
        account = self.turns.pop(0)
        own = [one for one in self.waiting if one[0] == account]
        urgent = min(own, key=lambda one: PRIORITIES.index(one[1]))
        chosen = own[0] if self.passed[account] == PASSED_MOST else urgent
        self.passed[account] = 0 if chosen is own[0] else self.passed[account] + 1
        self.turns.append(account)
        self.waiting.remove(chosen)
        self._clear(account)
        assert self.queue.pop() == chosen[2]

    @invariant()
    def what_waits_is_told_in_the_order_of_the_turns(self) -> None:
        told = list(self.queue)
        assert sorted(told) == sorted(id for _, _, id in self.waiting)
        assert len(self.queue) == len(self.waiting)
        assert bool(self.queue) == bool(self.waiting)
        for account in "abc":
            ids = {id for owner, _, id in self.waiting if owner == account}
            assert self.queue.before(account, ids) == {id: told.index(id) for id in told if id in ids}
            assert self.queue.before(account, {"nobody"}) == {}

    def teardown(self) -> None:
        assert list(self.queue) == drained(self.queue)

    def _clear(self, account: str) -> None:
        if all(one[0] != account for one in self.waiting):
            self.turns.remove(account)


TestPlay = Play.TestCase
