"""This machine as placement sees it: memory, GPUs, cores, disk (implements ``ports.machine.Host``)."""

import os
from collections.abc import Sequence
from pathlib import Path

from stoker.core.hardware import Hardware, kind_of
from stoker.core.placement import Gpu, Machine
from stoker.engines.devices import Devices
from stoker.host import memory

SHARE = 0.9
"""Of the machine's memory, for instances: the rest is the server's and the system's."""
SHORT = 0.03
"""Of the memory, available: with less the kernel may end processes at any moment."""
SILENT = "The GPU driver does not answer. What runs on a GPU goes on, and nothing new is put there."
NEVER_ANSWERED = (
    "The GPU driver did not answer when the server started, so no GPU is used, and what needs one waits. "
    "Restart the server once nvidia-smi answers."
)


class LocalMachine:
    """``hardware`` is what the operator configured: only what was counted by a person is counted here.

    The disk is the one that ``data_dir`` is on; with less than ``disk_spare_bytes`` left it is full.
    """

    def __init__(
        self,
        hardware: Sequence[Hardware],
        devices: Devices,
        *,
        data_dir: Path,
        memory_bytes: int | None = None,
        disk_spare_bytes: int = 0,
    ):
        self._counts = {one.sku: one.count for one in hardware if one.count is not None}
        self._memory_bytes = int(memory.total_bytes() * SHARE) if memory_bytes is None else memory_bytes
        self._data_dir = data_dir
        self._disk_spare_bytes = disk_spare_bytes
        self._devices = devices
        self.gpu_names = devices.names
        """Those that were there at the start."""

    def look(self) -> Machine:
        present = self._devices.present()
        return Machine(
            memory_bytes=self._memory_bytes,
            free_bytes=memory.available_bytes(),
            gpus=tuple(
                Gpu(
                    index=number,
                    kind=kind_of(gpu.name),
                    memory_bytes=gpu.memory_bytes,
                    free_bytes=gpu.free_bytes,
                )
                for number, gpu in present.items()
            ),
            lost_gpus=tuple(number for number in self._devices.numbers if number not in present),
            driver_is_silent=self._devices.is_silent,
            driver_answer=self._devices.answer,
            disk_is_full=self.disk_is_full,
            counts=self._counts,
        )

    @property
    def disk_is_full(self) -> bool:
        return self._disk_left_bytes() < self._disk_spare_bytes

    def troubles(self) -> list[str]:
        found = self._gpu_troubles()
        left_bytes, all_bytes = memory.available_bytes(), memory.total_bytes()
        if left_bytes < all_bytes * SHORT:
            found.insert(
                0, f"Memory is short: {left_bytes / 1e6:.0f} MB of {all_bytes / 1e6:.0f} MB are free."
            )
        if self.disk_is_full:
            left_mb = self._disk_left_bytes() / 1e6
            found.insert(0, f"The disk is full: {left_mb:.0f} MB are left. Nothing new is taken.")
        return found

    @property
    def has_gpus(self) -> bool:
        return bool(self.gpu_names) or self._devices.never_answered

    def visible(self, gpus: Sequence[int]) -> tuple[int, ...]:
        return self._devices.visible(gpus)

    def threads(self, gpus: int) -> int:
        cores = len(os.sched_getaffinity(0))
        if gpus and self.gpu_names:
            return max(1, cores * gpus // len(self.gpu_names))
        return max(1, cores // 2)

    def _gpu_troubles(self) -> list[str]:
        lost = self._devices.lost()
        if self._devices.never_answered:
            return [NEVER_ANSWERED]
        if self._devices.is_silent:
            return [SILENT]
        return [f"GPU {number} ({name}) does not answer." for number, name in lost.items()]

    def _disk_left_bytes(self) -> int:
        """What others than root may still take."""
        disk = os.statvfs(self._data_dir)
        return disk.f_bavail * disk.f_frsize
