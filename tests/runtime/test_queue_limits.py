"""How much may wait, and what the next one hears."""

from pathlib import Path

import pytest

from stoker.core.errors import TooManyWaiting, Unavailable
from tests.runtime.stage import Stage, play


def test_an_account_may_have_so_many_in_line_for_whatever(tmp_path: Path):
    async def story(stage: Stage) -> None:
        one, two = await stage.version("one"), await stage.version("two")
        waiting = [await stage.submit(version) for version in (one, one, two)]
        with pytest.raises(TooManyWaiting, match="3 of your predictions are waiting") as raised:
            await stage.submit(one)
        assert raised.value.reset_s == 30
        await stage.submit(one, account="other")
        await stage.dispatcher.cancel(waiting[0].id)
        await stage.submit(one)

    play(tmp_path, story, queue_limit_per_account=3)


def test_so_many_may_wait_for_one_version(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        await stage.submit(version)
        await stage.submit(version, account="other")
        with pytest.raises(Unavailable, match="2 predictions wait for this model"):
            await stage.submit(version, account="third")
        await stage.submit(await stage.version("n"), account="third")
        instance = await stage.instance()
        assert len(instance.runs) == 1
        await stage.submit(version, account="third")

    play(tmp_path, story, queue_limit=2)


def test_none_is_refused_while_a_slot_is_free(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        await stage.submit(version)
        instance = await stage.instance(slots=2)
        await stage.submit(version)
        assert len(instance.runs) == 2

    play(tmp_path, story, queue_limit=1, queue_limit_per_account=1)
