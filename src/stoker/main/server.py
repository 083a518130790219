"""Runs the server from its first to its last moment. Called by ``entry``; ``assembly`` builds what runs.

Start: open the store, clear away what a killed server left, take up what waited, listen. Stop (SIGTERM, also
before it is ready): no new runs, a grace period for those that run, then instances, deliveries and the store
are closed.
"""

import asyncio
import contextlib
import functools
import logging
import secrets
import signal
import socket
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn

from stoker.api.app import create_app
from stoker.api.services import Services
from stoker.core.links import Links
from stoker.core.settings import Settings
from stoker.main import garbage
from stoker.main.assembly import assemble
from stoker.main.first_start import ensure_account
from stoker.main.gathering import GatheringProtocol
from stoker.main.listening import check_certificate, listen, local_url, make_data_dir
from stoker.runtime.clock import SystemClock
from stoker.runtime.dispatch import Dispatcher
from stoker.store.sqlite import SqliteStore

log = logging.getLogger(__name__)

CLOSE_CONNECTIONS_S = 5


class _Uvicorn(uvicorn.Server):
    """Says when it listens, and leaves the signals to us: a stop drains first."""

    def __init__(self, config: uvicorn.Config, *, ready: Callable[[], None]):
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Stop:
    """What SIGTERM and SIGINT ask for: the first to stop, another one to hurry."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.hurry = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._told)

    def _told(self) -> None:
        (self.hurry if self.asked.is_set() else self.asked).set()


async def serve(settings: Settings, *, announce: Callable[[str], None]) -> None:
    """Runs the server; ``announce`` gets the lines for the person who started it.

    Raises ``StartFailed`` and ``DataDirUnusable``, which say what is in the way.
    """
    stop = Stop()
    make_data_dir(settings)
    check_certificate(settings)
    listener = listen(settings)
    local = local_url(settings, listener)
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(listener.close)
        starting = asyncio.create_task(_start(stack, settings, local=local, announce=announce))
        if not await _is_done(starting, unless=stop.hurry):
            return
        services, dispatcher = starting.result()
        if stop.asked.is_set():  # what was waiting may have begun again already
            await _drain(services, dispatcher, stop)
            return
        garbage.settle()
        ready = functools.partial(announce, f"ready {local}")
        await _listen_until_told(services, dispatcher, listener, stop=stop, ready=ready)


async def _start(
    stack: contextlib.AsyncExitStack, settings: Settings, *, local: str, announce: Callable[[str], None]
) -> tuple[Services, Dispatcher]:
    """Everything but the listening; what was built so far is in the stack, wherever this ends."""
    base = settings.public_url or local
    clock = SystemClock()
    store = await SqliteStore.open(settings.data_dir)
    stack.push_async_callback(store.close)
    await ensure_account(
        store, settings, local_url=local, public_url=base, now_us=clock.now_us(), announce=announce
    )
    links = Links(base, bytes.fromhex(await store.secret("links", secrets.token_hex(32))))
    return await assemble(stack, settings=settings, clock=clock, store=store, links=links)


async def _is_done(task: "asyncio.Task[Any]", *, unless: asyncio.Event) -> bool:
    """Whether the task came to its end first; else it has been broken off."""
    asked = asyncio.create_task(unless.wait())
    await asyncio.wait([task, asked], return_when=asyncio.FIRST_COMPLETED)
    asked.cancel()
    if task.done():
        return True
    log.warning("told to stop at once before the server was ready")
    task.cancel()
    await asyncio.wait([task])
    return False


async def _listen_until_told(
    services: Services,
    dispatcher: Dispatcher,
    listener: socket.socket,
    *,
    stop: Stop,
    ready: Callable[[], None],
) -> None:
    settings = services.settings
    config = uvicorn.Config(
        create_app(services),
        http=GatheringProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=CLOSE_CONNECTIONS_S,
        ssl_certfile=settings.tls_cert,
        ssl_keyfile=settings.tls_key,
    )
    server = _Uvicorn(config, ready=ready)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    stopping = asyncio.create_task(stop.asked.wait())
    await asyncio.wait([serving, stopping], return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    await _drain(services, dispatcher, stop)
    server.should_exit = True
    await serving


async def _drain(services: Services, dispatcher: Dispatcher, stop: Stop) -> None:
    """What runs may end, what is being built or fetched does not."""
    drained = dispatcher.drain(services.settings.drain_s, hurry=stop.hurry)
    await asyncio.gather(drained, services.builder.close(), services.fetches.close())
