"""What is wrong is told to whoever asks, once a second from the machine, and in the log as it changes."""

import asyncio
import logging
from pathlib import Path
from typing import Any

import msgspec
import pytest

from stoker.core.errors import StorageFull
from stoker.core.prediction import Status
from stoker.runtime.ledger import Ledger
from stoker.runtime.troubles import Troubles
from tests.runtime.stage import Stage, play, until


def of(stage: Stage, ledger: Ledger | None = None) -> Troubles:
    ledger = ledger or Ledger(store=stage.store, clock=stage.clock, owed=lambda: None)
    return Troubles(host=stage.host, ledger=ledger, clock=stage.clock)


def fill(stage: Stage, *, full: bool) -> None:
    stage.host.machine = msgspec.structs.replace(stage.host.machine, disk_is_full=full)


def test_a_full_disk_is_told_when_it_begins_and_when_it_is_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    async def story(stage: Stage) -> None:
        troubles = of(stage)
        fill(stage, full=True)
        with pytest.raises(StorageFull):
            troubles.check_disk()
        for _ in range(3):
            troubles.step(stage.clock.advance(1))
        fill(stage, full=False)
        troubles.check_disk()
        assert troubles.now() == ["The disk is full."], "the machine is not asked each time"
        for _ in range(3):
            troubles.step(stage.clock.advance(1))
        assert troubles.now() == []

    with caplog.at_level(logging.WARNING, "stoker.runtime.troubles"):
        play(tmp_path, story)
    assert [record.getMessage() for record in caplog.records] == [
        "trouble: The disk is full.",
        "over: The disk is full.",
    ]


def test_what_could_not_be_written_is_counted_until_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async def story(stage: Stage) -> None:
        troubles = of(stage, stage.dispatcher._ledger)
        version = await stage.version()
        live = await stage.submit(version)
        instance = await stage.instance()
        real, is_full = stage.store.predictions.finish, True

        async def finish(*args: Any, **options: Any) -> bool:
            if is_full:
                raise StorageFull
            return await real(*args, **options)

        monkeypatch.setattr(stage.store.predictions, "finish", finish)
        instance.succeed(1)
        await until(lambda: bool(troubles.now()))
        assert troubles.now() == ["Changes of predictions that could not be written yet: 1."]
        is_full = False
        while not live.over:
            await asyncio.sleep(0)
            stage.clock.advance(1)
        assert live.seen.status is Status.SUCCEEDED
        assert troubles.now() == []

    play(tmp_path, story)
