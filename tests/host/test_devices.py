"""GPUs keep their numbers, whatever the driver makes of them: through the driver's library, scripted."""

import threading
from collections.abc import Iterator

import pynvml
import pytest

from stoker.engines.devices import AFRESH_S, FRESH_S, PATIENCE_S, Devices
from stoker.host.gpus import Gpu
from tests.host.driver import WITHIN_S, Driver, installed


class Watched:
    """The machine's devices on a clock that a test moves."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.devices = Devices(now_s=lambda: self.now_s)

    def look(self) -> dict[int, Gpu]:
        """What is there now, by an answer to a question that was asked now."""
        self.now_s += FRESH_S
        self.devices.present()
        assert self.devices._inquiry.wait(WITHIN_S)
        return self.devices.present()


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Driver]:
    """Three GPUs."""
    scripted = installed(monkeypatch, "A", "B", "C")
    yield scripted
    scripted.go_on()


def test_one_that_is_lost_is_named_and_comes_back(driver: Driver) -> None:
    watched = Watched()
    assert {number: gpu.uuid for number, gpu in watched.look().items()} == {0: "A", 1: "B", 2: "C"}
    driver.lost.add("B")
    assert list(watched.look()) == [0, 2]
    assert watched.devices.lost() == {1: "NVIDIA B"}
    driver.lost.clear()
    assert list(watched.look()) == [0, 1, 2]


def test_the_driver_may_number_the_others_anew(driver: Driver) -> None:
    """A library that was opened afresh does not see what has gone; the numbers of the rest move up."""
    watched = Watched()
    driver.there.remove("B")
    driver.lost.add("B")
    watched.now_s = AFRESH_S
    assert {number: gpu.uuid for number, gpu in watched.look().items()} == {0: "A", 2: "C"}
    assert watched.devices.visible((0, 2)) == (0, 1)
    driver.there.insert(1, "B")
    driver.lost.clear()
    assert list(watched.look()) == [0, 2], "not asked afresh each time"
    watched.now_s += AFRESH_S
    assert list(watched.look()) == [0, 1, 2]
    assert watched.devices.visible((0, 2)) == (0, 2)


def test_a_driver_that_fails_altogether_has_lost_all(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched()

    def fail() -> int:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_UNKNOWN)

    monkeypatch.setattr(pynvml, "nvmlDeviceGetCount", fail)
    assert watched.look() == {}
    assert list(watched.devices.lost()) == [0, 1, 2]
    assert not watched.devices.is_silent


def test_one_that_hangs_is_silent_until_it_answers(driver: Driver) -> None:
    """Nobody waits for it, it is asked once, and one thread is all that hangs."""
    watched = Watched()
    devices, before = watched.devices, set(threading.enumerate())
    driver.hang()
    watched.now_s += FRESH_S
    asked = driver.asked
    assert list(devices.present()) == [0, 1, 2]
    assert driver.hung.wait(WITHIN_S)
    watched.now_s += PATIENCE_S / 2
    assert (list(devices.present()), devices.is_silent) == ([0, 1, 2], False)
    for _ in range(100):
        watched.now_s += PATIENCE_S
        assert (devices.present(), devices.is_silent) == ({}, True)
    assert list(devices.lost()) == [0, 1, 2]
    assert devices.visible((2, 0)) == (2, 0)
    assert driver.asked == asked + 1
    assert len({one for one in threading.enumerate() if one.name == "inquiry"} - before) == 1
    driver.go_on()
    assert devices._inquiry.wait(WITHIN_S)
    assert list(watched.look()) == [0, 1, 2]
    assert not devices.is_silent


def test_one_that_hangs_at_the_start_is_not_waited_for(driver: Driver) -> None:
    driver.hang()
    devices = Devices(first_within_s=0.0)
    assert devices.never_answered
    assert devices.is_silent
    assert (devices.present(), devices.lost(), devices.names, devices.taken_bytes([1])) == ({}, {}, (), 0)


def test_what_processes_take_is_told_of_where_they_take_most(driver: Driver) -> None:
    watched = Watched()
    driver.taken = {"A": {1: 10, 2: 30, 3: None}, "B": {1: 25, 9: 99}}
    watched.look()
    assert watched.devices.taken_bytes([1, 3]) == 25
    assert watched.devices.taken_bytes([1, 2]) == 40
    driver.hang()
    watched.now_s += FRESH_S
    watched.devices.present()
    watched.now_s += PATIENCE_S
    assert watched.devices.present() == {}
    assert watched.devices.taken_bytes([1, 2]) == 40, "as it was last known"


def test_a_question_that_fails_is_no_answer(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched()
    monkeypatch.setattr(pynvml, "nvmlDeviceGetCount", lambda: 1 // 0)
    assert watched.look() == {}
    assert watched.devices.is_silent
    monkeypatch.setattr(pynvml, "nvmlDeviceGetCount", driver.nvmlDeviceGetCount)
    assert list(watched.look()) == [0, 1, 2]


def test_without_any_at_the_start_nothing_is_asked(driver: Driver) -> None:
    driver.there.clear()
    devices = Devices()
    asked = driver.asked
    assert (devices.present(), devices.lost(), devices.names) == ({}, {}, ())
    assert (driver.asked, devices.never_answered, devices.is_silent) == (asked, False, False)
