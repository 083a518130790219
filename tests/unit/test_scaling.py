from stoker.core.scaling import InstanceView, PoolView, Start, Stop, decide, next_start_us, pause_s

SECOND_US = 1_000_000


def view(
    waiting: int = 0, *instances: InstanceView, failures: int = 0, failed_us: int = 0, keep: bool = False
) -> PoolView:
    return PoolView(waiting=waiting, instances=instances, failures=failures, failed_us=failed_us, keep=keep)


def at(seconds: float, seen: PoolView) -> list[Start | Stop]:
    return decide(seen, idle_s=60, now_us=int(seconds * SECOND_US))


def test_something_waits_and_nothing_runs():
    assert at(0, view(1)) == [Start()]


def test_nothing_waits_and_nothing_runs():
    assert at(0, view()) == []


def test_one_instance_a_pool():
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
    ready = InstanceView(id="i", state="ready", idle_since_us=0)
    assert at(0, view(keep=True)) == [Start()]
    assert at(1000, view(0, ready, keep=True)) == []
    assert at(0, view(0, InstanceView(id="i", state="starting"), keep=True)) == []
    assert at(0, view(0, InstanceView(id="i", state="stopping"), keep=True)) == [Start()]


def test_an_unhealthy_instance_is_not_kept_but_replaced():
    sick = InstanceView(id="i", state="ready", healthy=False)
    assert at(0, view(0, sick, keep=True)) == [Stop("i", "unhealthy"), Start()]


def test_a_kept_instance_that_cannot_start_is_tried_after_the_pause():
    failed = view(failures=3, failed_us=10 * SECOND_US, keep=True)
    assert at(13.9, failed) == []
    assert at(14, failed) == [Start()]
