"""What the machine tells placement and people of itself."""

import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from stoker.engines.devices import Devices
from stoker.engines.machine import NEVER_ANSWERED, SILENT, LocalMachine
from stoker.host import memory
from tests.host.driver import Driver, installed
from tests.host.test_devices import Watched

MB = 10**6


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Driver]:
    scripted = installed(monkeypatch, "A40", "T4")
    yield scripted
    scripted.go_on()


@pytest.fixture
def watched(driver: Driver) -> Watched:
    """Its two GPUs."""
    return Watched()


@pytest.fixture
def machine(tmp_path: Path, watched: Watched, monkeypatch: pytest.MonkeyPatch) -> LocalMachine:
    """One that is well."""
    monkeypatch.setattr(memory, "total_bytes", lambda: 1000 * MB)
    monkeypatch.setattr(memory, "available_bytes", lambda: 500 * MB)
    monkeypatch.setattr(os, "statvfs", lambda path: SimpleNamespace(f_bavail=100, f_frsize=MB))
    return LocalMachine((), watched.devices, data_dir=tmp_path, disk_spare_bytes=64 * MB)


def test_one_that_is_well_has_no_troubles(machine: LocalMachine) -> None:
    assert machine.troubles() == []
    seen = machine.look()
    assert (seen.disk_is_full, seen.lost_gpus, len(seen.gpus)) == (False, (), 2)


def test_troubles_are_told_a_sentence_each(
    machine: LocalMachine, watched: Watched, driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "available_bytes", lambda: 20 * MB)
    monkeypatch.setattr(os, "statvfs", lambda path: SimpleNamespace(f_bavail=63, f_frsize=MB))
    driver.lost = {"A40", "T4"}
    watched.look()
    assert machine.troubles() == [
        "The disk is full: 63 MB are left. Nothing new is taken.",
        "Memory is short: 20 MB of 1000 MB are free.",
        "GPU 0 (NVIDIA A40) does not answer.",
        "GPU 1 (NVIDIA T4) does not answer.",
    ]
    seen = machine.look()
    assert (seen.disk_is_full, seen.lost_gpus, seen.gpus) == (True, (0, 1), ())
    assert not seen.driver_is_silent


def test_a_driver_that_hangs_is_a_trouble_of_its_own(
    machine: LocalMachine, watched: Watched, driver: Driver
) -> None:
    driver.hang()
    watched.now_s += 1
    machine.look()
    watched.now_s += 100
    seen = machine.look()
    assert (seen.lost_gpus, seen.gpus, seen.driver_is_silent) == ((0, 1), (), True)
    assert machine.troubles() == [SILENT]
    driver.go_on()
    watched.look()
    assert machine.troubles() == []
    assert len(machine.look().gpus) == 2


def test_each_answer_of_the_driver_has_its_number(
    machine: LocalMachine, watched: Watched, driver: Driver
) -> None:
    """Who looks more often than the driver answers is told the same one again."""
    watched.look()
    before = machine.look().driver_answer
    driver.hang()
    watched.now_s += 1
    assert {machine.look().driver_answer for _ in range(3)} == {before}
    driver.go_on()
    watched.look()
    assert machine.look().driver_answer > before


def test_a_driver_that_hangs_at_the_start_leaves_a_machine_without_gpus(
    machine: LocalMachine, driver: Driver, tmp_path: Path
) -> None:
    driver.hang()
    late = LocalMachine((), Devices(first_within_s=0.0), data_dir=tmp_path)
    seen = late.look()
    assert (seen.gpus, seen.lost_gpus, seen.driver_is_silent) == ((), (), True)
    assert late.has_gpus, "so that they are hidden from models"
    assert late.visible(()) == ()
    assert late.troubles() == [NEVER_ANSWERED]
