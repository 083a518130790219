"""Cog's own servers, one at a time, and our one server."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.differential.cog_server import CogServer
from tests.differential.exchange import Exchange
from tests.differential.scenarios import MODELS
from tests.differential.sides import CogSide, OurSide
from tests.servers import StokerServer


class CogServers:
    """The server of the model that was asked for last; the one before it is ended."""

    def __init__(self) -> None:
        self._model: str | None = None
        self._server: CogServer | None = None

    def serving(self, model: str, schema: dict[str, Any]) -> CogServer:
        """A server of that model, set up."""
        if self._server is None or self._model != model:
            self.stop()
            self._model, self._server = model, CogServer(MODELS / model, schema)
            assert self._server.wait_set_up()["status"] == "READY", self._server.log()
        return self._server

    def stop(self) -> None:
        if self._server is not None:
            self._server.stop()
        self._server = None


class Sides:
    """Both sides of a model."""

    def __init__(
        self, client: httpx.Client, pushed: Callable[[str], str], cogs: CogServers, exchange: Exchange
    ):
        self._client, self._pushed, self._exchange = client, pushed, exchange
        self._schemas: dict[str, dict[str, Any]] = {}
        self.cogs = cogs

    def ours(self, model: str) -> OurSide:
        return OurSide(self._client, self._pushed(model), self._exchange)

    def cog(self, model: str) -> CogSide:
        return CogSide(self.cogs.serving(model, self.schema(model)), self._exchange)

    def schema(self, model: str) -> dict[str, Any]:
        """The schema that we serve for the model."""
        if model not in self._schemas:
            path = f"/v1/models/local/{model}/versions/{self._pushed(model)}"
            self._schemas[model] = self._client.get(path).json()["openapi_schema"]
        return self._schemas[model]


@pytest.fixture(scope="session")
def exchange() -> Iterator[Exchange]:
    with Exchange() as exchange:
        yield exchange


@pytest.fixture(scope="session")
def sides(server: StokerServer, pushed: Callable[[str], str], exchange: Exchange) -> Iterator[Sides]:
    """Both sides of any model."""
    cogs = CogServers()
    with server.client() as client:
        yield Sides(client, pushed, cogs, exchange)
    cogs.stop()
