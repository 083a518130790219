"""Many runs at once in one process."""

import asyncio
from pathlib import Path

from tests.worker.workbench import Workbench


async def test_sixty_four_slots_run_at_once(bench: Workbench) -> None:
    started = await bench.start("shares.py:Shares", slots=64)
    assert started.told.slots == 64
    numbers = {f"n{i}": started.begin({"name": f"n{i}", "together": 64}) for i in range(64)}
    for name, number in numbers.items():
        record = await started.told.until_done(number)
        assert record.items == [*(f"{name}-{token} " for token in range(50)), "64"]


async def test_a_slot_is_free_at_once(bench: Workbench) -> None:
    started = await bench.start("shares.py:Shares", slots=1)
    for turn in range(100):
        assert (await started.succeed({"name": str(turn), "together": 1})).items[0] == f"{turn}-0 "


async def test_shutdown_lets_runs_end(bench: Workbench, tmp_path: Path) -> None:
    for function, slots in (("paused", 1), ("async_paused", 4)):
        started = await bench.start(f"grows.py:{function}", slots=slots)
        signal = tmp_path / f"go on {function}"
        number = started.begin({"path": str(signal)})
        record = started.told.run(number)
        await started.told.until(lambda record=record: len(record.outputs) == 2)
        stopping = asyncio.create_task(started.instance.stop(20))
        await asyncio.sleep(0)
        signal.touch()
        await stopping
        assert (record.status, started.told.exit_reason) == ("succeeded", "stopped")
