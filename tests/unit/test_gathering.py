"""What is written in one turn of the event loop leaves as one piece, in order, and nothing of it is lost."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from stoker.main.gathering import MOST_BYTES, Gathered


class Recorded(asyncio.Transport):
    """Remembers what reaches it."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[bytes | str] = []
        self._closing = False

    def writelines(self, list_of_data: Iterable[Any]) -> None:
        self.seen.append(b"".join(list_of_data))

    def close(self) -> None:
        self._closing = True
        self.seen.append("closed")

    def is_closing(self) -> bool:
        return self._closing


def written(scenario: Callable[[Gathered, Recorded], Awaitable[None]]) -> list[bytes | str]:
    async def run() -> list[bytes | str]:
        below = Recorded()
        await scenario(Gathered(below, asyncio.get_running_loop()), below)
        await asyncio.sleep(0)
        return below.seen

    return asyncio.run(run())


def test_a_turn_is_a_piece():
    async def scenario(transport: Gathered, below: Recorded) -> None:
        transport.write(b"head ")
        transport.write(b"body")
        assert below.seen == []
        await asyncio.sleep(0)
        transport.write(b"event")

    assert written(scenario) == [b"head body", b"event"]


def test_what_was_written_goes_before_the_end():
    async def scenario(transport: Gathered, below: Recorded) -> None:
        transport.write(b"bye")
        transport.close()

    assert written(scenario) == [b"bye", "closed"]


def test_much_does_not_wait():
    much = b"x" * (MOST_BYTES + 1)

    async def scenario(transport: Gathered, below: Recorded) -> None:
        transport.write(b"head ")
        transport.write(much)
        assert below.seen == [b"head " + much]
        transport.write(b"tail")

    assert written(scenario) == [b"head " + much, b"tail"]


def test_nothing_is_written_to_a_client_that_hung_up():
    async def scenario(transport: Gathered, below: Recorded) -> None:
        transport.write(b"answer")
        below.close()

    assert written(scenario) == ["closed"]
