"""Who gets room on the machine, and who has to make it."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from stoker.core import placement
from stoker.core.placement import (
    Claim,
    Gpu,
    Holder,
    Machine,
    MakeRoom,
    Need,
    Never,
    NoRoom,
    Placed,
    Reclaim,
    place,
)

GB = 10**9
SECOND_US = 1_000_000
LONG_US = 3600 * SECOND_US
CPU = Need(hardware="cpu")


def machine(
    *, gpus: int = 0, gpu_bytes: int = 80 * GB, memory_bytes: int = 64 * GB, **fields: Any
) -> Machine:
    return Machine(
        memory_bytes=memory_bytes,
        free_bytes=fields.pop("free_bytes", memory_bytes),
        gpus=tuple(Gpu(index=n, memory_bytes=gpu_bytes, free_bytes=gpu_bytes) for n in range(gpus)),
        **fields,
    )


def claim(need: Need = CPU, *, since_us: int = LONG_US, boot_s: float = 1.0) -> Claim:
    return Claim(need=need, since_us=since_us, boot_s=boot_s)


def gpu_need(gpus: int = 1, gpu_memory_bytes: int | None = None) -> Need:
    return Need(hardware="gpu", gpus=gpus, gpu_memory_bytes=gpu_memory_bytes)


def idle(id: str, need: Need = CPU, *, idle_since_us: int = 0, **fields: Any) -> Holder:
    return Holder(id=id, need=need, is_idle=True, ready_us=0, idle_since_us=idle_since_us, **fields)


def busy(id: str, need: Need = CPU, *, ready_us: int = 0, **fields: Any) -> Holder:
    return Holder(id=id, need=need, ready_us=ready_us, **fields)


def asked(wanted: Claim, there: Machine, *holders: Holder, now_us: int = LONG_US) -> Any:
    return place(wanted, there, holders, now_us=now_us)


def test_what_fits_is_placed():
    assert asked(claim(), machine()) == Placed()
    assert asked(claim(gpu_need(2)), machine(gpus=4), idle("a", gpu_need(), gpus=(0,))) == Placed((1, 2))


def test_an_empty_gpu_comes_before_a_shared_one_and_a_shared_one_before_an_eviction():
    small = gpu_need(gpu_memory_bytes=10 * GB)
    first, second = idle("a", small, gpus=(0,)), idle("b", small, gpus=(1,))
    assert asked(claim(small), machine(gpus=2), first) == Placed((1,))
    assert asked(claim(small), machine(gpus=2), first, second) == Placed((0,))
    assert asked(claim(gpu_need()), machine(gpus=2), first, second) == MakeRoom(("a",), (0,))


def test_hardware_that_is_counted_runs_out():
    there = machine(counts={"cpu": 2})
    assert asked(claim(), there, busy("a")) == Placed()
    assert isinstance(asked(claim(), there, busy("a", ready_us=LONG_US), busy("b", ready_us=LONG_US)), NoRoom)


def test_what_cannot_ever_fit_says_why():
    for need, there, words in [
        (gpu_need(2), machine(gpus=1), "needs 2 GPUs"),
        (gpu_need(1, 90 * GB), machine(gpus=1), "90.0 GB"),
        (Need(hardware="cpu", memory_bytes=65 * GB), machine(), "65.0 GB"),
        (CPU, machine(counts={"cpu": 0}), "no cpu"),
    ]:
        found = asked(claim(need), there)
        assert isinstance(found, Never)
        assert words in found.why


def test_what_only_makes_starts_quick_is_given_back_and_no_instance_goes_for_it():
    need = Need(hardware="cpu", memory_bytes=8 * GB)
    there = machine(free_bytes=5 * GB, reclaimable_bytes=4 * GB)
    assert asked(claim(need), there, idle("a")) == Reclaim(3 * GB)
    promised = busy("b", Need(hardware="cpu", memory_bytes=3 * GB), taken_bytes=2 * GB)
    assert asked(claim(need), there, promised) == Reclaim(4 * GB)
    assert isinstance(asked(claim(need), machine(free_bytes=3 * GB, reclaimable_bytes=4 * GB)), NoRoom)
    assert asked(claim(need), machine(free_bytes=8 * GB, reclaimable_bytes=4 * GB)) == Placed()


def test_nothing_is_placed_while_the_disk_is_full():
    assert asked(claim(), machine(disk_is_full=True)) == NoRoom("The server's disk is full.")


def test_what_wants_a_gpu_that_does_not_answer_waits():
    there = machine(gpus=1, lost_gpus=(1,))
    assert asked(claim(gpu_need(1)), there) == Placed((0,))
    assert asked(claim(gpu_need(2)), there) == NoRoom("GPU 1 of this server does not answer.")
    assert isinstance(asked(claim(gpu_need(3)), there), Never)
    assert isinstance(asked(claim(gpu_need(1, 90 * GB)), there), NoRoom), "the other may be larger"


def test_while_the_driver_is_silent_nothing_that_needs_a_gpu_is_impossible():
    there = machine(driver_is_silent=True, counts={"gpu": 0})
    assert asked(claim(gpu_need(2, 90 * GB)), there) == NoRoom(placement.SILENT_DRIVER)
    assert asked(claim(), there) == Placed()


def test_the_least_valuable_idle_one_goes():
    there = machine(counts={"cpu": 3})
    dear = idle("dear", boot_s=100, idle_since_us=LONG_US - 60 * SECOND_US)
    cheap = idle("cheap", boot_s=1, idle_since_us=LONG_US - 60 * SECOND_US)
    recent = idle("recent", boot_s=1, idle_since_us=LONG_US - 5 * SECOND_US)
    assert asked(claim(), there, dear, cheap, recent) == MakeRoom(("cheap",))
    assert asked(claim(), there, dear, recent, busy("b")) == MakeRoom(("recent",))


def test_what_is_seldom_used_is_worth_less_though_it_was_used_just_now():
    seldom = idle("seldom", boot_s=10, idle_since_us=LONG_US - SECOND_US, gap_s=3600)
    often = idle("often", boot_s=10, idle_since_us=LONG_US - 60 * SECOND_US, gap_s=5)
    assert asked(claim(), machine(counts={"cpu": 2}), seldom, often) == MakeRoom(("seldom",))


def test_no_more_go_than_are_needed_and_the_valuable_are_spared():
    small, large = Need(hardware="cpu", memory_bytes=10 * GB), Need(hardware="cpu", memory_bytes=40 * GB)
    cheap, dear = idle("cheap", small, boot_s=1), idle("dear", large, boot_s=2)
    assert asked(claim(large), machine(), cheap, dear) == MakeRoom(("dear",))
    assert asked(claim(small), machine(memory_bytes=50 * GB), cheap, dear) == MakeRoom(("cheap",))


def test_an_instance_stays_for_a_while_after_its_boot():
    young = Holder(id="a", need=CPU, is_idle=True, ready_us=LONG_US - 9 * SECOND_US, boot_s=40)
    there = machine(counts={"cpu": 1})
    assert isinstance(asked(claim(), there, young), NoRoom)
    assert asked(claim(), there, young, now_us=LONG_US + SECOND_US) == MakeRoom(("a",))


def test_one_that_works_gets_a_longer_turn():
    there = machine(counts={"cpu": 1})
    working = busy("a", ready_us=LONG_US - 39 * SECOND_US, boot_s=10)
    assert isinstance(asked(claim(since_us=0), there, working), NoRoom)
    assert asked(claim(since_us=0), there, working, now_us=LONG_US + SECOND_US) == MakeRoom(("a",))


def test_what_is_kept_or_starts_is_never_evicted():
    there = machine(counts={"cpu": 2})
    starting = Holder(id="b", need=CPU)
    assert isinstance(asked(claim(since_us=0), there, idle("a", is_kept=True), starting), NoRoom)


def test_whoever_has_waited_too_long_is_heard():
    there = machine(counts={"cpu": 2})
    older, younger = busy("older"), busy("younger", ready_us=SECOND_US)
    late_us = LONG_US + 60 * SECOND_US
    assert isinstance(asked(claim(), there, older, younger, now_us=late_us - 1), NoRoom)
    assert asked(claim(), there, older, younger, now_us=late_us) == MakeRoom(("older",))
    slow = claim(boot_s=100)
    assert isinstance(asked(slow, there, older, younger, now_us=late_us), NoRoom)


def test_room_on_its_way_is_waited_for():
    going = busy("going", is_going=True)
    assert asked(claim(), machine(counts={"cpu": 1}), going) == MakeRoom(())


def test_a_younger_claim_does_not_get_the_room_of_an_older_one():
    there = machine(gpus=1)
    going = busy("going", gpu_need(), gpus=(0,), is_going=True)
    older = claim(gpu_need())
    made = asked(older, there, going)
    assert made == MakeRoom((), (0,))
    mark = placement.reserved(older, made.gpus)
    assert isinstance(asked(claim(gpu_need()), there, mark, now_us=LONG_US), NoRoom)


def test_memory_is_given_on_only_when_the_machine_says_that_it_is_free():
    need = Need(hardware="cpu", memory_bytes=10 * GB)
    assert isinstance(asked(claim(need), machine(free_bytes=9 * GB)), NoRoom)
    promised = Holder(id="a", need=need, taken_bytes=4 * GB)
    assert isinstance(asked(claim(need), machine(free_bytes=15 * GB), promised), NoRoom)
    assert asked(claim(need), machine(free_bytes=16 * GB), promised) == Placed()
    gpu = Gpu(index=0, memory_bytes=80 * GB, free_bytes=5 * GB)
    taken = Machine(memory_bytes=GB, free_bytes=GB, gpus=(gpu,))
    assert isinstance(asked(claim(gpu_need(1, 10 * GB)), taken), NoRoom)
    assert asked(claim(gpu_need(1, 4 * GB)), taken) == Placed((0,))


NEEDS = st.builds(
    Need,
    hardware=st.sampled_from(["cpu", "gpu"]),
    gpus=st.integers(0, 2),
    memory_bytes=st.integers(0, 10),
    gpu_memory_bytes=st.none() | st.integers(0, 10),
)


@given(st.lists(NEEDS, max_size=30), st.integers(1, 3))
def test_the_books_never_overflow_and_room_that_is_made_is_enough(needs: list[Need], gpus: int):
    there = machine(gpus=gpus, gpu_bytes=10, memory_bytes=20, counts={"cpu": 4})
    holders: list[Holder] = []
    now_us = 0
    for number, need in enumerate(needs):
        now_us += LONG_US
        found = asked(claim(need, since_us=0), there, *holders, now_us=now_us)
        if isinstance(found, MakeRoom):
            assert found.holders
            holders = [one for one in holders if one.id not in found.holders]
            found = asked(claim(need, since_us=0), there, *holders, now_us=now_us)
            assert isinstance(found, Placed)
        if isinstance(found, Placed):
            assert len(found.gpus) == need.gpus
            holders.append(idle(str(number), need, gpus=found.gpus, idle_since_us=now_us))
        assert sum(one.need.hardware == "cpu" for one in holders) <= 4
        assert sum(one.need.memory_bytes for one in holders) <= 20
        for gpu in there.gpus:
            shares = [one.need.gpu_memory_bytes for one in holders if gpu.index in one.gpus]
            assert sum(10 if share is None else share for share in shares) <= 10
