"""What the model computes on and in which precision. Used by ``pipelines`` and ``safety``."""

import os
from dataclasses import dataclass

import torch

WORK_BYTES = 8 * 1024**3
"""Beside the weights: what one step and decoding four pictures of 1024 x 1024 take in half precision."""


@dataclass(frozen=True)
class Hardware:
    device: torch.device
    dtype: torch.dtype
    free_bytes: int | None
    """Of the GPU, before anything was loaded; None on a CPU, whose memory is not counted here."""

    def holds(self, weights_bytes: int) -> bool:
        """Whether weights of that size can stay on the device while it works."""
        return self.free_bytes is None or weights_bytes + WORK_BYTES <= self.free_bytes


def find() -> Hardware:
    """The first GPU that this process may use, in half precision as the weights are published, or the CPU."""
    if torch.cuda.is_available():
        return Hardware(torch.device("cuda"), torch.float16, torch.cuda.mem_get_info()[0])
    if threads := os.environ.get("OMP_NUM_THREADS"):  # this instance's share of the cores
        torch.set_num_threads(int(threads))
    return Hardware(torch.device("cpu"), torch.float32, None)
