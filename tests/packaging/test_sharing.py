"""Work that is done once for all who want it."""

import asyncio

import pytest

from stoker.packaging.sharing import OnLine, Shared


def test_all_get_the_result_and_hear_the_output() -> None:
    async def story() -> None:
        shared = Shared[int]()
        go = asyncio.Event()
        calls = 0

        async def work(tell: OnLine) -> int:
            nonlocal calls
            calls += 1
            await go.wait()
            tell("working")
            return 7

        heard: list[str] = []
        waiting = [asyncio.create_task(shared.run("a", work, heard.append)) for _ in range(3)]
        await asyncio.sleep(0)
        go.set()
        assert await asyncio.gather(*waiting) == [7, 7, 7]
        assert calls == 1
        assert heard == ["working"] * 3
        assert await shared.run("a", work) == 7
        assert calls == 2

    asyncio.run(story())


def test_the_last_one_out_stops_it_and_a_newcomer_starts_anew() -> None:
    async def story() -> None:
        shared = Shared[str]()
        cleaned: list[int] = []
        runs = 0
        may_clean = asyncio.Event()

        async def work(tell: OnLine) -> str:
            nonlocal runs
            runs += 1
            number = runs
            if number == 2:
                return "second"
            try:
                await asyncio.Event().wait()
            finally:
                await may_clean.wait()
                cleaned.append(number)
            return "never"

        first, second = (asyncio.create_task(shared.run("a", work)) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.wait([first])
        assert runs == 1 and not cleaned
        second.cancel()
        await asyncio.sleep(0)
        third = asyncio.create_task(shared.run("a", work))
        await asyncio.sleep(0)
        may_clean.set()
        assert await third == "second"
        assert cleaned == [1]
        with pytest.raises(asyncio.CancelledError):
            await second

    asyncio.run(story())


def test_all_get_the_error() -> None:
    async def story() -> None:
        shared = Shared[None]()

        async def work(tell: OnLine) -> None:
            raise ValueError("no")

        results = await asyncio.gather(*(shared.run("a", work) for _ in range(2)), return_exceptions=True)
        assert [str(result) for result in results] == ["no", "no"]

    asyncio.run(story())
