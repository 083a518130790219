"""Which NVIDIA GPUs this machine has, by the driver's own library. Without a driver there are none.

``CUDA_VISIBLE_DEVICES`` of the server's environment is respected: what the operator hides, nobody gets. Any
call here may hang where a GPU has fallen off the bus: the event loop never makes one (``inquiry``).
"""

import contextlib
import os
from collections.abc import Iterator
from typing import Any

import msgspec
import pynvml


class Gpu(msgspec.Struct, frozen=True):
    index: int
    """As NVIDIA's tools number them, by their places on the bus."""
    uuid: str
    name: str
    memory_bytes: int
    free_bytes: int
    taken_bytes: dict[int, int] = {}
    """What each process takes, by its id."""


def present() -> list[Gpu]:
    """All that answer; one that has fallen off the bus does not."""
    if not _initialised():
        return []
    with _quiet():
        found = [gpu for index in range(pynvml.nvmlDeviceGetCount()) if (gpu := _gpu(index)) is not None]
        return [gpu for gpu in found if _is_visible(gpu)]
    return []


def ask_afresh() -> None:
    """Has the driver's library look at the machine anew: it remembers what it saw when it was opened."""
    with _quiet():
        pynvml.nvmlShutdown()
    _library.is_open = False


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """A driver that fails has no GPUs."""
    try:
        yield
    except pynvml.NVMLError:
        return


class _Library:
    is_open = False


_library = _Library()


def _initialised() -> bool:
    if not _library.is_open:
        with _quiet():
            pynvml.nvmlInit()
            _library.is_open = True
    return _library.is_open


def _gpu(index: int) -> Gpu | None:
    with _quiet():
        handle = pynvml.nvmlDeviceGetHandleByIndex(index)
        memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
        name, uuid = _text(pynvml.nvmlDeviceGetName(handle)), _text(pynvml.nvmlDeviceGetUUID(handle))
        return Gpu(index, uuid, name, int(memory.total), int(memory.free), _taken_bytes(handle))
    return None


def _taken_bytes(handle: Any) -> dict[int, int]:
    """Nothing where the driver does not tell, as in some containers."""
    with _quiet():
        running = pynvml.nvmlDeviceGetComputeRunningProcesses(handle)
        return {one.pid: one.usedGpuMemory or 0 for one in running}
    return {}


def _text(value: Any) -> str:
    """Older drivers' bindings give bytes."""
    return value.decode() if isinstance(value, bytes) else str(value)


def _is_visible(gpu: Gpu) -> bool:
    shown = os.environ.get("CUDA_VISIBLE_DEVICES")
    if shown is None:
        return True
    names = [name.strip() for name in shown.split(",") if name.strip()]
    return any(name == str(gpu.index) or (name and gpu.uuid.startswith(name)) for name in names)
