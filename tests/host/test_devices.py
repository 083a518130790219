"""GPUs keep their numbers, whatever the driver makes of them: through the driver's library, scripted."""

from types import SimpleNamespace

import pynvml
import pytest

from stoker.engines.devices import AFRESH_S, Devices
from stoker.host import gpus


class Driver:
    """What the library tells: it numbers what was there when it was opened, and some of it may be lost."""

    def __init__(self, *uuids: str) -> None:
        self.there = list(uuids)
        self.lost: set[str] = set()
        self._seen: list[str] | None = None

    def nvmlInit(self) -> None:
        self._seen = list(self.there)

    def nvmlShutdown(self) -> None:
        self._seen = None

    def nvmlDeviceGetCount(self) -> int:
        assert self._seen is not None
        return len(self._seen)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> str:
        assert self._seen is not None
        if self._seen[index] in self.lost:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_GPU_IS_LOST)
        return self._seen[index]

    def nvmlDeviceGetMemoryInfo(self, handle: str) -> SimpleNamespace:
        return SimpleNamespace(total=80, free=40)

    def nvmlDeviceGetName(self, handle: str) -> str:
        return f"NVIDIA {handle}"

    def nvmlDeviceGetUUID(self, handle: str) -> str:
        return handle


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Driver:
    """Three GPUs."""
    scripted = Driver("A", "B", "C")
    for name in dir(scripted):
        if name.startswith("nvml"):
            monkeypatch.setattr(pynvml, name, getattr(scripted, name))
    monkeypatch.setattr(gpus._library, "is_open", False)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return scripted


def test_one_that_is_lost_is_named_and_comes_back(driver: Driver) -> None:
    devices = Devices(now_s=lambda: 0.0)
    assert {number: gpu.uuid for number, gpu in devices.present().items()} == {0: "A", 1: "B", 2: "C"}
    driver.lost.add("B")
    assert list(devices.present()) == [0, 2]
    assert devices.lost() == {1: "NVIDIA B"}
    driver.lost.clear()
    assert list(devices.present()) == [0, 1, 2]


def test_the_driver_may_number_the_others_anew(driver: Driver) -> None:
    """A library that was opened afresh does not see what has gone; the numbers of the rest move up."""
    now_s = [0.0]
    devices = Devices(now_s=lambda: now_s[0])
    driver.there.remove("B")
    driver.lost.add("B")
    now_s[0] = AFRESH_S
    assert {number: gpu.uuid for number, gpu in devices.present().items()} == {0: "A", 2: "C"}
    assert devices.visible((0, 2)) == (0, 1)
    driver.there.insert(1, "B")
    driver.lost.clear()
    assert list(devices.present()) == [0, 2], "not asked afresh each time"
    now_s[0] = 2 * AFRESH_S
    assert list(devices.present()) == [0, 1, 2]
    assert devices.visible((0, 2)) == (0, 2)


def test_a_driver_that_fails_altogether_has_lost_all(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    devices = Devices(now_s=lambda: 0.0)

    def fail() -> int:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_UNKNOWN)

    monkeypatch.setattr(pynvml, "nvmlDeviceGetCount", fail)
    assert devices.present() == {}
    assert list(devices.lost()) == [0, 1, 2]


def test_without_any_at_the_start_nothing_is_asked(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    driver.there.clear()
    devices = Devices()
    monkeypatch.setattr(pynvml, "nvmlDeviceGetCount", lambda: pytest.fail("it was asked"))
    assert (devices.present(), devices.lost(), devices.names) == ({}, {}, ())
