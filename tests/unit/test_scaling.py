from typing import Any

from stoker.core.scaling import (
    InstanceView,
    PoolView,
    Scale,
    Start,
    Stop,
    decide,
    next_start_us,
    pause_s,
    wanted,
)

SECOND_US = 1_000_000


def view(waiting: int = 0, *instances: InstanceView, **fields: Any) -> PoolView:
    scale = Scale(least=fields.pop("least", 0), most=fields.pop("most", 1), idle_s=fields.pop("idle_s", 60))
    return PoolView(waiting=waiting, instances=instances, scale=scale, **fields)


def ready(id: str, *, busy: int = 0, idle_since_s: float = 0) -> InstanceView:
    return InstanceView(id=id, state="ready", busy=busy, idle_since_us=int(idle_since_s * SECOND_US))


def at(seconds: float, seen: PoolView) -> list[Start | Stop]:
    return decide(seen, now_us=int(seconds * SECOND_US))


def test_something_waits_and_nothing_runs():
    assert at(0, view(1)) == [Start()]


def test_nothing_waits_and_nothing_runs():
    assert at(0, view()) == []


def test_no_more_than_the_most():
    assert at(0, view(5, InstanceView(id="i", state="starting"))) == []
    assert at(0, view(5, InstanceView(id="i", state="ready", busy=1))) == []


def test_an_instance_that_is_stopping_does_not_count():
    assert at(0, view(1, InstanceView(id="i", state="stopping"))) == [Start()]


def test_idle_for_a_minute_is_long_enough():
    idle = InstanceView(id="i", state="ready", idle_since_us=0)
    assert at(59.9, view(0, idle)) == []
    assert at(60, view(0, idle)) == [Stop("i", "idle")]
    assert at(60, view(1, idle)) == []


def test_a_busy_or_starting_instance_is_never_idle():
    assert at(1000, view(0, InstanceView(id="i", state="ready", busy=1))) == []
    assert at(1000, view(0, InstanceView(id="i", state="starting"))) == []


def test_an_unhealthy_instance_is_replaced_once_it_is_free():
    busy = InstanceView(id="i", state="ready", busy=1, healthy=False)
    free = InstanceView(id="i", state="ready", healthy=False)
    assert at(0, view(1, busy)) == [Start()]
    assert at(0, view(1, free)) == [Stop("i", "unhealthy"), Start()]
    assert at(0, view(0, free)) == [Stop("i", "unhealthy")]


def test_failed_starts_are_paused_ever_longer_up_to_five_minutes():
    assert [pause_s(failures) for failures in range(5)] == [0, 1, 2, 4, 8]
    assert pause_s(50) == 300
    failed = view(1, failures=3, failed_us=10 * SECOND_US)
    assert next_start_us(failed) == 14 * SECOND_US
    assert at(13.9, failed) == []
    assert at(14, failed) == [Start()]


def test_an_instance_to_be_kept_starts_by_itself_and_stays():
    assert at(0, view(least=1)) == [Start()]
    assert at(1000, view(0, ready("i"), least=1)) == []
    assert at(0, view(0, InstanceView(id="i", state="starting"), least=1)) == []
    assert at(0, view(0, InstanceView(id="i", state="stopping"), least=1)) == [Start()]


def test_an_unhealthy_instance_is_not_kept_but_replaced():
    sick = InstanceView(id="i", state="ready", healthy=False)
    assert at(0, view(0, sick, least=1)) == [Stop("i", "unhealthy"), Start()]


def test_a_kept_instance_that_cannot_start_is_tried_after_the_pause():
    failed = view(failures=3, failed_us=10 * SECOND_US, least=1)
    assert at(13.9, failed) == []
    assert at(14, failed) == [Start()]


def test_as_many_as_work_the_line_off_within_a_boot():
    assert wanted(view(100, most=20, boot_s=10, run_s=1)) == 10
    assert wanted(view(100, most=4, boot_s=10, run_s=1)) == 4
    assert wanted(view(100, most=20, slots=5, boot_s=10, run_s=1)) == 2
    assert wanted(view(9, ready("a", busy=1), most=20, boot_s=10, run_s=1)) == 1


def test_a_line_that_is_gone_within_a_second_is_no_reason_for_another_process():
    assert wanted(view(9, ready("a", busy=1), most=20, boot_s=0.05, run_s=0.1)) == 1


def test_no_more_than_the_waiting_have_use_for():
    assert wanted(view(2, ready("a", busy=1), most=20, boot_s=1, run_s=600)) == 3
    assert wanted(view(2, ready("a", busy=2), most=20, slots=4, boot_s=1, run_s=600)) == 1


def test_before_the_first_run_and_the_first_boot_one_is_started():
    assert wanted(view(1000, most=20)) == 1
    assert wanted(view(1000, ready("a", busy=1), most=20, run_s=1.0)) == 20


def test_what_is_missing_is_started_at_once_but_one_by_one_after_a_failure():
    assert at(0, view(100, most=3, boot_s=10, run_s=1)) == [Start()] * 3
    assert at(100, view(100, most=3, boot_s=10, run_s=1, failures=1)) == [Start()]


def test_the_longest_idle_goes_first_and_the_least_stays():
    three = [ready("b", idle_since_s=20), ready("a", idle_since_s=10), ready("c", busy=1)]
    assert at(70, view(0, *three, most=3)) == [Stop("a", "idle")]
    assert at(80, view(0, *three, most=3)) == [Stop("a", "idle"), Stop("b", "idle")]
    assert at(80, view(0, *three, most=3, least=2)) == [Stop("a", "idle")]


def test_the_last_one_stays_longer_where_its_boot_is_long_but_not_for_ever():
    two = [ready("a"), ready("b", idle_since_s=1)]
    assert at(61, view(0, *two, boot_s=10)) == [Stop("a", "idle")]
    assert at(119, view(0, ready("b"), boot_s=10)) == []
    assert at(120, view(0, ready("b"), boot_s=10)) == [Stop("b", "idle")]
    assert at(900, view(0, ready("b"), boot_s=600)) == [Stop("b", "idle")]


def test_a_retired_pool_keeps_nothing_longer():
    assert at(0, view(0, ready("a"), idle_s=0, boot_s=100)) == [Stop("a", "idle")]


def test_the_others_go_sooner_where_a_boot_is_short():
    two = [ready("a"), ready("b")]
    assert at(4.9, view(0, *two, most=2, boot_s=0.2)) == []
    assert at(5, view(0, *two, most=2, boot_s=0.2)) == [Stop("a", "idle")]
    assert at(24, view(0, *two, most=2, boot_s=2)) == [Stop("a", "idle")]
