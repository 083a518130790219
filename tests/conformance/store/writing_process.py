"""Writes predictions until it is killed, and says each change on stdout once it was acknowledged.

Half of the writes do not wait for the disk; the death of the process must not take those back either.

Run by the crash test: ``python writing_process.py DATA_DIR PREFIX``.
"""

import asyncio
import os
import sys
from pathlib import Path

from stoker.core.prediction import Ending, Prediction, Status
from stoker.ports.store import Delivery
from stoker.store.sqlite import SqliteStore

CALLERS = 12


def say(*words: str) -> None:
    os.write(1, f"{' '.join(words)}\n".encode())


async def write(store: SqliteStore, caller: str) -> None:
    number = 0
    while True:
        number += 1
        synced = number % 2 == 0
        id = f"{caller}-{number}"
        owed = [Delivery(id=f"msg-{id}", prediction=id, event="completed", created_us=number)]
        await store.predictions.accept(
            Prediction(id=id, account="ann", model="ann/m", version="v", created_us=number, stream_key=id),
            synced=synced,
        )
        say(id, Status.STARTING)
        assert await store.predictions.start(id, number, synced=synced)
        say(id, Status.PROCESSING)
        ending = Ending(status=Status.SUCCEEDED, completed_us=number, logs="x" * (number % 7 * 1000))
        assert await store.predictions.finish(id, ending, owed, synced=synced)
        say(id, Status.SUCCEEDED)


async def main(data_dir: str, prefix: str) -> None:
    store = await SqliteStore.open(Path(data_dir))
    await asyncio.gather(*(write(store, f"{prefix}-{caller}") for caller in range(CALLERS)))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
