"""The whole API over a real store and real blobs, with scripts for models, served on a loopback port."""

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import httpx
import uvicorn

from stoker.api import Services, create_app
from stoker.core import ids
from stoker.core.builds import PLAIN, Build, BuildEvent, Order
from stoker.core.catalog import Account, Model, Recipe, SourceFile, Token, Version
from stoker.core.errors import Invalid
from stoker.core.hardware import offered
from stoker.core.links import Links
from stoker.core.prediction import Prediction
from stoker.core.settings import Settings
from stoker.engines.devices import Devices
from stoker.engines.machine import LocalMachine
from stoker.files.local import LocalBlobs
from stoker.hub.huggingface import HuggingFace
from stoker.packaging.checkpoints.fetching import Fetches
from stoker.packaging.checkpoints.shelf import Shelf
from stoker.packaging.live_build import LiveBuild
from stoker.runtime.learning import Learning
from stoker.runtime.ledger import Ledger
from stoker.runtime.scales import Scales
from stoker.runtime.troubles import Troubles
from stoker.store.sqlite import SqliteStore
from tests.contract.scripted import Run, ScriptedDeployer, ScriptedDispatcher, never_ends
from tests.documented import hold_async

START_US = 1_780_000_000_000_000
TOKEN = "r8_" + "A" * 37
OTHERS_TOKEN = "r8_" + "B" * 37

TEXT = {"type": "string", "title": "Output"}
FILE = {"type": "string", "format": "uri", "title": "Output"}
FILES = {"type": "array", "items": {"type": "string", "format": "uri"}, "title": "Output"}
TOKENS = {
    "type": "array",
    "items": {"type": "string"},
    "title": "Output",
    "x-cog-array-type": "iterator",
    "x-cog-array-display": "concatenate",
}


class FakeClock:
    """Moves a microsecond with each look, and as far as a test says."""

    def __init__(self) -> None:
        self._now_us = START_US

    def now_us(self) -> int:
        self._now_us += 1
        return self._now_us

    def advance(self, seconds: float) -> None:
        self._now_us += int(seconds * 1e6)

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)


class ScriptedBuilder:
    """Builds that tests tell on."""

    def __init__(self, clock: FakeClock):
        self.started: list[tuple[str, list[SourceFile], bool]] = []
        self.checkpoints: list[str | None] = []
        """What each of them was to run with."""
        self.refuse: str | None = None
        self._clock = clock
        self._builds: dict[str, LiveBuild] = {}

    async def start(self, model: str, files: Sequence[SourceFile], order: Order = PLAIN) -> Build:
        if self.refuse:
            raise Invalid(self.refuse)
        self.started.append((model, list(files), order.strict))
        self.checkpoints.append(order.checkpoint)
        build = Build(id=f"build{len(self.started)}", model=model, created_us=self._clock.now_us())
        self._builds[build.id] = LiveBuild(build)
        return build

    def get(self, id: str) -> LiveBuild | None:
        return self._builds.get(id)


