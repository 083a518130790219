from hypothesis import given
from hypothesis import strategies as st

from stoker.core.timetable import SPARE, Timetable


def test_the_earliest_come_first_and_only_once():
    table = Timetable()
    for id, at_us in (("c", 30), ("a", 10), ("b", 20)):
        table.put(id, at_us)
    assert table.due(9, most=9) == []
    assert table.due(20, most=9) == ["a", "b"]
    assert table.due(20, most=9) == []
    assert table.due(30, most=9) == ["c"]


def test_no_more_are_told_at_once_than_were_asked_for():
    table = Timetable()
    for id in "abc":
        table.put(id, 10)
    assert table.due(10, most=2) == ["a", "b"]
    assert table.due(10, most=2) == ["c"]


def test_what_was_dropped_or_put_off_is_not_due():
    table = Timetable()
    table.put("a", 10)
    table.put("b", 10)
    table.drop("a")
    table.drop("nobody")
    table.put("b", 20)
    assert table.due(19, most=9) == []
    assert table.due(20, most=9) == ["b"]


def test_moments_that_are_far_away_leave_nothing_behind():
    table = Timetable()
    for number in range(10_000):
        table.put(str(number), 10**15 + number)
        table.drop(str(number))
    assert len(table) == 0
    assert len(table._heap) <= SPARE
    table.put("last", 5)
    assert table.due(5, most=9) == ["last"]


moments = st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 50) | st.none()), max_size=200)


@given(moments, st.integers(0, 50))
def test_it_tells_those_whose_last_moment_has_come(changes: list[tuple[str, int | None]], now_us: int):
    table, expected = Timetable(), {}
    for id, at_us in changes:
        if at_us is None:
            table.drop(id)
            expected.pop(id, None)
        else:
            table.put(id, at_us)
            expected[id] = at_us
    found = table.due(now_us, most=9)
    assert set(found) == {id for id, at_us in expected.items() if at_us <= now_us}
    assert [expected[id] for id in found] == sorted(expected[id] for id in found)
    assert len(table) == len(expected) - len(found)
