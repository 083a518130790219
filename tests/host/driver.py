"""The GPU driver's library, scripted: what it numbers, what it has lost, and whether it answers at all."""

import threading
from types import SimpleNamespace

import pynvml
import pytest

from stoker.host import gpus

WITHIN_S = 30.0


class Driver:
    """What the library tells: it numbers what was there when it was opened, and some of it may be lost."""

    def __init__(self, *uuids: str) -> None:
        self.there = list(uuids)
        self.lost: set[str] = set()
        self.taken: dict[str, dict[int, int | None]] = {}
        """What processes take of each, by their ids."""
        self.asked = 0
        self.hung = threading.Event()
        """Somebody waits for it."""
        self._goes_on = threading.Event()
        self._goes_on.set()
        self._seen: list[str] | None = None

    def hang(self) -> None:
        """From now on it answers nobody."""
        self._goes_on.clear()

    def go_on(self) -> None:
        """It answers all who waited."""
        self._goes_on.set()

    def nvmlInit(self) -> None:
        self._seen = list(self.there)

    def nvmlShutdown(self) -> None:
        self._seen = None

    def nvmlDeviceGetCount(self) -> int:
        assert self._seen is not None
        self.asked += 1
        if not self._goes_on.is_set():
            self.hung.set()
            assert self._goes_on.wait(WITHIN_S)
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

    def nvmlDeviceGetComputeRunningProcesses(self, handle: str) -> list[SimpleNamespace]:
        if handle not in self.taken:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)
        return [SimpleNamespace(pid=pid, usedGpuMemory=size) for pid, size in self.taken[handle].items()]


def installed(monkeypatch: pytest.MonkeyPatch, *uuids: str) -> Driver:
    """In the place of the real one, for the test."""
    scripted = Driver(*uuids)
    for name in dir(scripted):
        if name.startswith("nvml"):
            monkeypatch.setattr(pynvml, name, getattr(scripted, name))
    monkeypatch.setattr(gpus._library, "is_open", False)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return scripted