class Platform:
    """What a test talks to, and what stands behind it."""

    def __init__(self, services: Services, dispatcher: ScriptedDispatcher, builder: ScriptedBuilder):
        self.services = services
        self.store = services.store
        self.dispatcher = dispatcher
        self.deployer: ScriptedDeployer = services.deployer  # type: ignore[assignment]
        self.builder = builder
        self.base = services.links.base
        self.clock: FakeClock = services.clock  # type: ignore[assignment]
        self.client = self._client(TOKEN)
        self.other = self._client(OTHERS_TOKEN)
        self.anonymous = self._client(None)

    def _client(self, token: str | None) -> httpx.AsyncClient:
        """Whatever it is answered is held against the OpenAPI document."""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        hooks = {"response": [hold_async]}
        return httpx.AsyncClient(base_url=f"{self.base}/v1", headers=headers, timeout=30, event_hooks=hooks)

    async def close(self) -> None:
        for client in (self.client, self.other, self.anonymous):
            await client.aclose()

    async def model(self, name: str, *, owner: str = "alice", **fields: Any) -> Model:
        model = Model(owner=owner, name=name, account=owner, created_us=self.clock.now_us(), **fields)
        assert await self.store.models.create(model)
        return model

    async def version(
        self,
        name: str,
        *,
        owner: str = "alice",
        output: dict[str, Any] | None = None,
        input: dict[str, Any] | None = None,
        schemas: dict[str, Any] | None = None,
        visibility: str = "private",
        id: str | None = None,
    ) -> Version:
        """A version of a model, which is made where it does not exist yet."""
        if await self.store.models.get(owner, name) is None:
            await self.model(name, owner=owner, visibility=visibility)
        schema = input or {"type": "object", "title": "Input", "properties": {}}
        version = Version(
            id=id or ids.token_digest(f"{owner}/{name} {self.clock.now_us()}"),
            model=f"{owner}/{name}",
            created_us=self.clock.now_us(),
            cog_version="0.23.1",
            openapi_schema={
                "openapi": "3.0.2",
                "info": {"title": "Cog", "version": "0.23.1"},
                "paths": {},
                "components": {"schemas": {"Input": schema, "Output": output or TEXT, **(schemas or {})}},
            },
            recipe=Recipe(environment="e"),
            source=(),
        )
        await self.store.versions.create(version)
        return version

    async def history(
        self, version: Version, count: int, *, apart_s: float = 0, source: Literal["api", "web"] = "api"
    ) -> list[Prediction]:
        """So many predictions, as if they had been made long ago."""
        made: list[Prediction] = []
        for _ in range(count):
            self.clock.advance(apart_s)
            now_us = self.clock.now_us()
            id = ids.prediction_id(now_us, secrets.token_bytes(10))
            made.append(
                Prediction(
                    id=id,
                    account="alice",
                    model=version.model,
                    version=version.id,
                    created_us=now_us,
                    source=source,
                    stream_key=ids.stream_key(secrets.token_bytes(52)),
                )
            )
        await asyncio.gather(*(self.store.predictions.accept(prediction) for prediction in made))
        return made

    async def predict(self, version: Version, input: Any = None, **headers: str) -> dict[str, Any]:
        """Creates a prediction; its object. Header names with ``_`` for ``-``."""
        body = {"version": version.id, "input": {} if input is None else input}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        response = await self.client.post("/predictions", json=body, headers=named)
        assert response.status_code == 201, response.text
        return response.json()

    async def running(self, version: Version) -> tuple[dict[str, Any], Run]:
        """Creates a prediction that runs until the test ends it; its object and its run."""
        self.dispatcher.script = never_ends
        made = await self.predict(version)
        run = self.dispatcher.run(made["id"])
        await run.begun.wait()
        return made, run


@asynccontextmanager
async def platform(folder: Path, **settings: Any) -> AsyncIterator[Platform]:
    """A platform with the accounts alice (who calls) and bob (``other``), made where the folder has none."""
    clock = FakeClock()
    store = await SqliteStore.open(folder)
    try:
        for name, token in (("alice", TOKEN), ("bob", OTHERS_TOKEN)):
            if await store.accounts.get(name) is None:
                await _account(store, name, token)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            async with _standing(store, clock, listener, Settings(data_dir=folder, **settings)) as stood:
                yield stood
    finally:
        await store.close()


@asynccontextmanager
async def _standing(
    store: SqliteStore, clock: FakeClock, listener: socket.socket, settings: Settings
) -> AsyncIterator[Platform]:
    dispatcher, builder = ScriptedDispatcher(store, clock), ScriptedBuilder(clock)
    fetches = Fetches(shelf=Shelf(settings.data_dir), hub=HuggingFace("http://127.0.0.1:9"), clock=clock)
    services = Services(
        store=store,
        blobs=LocalBlobs(settings.data_dir),
        dispatcher=dispatcher,
        waits=dispatcher,
        troubles=Troubles(
            host=LocalMachine((), Devices(), data_dir=settings.data_dir),
            ledger=Ledger(store=store, clock=clock, owed=lambda: None),
            clock=clock,
        ),
        scales=Scales(store=store, learning=Learning(store), clock=clock, settings=settings),
        warmth=dispatcher.warmth,
        deployer=ScriptedDeployer(),
        builder=builder,
        fetches=fetches,
        links=Links(f"http://127.0.0.1:{listener.getsockname()[1]}", b"k" * 32),
        settings=settings,
        clock=clock,
        hardware=offered(settings.hardware, []),
    )
    stood = Platform(services, dispatcher, builder)
    async with _served(services, listener):
        try:
            yield stood
        finally:
            await stood.close()
            await dispatcher.close()
            await fetches.close()


@asynccontextmanager
async def _served(services: Services, listener: socket.socket) -> AsyncIterator[None]:
    config = uvicorn.Config(
        create_app(services),
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=5,
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve([listener]))
    while not server.started:
        await asyncio.sleep(0)
        assert not serving.done(), serving.exception()
    try:
        yield
    finally:
        server.should_exit = True
        await serving


async def _account(store: SqliteStore, name: str, token: str) -> None:
    secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
    await store.accounts.create(Account(name=name, created_us=START_US, webhook_secret=secret))
    await store.accounts.create_token(
        Token(
            id=f"token-of-{name}",
            account=name,
            name="test",
            digest=ids.token_digest(token),
            hint=f"{token[:5]}***",
            created_us=START_US,
        )
    )


__all__ = ["FILE", "FILES", "TEXT", "TOKENS", "BuildEvent", "Platform", "platform"]
