"""Runs the server from its first to its last moment. Called by ``entry``; ``assembly`` builds what runs.

Start: open the store, clear away what a killed server left, take up what waited, listen. Stop (SIGTERM):
no new runs, a grace period for those that run, then instances, deliveries and the store are closed.
"""

import asyncio
import contextlib
import secrets
import signal
import socket
from collections.abc import Callable, Iterator

import uvicorn

from stoker.api.app import create_app
from stoker.api.services import Services
from stoker.core.links import Links
from stoker.core.settings import Settings
from stoker.main.assembly import assemble
from stoker.main.first_start import ensure_account
from stoker.runtime.clock import SystemClock
from stoker.runtime.dispatch import Dispatcher
from stoker.store.sqlite import SqliteStore

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


async def serve(settings: Settings, *, announce: Callable[[str], None]) -> None:
    """Runs the server; ``announce`` gets the lines for the person who started it."""
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    listener = _listen(settings)
    local = _local_url(settings, listener)
    base = settings.public_url or local
    clock = SystemClock()
    store = await SqliteStore.open(settings.data_dir)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(store.close)
        await ensure_account(
            store, settings, local_url=local, public_url=base, now_us=clock.now_us(), announce=announce
        )
        links = Links(base, bytes.fromhex(await store.secret("links", secrets.token_hex(32))))
        services, dispatcher = await assemble(stack, settings=settings, clock=clock, store=store, links=links)
        await _listen_until_told(services, dispatcher, listener, ready=lambda: announce(f"ready {local}"))


async def _listen_until_told(
    services: Services, dispatcher: Dispatcher, listener: socket.socket, *, ready: Callable[[], None]
) -> None:
    settings = services.settings
    config = uvicorn.Config(
        create_app(services),
        http="httptools",
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
    stop, hurry = asyncio.Event(), asyncio.Event()

    def told() -> None:
        (hurry if stop.is_set() else stop).set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait([serving, stopping], return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    await asyncio.gather(
        dispatcher.drain(settings.drain_s, hurry=hurry), services.builder.close(), services.fetches.close()
    )
    server.should_exit = True
    await serving


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((settings.host, settings.port))
    return listener


def _local_url(settings: Settings, listener: socket.socket) -> str:
    """The address that was bound; a server that listens everywhere calls itself by the loopback address."""
    host, port = listener.getsockname()[:2]
    if host in ("0.0.0.0", "::"):
        host = "127.0.0.1"
    scheme = "https" if settings.tls_cert else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
