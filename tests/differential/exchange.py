"""The web as the scenarios see it: gives files to models, hears from them, takes webhooks of Cog's server."""

import json
from collections.abc import Callable
from typing import Any, Self

from tests.web_server import Posted, Web

WITHIN_S = 30

FILES = {
    "/photo.png": b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
    "/plain.txt": b"some text\n",
    "/a%20b%2Bc.jpg": b"\xff\xd8 not really",
    "/no-extension": b"RIFF",
    "/empty.bin": b"",
}


class Exchange(Web):
    def __init__(self) -> None:
        super().__init__()
        self.files.update(FILES)

    def __enter__(self) -> Self:
        super().__enter__()
        return self

    def begun_url(self, id: str) -> str:
        """Where a model tells that it has begun."""
        return f"{self.url}/begun/{id}"

    def webhook_url(self, id: str) -> str:
        return f"{self.url}/webhook/{id}"

    def await_begun(self, id: str) -> None:
        """Returns when the model has told it. Raises ``TimeoutError``."""
        self._await(f"/begun/{id}", lambda posted: True, WITHIN_S)

    def await_state(
        self, id: str, wanted: Callable[[dict[str, Any]], bool], *, within_s: float = WITHIN_S
    ) -> dict[str, Any]:
        """The first state of that prediction, told by webhooks, that is wanted. Raises ``TimeoutError``."""
        posted = self._await(f"/webhook/{id}", lambda posted: wanted(json.loads(posted.body)), within_s)
        return json.loads(posted.body)

    def _await(self, path: str, wanted: Callable[[Posted], bool], within_s: float) -> Posted:
        def found() -> Posted | None:
            return next((posted for posted in self.posted if posted.path == path and wanted(posted)), None)

        with self.arrived:
            if posted := self.arrived.wait_for(found, within_s):
                return posted
        bodies = [posted.body for posted in self.posted if posted.path == path]
        raise TimeoutError(f"nothing wanted came to {path} in time: {bodies}")
