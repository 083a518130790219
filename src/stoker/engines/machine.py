"""This machine as placement sees it: memory, GPUs, cores (implements ``ports.machine.Host``)."""

import os
from collections.abc import Sequence

from stoker.core.hardware import Hardware, kind_of
from stoker.core.placement import Gpu, Machine
from stoker.host import gpus, memory

SHARE = 0.9
"""Of the machine's memory, for instances: the rest is the server's and the system's."""


class LocalMachine:
    """``hardware`` is what the operator configured: only what was counted by a person is counted here."""

    def __init__(self, hardware: Sequence[Hardware], *, memory_bytes: int | None = None):
        self._counts = {one.sku: one.count for one in hardware if one.count is not None}
        self._memory_bytes = int(memory.total_bytes() * SHARE) if memory_bytes is None else memory_bytes
        self.gpu_names = tuple(gpu.name for gpu in gpus.present())
        """Those that were there at the start."""

    def look(self) -> Machine:
        return Machine(
            memory_bytes=self._memory_bytes,
            free_bytes=memory.available_bytes(),
            gpus=tuple(
                Gpu(
                    index=gpu.index,
                    kind=kind_of(gpu.name),
                    memory_bytes=gpu.memory_bytes,
                    free_bytes=gpu.free_bytes,
                )
                for gpu in self._present()
            ),
            counts=self._counts,
        )

    @property
    def has_gpus(self) -> bool:
        return bool(self.gpu_names)

    def threads(self, gpus: int) -> int:
        cores = len(os.sched_getaffinity(0))
        if gpus and self.gpu_names:
            return max(1, cores * gpus // len(self.gpu_names))
        return max(1, cores // 2)

    def _present(self) -> list[gpus.Gpu]:
        """Nothing is asked of a driver that had nothing at the start."""
        return gpus.present() if self.gpu_names else []
