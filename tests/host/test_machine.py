"""What the machine tells placement and people of itself."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from stoker.engines.machine import LocalMachine
from stoker.host import gpus, memory
from stoker.host.gpus import Gpu

MB = 10**6


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalMachine:
    """One that has been given two GPUs, and is well."""
    there = [Gpu(n, f"GPU-{n}", "NVIDIA A40", 48_000 * MB, 48_000 * MB) for n in range(2)]
    monkeypatch.setattr(gpus, "present", lambda: there)
    monkeypatch.setattr(memory, "total_bytes", lambda: 1000 * MB)
    monkeypatch.setattr(memory, "available_bytes", lambda: 500 * MB)
    monkeypatch.setattr(os, "statvfs", lambda path: SimpleNamespace(f_bavail=100, f_frsize=MB))
    return LocalMachine((), data_dir=tmp_path, disk_spare_bytes=64 * MB)


def test_one_that_is_well_has_no_troubles(machine: LocalMachine) -> None:
    assert machine.troubles() == []
    seen = machine.look()
    assert (seen.disk_is_full, seen.lost_gpus, len(seen.gpus)) == (False, (), 2)


def test_troubles_are_told_a_sentence_each(machine: LocalMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available_bytes", lambda: 20 * MB)
    monkeypatch.setattr(os, "statvfs", lambda path: SimpleNamespace(f_bavail=63, f_frsize=MB))
    monkeypatch.setattr(gpus, "present", lambda: [])
    assert machine.troubles() == [
        "The disk is full: 63 MB are left. Nothing new is taken.",
        "Memory is short: 20 MB of 1000 MB are free.",
        "GPU 0 (NVIDIA A40) does not answer.",
        "GPU 1 (NVIDIA A40) does not answer.",
    ]
    seen = machine.look()
    assert (seen.disk_is_full, seen.lost_gpus, seen.gpus) == (True, (0, 1), ())
