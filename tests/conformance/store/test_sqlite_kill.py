"""Killed at any moment, the store opens again and has everything that it had acknowledged."""

import asyncio
import random
import subprocess
import sys
from pathlib import Path

from stoker.core.prediction import Status
from stoker.store.sqlite import SqliteStore
from tests.conformance.store import writing_process

ROUNDS = 10
ORDER = [Status.STARTING, Status.PROCESSING, Status.SUCCEEDED]
FAR_US = 10**15


def killed_after(lines: int, *, data_dir: Path, prefix: str) -> dict[str, Status]:
    """Lets the process write until it has said so many lines, kills it; the last status said of each."""
    command = [sys.executable, writing_process.__file__, str(data_dir), prefix]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    with process.stdout as said:
        heard = [said.readline() for _ in range(lines)]
        process.kill()
        heard += said.readlines()
    process.wait(timeout=30)
    said_of = dict(line.decode().split() for line in heard if line.endswith(b"\n"))
    return {id: Status(status) for id, status in said_of.items()}


async def check(data_dir: Path, acknowledged: dict[str, Status]) -> None:
    store = await SqliteStore.open(data_dir)
    owed = {delivery.prediction for delivery in await store.outbox.due(FAR_US, limit=10**6)}
    for id, status in acknowledged.items():
        found = await store.predictions.get(id)
        assert found is not None, f"{id} was lost"
        assert ORDER.index(found.status) >= ORDER.index(status), (
            f"{id} went back from {status} to {found.status}"
        )
        assert (id in owed) == (found.status is Status.SUCCEEDED)
    await store.close()


def test_what_was_acknowledged_is_there_after_a_kill(tmp_path: Path):
    chance = random.Random(2026)
    acknowledged: dict[str, Status] = {}
    for number in range(ROUNDS):
        lines = chance.randrange(1, 400)
        acknowledged |= killed_after(lines, data_dir=tmp_path, prefix=f"round{number}")
        asyncio.run(asyncio.wait_for(check(tmp_path, acknowledged), 60))
    assert len(acknowledged) >= ROUNDS
