"""The other end of a connection: has it gone, and does it still send what nobody wants?"""

import asyncio
import contextlib
from collections.abc import Callable

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

LINGER_S = 5.0


class Reader:
    """Watches a connection from its creation until ``release``; ``on_gone`` is called once it is closed."""

    def __init__(self, receive: Receive, on_gone: Callable[[], None] | None = None):
        self.gone = False
        self._on_gone = on_gone
        self._watch = asyncio.ensure_future(self._wait(receive))

    def release(self) -> None:
        self._watch.cancel()

    async def _wait(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.gone = True
        if self._on_gone is not None:
            self._on_gone()


class LastWord(Response):
    """An answer to a body that is not read to its end, before the connection is closed.

    Closing while the client still sends would reset the connection, and most clients would never see the
    answer; so what comes for a while after it is thrown away.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        # Whoever asked whether to go on has got the answer, and sends nothing.
        if not any(name == b"expect" for name, _ in scope["headers"]):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(_drain(receive), LINGER_S)
        await send({"type": "http.response.body"})


async def _drain(receive: Receive) -> None:
    while (await receive()).get("more_body"):
        pass
