"""Builds everything from the settings and runs it until it is told to stop. The composition root.

Start: open the store, clear away what a killed server left, take up what waited, listen. Stop (SIGTERM):
no new runs, a grace period for those that run, then instances, deliveries and the store are closed.
"""

import asyncio
import contextlib
import logging
import secrets
import signal
import socket
from collections.abc import Callable, Iterator

import uvicorn

from stoker import __version__
from stoker.api.app import create_app
from stoker.api.known import KnownVersions
from stoker.api.services import Services
from stoker.api.wire import render_prediction
from stoker.core.links import Links
from stoker.core.prediction import Prediction
from stoker.core.settings import Settings
from stoker.engines.process import ProcessEngine
from stoker.files.local import LocalBlobs
from stoker.main.first_start import ensure_account
from stoker.packaging.builder import Builder
from stoker.packaging.environment import Environments
from stoker.packaging.workspace import LocalWorkspace
from stoker.runtime import duties
from stoker.runtime.clock import SystemClock
from stoker.runtime.dispatch import Dispatcher
from stoker.runtime.fleet import Fleet
from stoker.runtime.inputs import InputFiles
from stoker.runtime.ledger import Ledger
from stoker.runtime.outbound import Outbound
from stoker.runtime.outputs import OutputFiles
from stoker.runtime.sweep import EVERY_S, Sweep
from stoker.runtime.webhooks import Render, Webhooks
from stoker.store.sqlite import SqliteStore

log = logging.getLogger(__name__)

TICK_S = 0.5
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
        services, dispatcher = await _assemble(stack, store=store, links=links, clock=clock, settings=settings)
        await _listen_until_told(services, dispatcher, listener, ready=lambda: announce(f"ready {local}"))


async def _assemble(
    stack: contextlib.AsyncExitStack,
    *,
    store: SqliteStore,
    links: Links,
    clock: SystemClock,
    settings: Settings,
) -> tuple[Services, Dispatcher]:
    """Every adapter and loop; what must be closed is closed by the stack, last made first."""
    blobs = LocalBlobs(settings.data_dir)
    engine = ProcessEngine(
        settings.data_dir,
        memory_limit_bytes=settings.instance_memory_bytes,
        open_files_limit=settings.instance_open_files,
        output_limit_bytes=settings.output_limit_bytes,
    )
    environments = Environments(settings.data_dir, blobs, clock)
    workspace = LocalWorkspace(blobs, environments, settings.data_dir)
    if left := await engine.sweep():
        log.warning("ended %d processes that an earlier server left behind", left)
    await environments.sweep()

    outbound = Outbound(settings.allow_net)
    stack.push_async_callback(outbound.close)
    webhooks = Webhooks(
        store=store,
        outbound=outbound,
        clock=clock,
        render=_renderer(store, links),
        agent=f"stoker/{__version__}",
    )
    stack.push_async_callback(webhooks.close)
    fleet = Fleet(engine=engine, workspace=workspace, clock=clock, settings=settings)
    stack.push_async_callback(fleet.close)
    dispatcher = Dispatcher(
        ledger=Ledger(store=store, clock=clock, owed=webhooks.owed),
        fleet=fleet,
        inputs=InputFiles(
            store=store, blobs=blobs, outbound=outbound, links=links, clock=clock, settings=settings
        ),
        outputs=OutputFiles(store=store, blobs=blobs, links=links, clock=clock, settings=settings),
        clock=clock,
        settings=settings,
        watched=webhooks.watched,
    )
    builder = Builder(store=store, blobs=blobs, environments=environments, workspace=workspace, clock=clock)
    stack.push_async_callback(builder.close)
    sweep = Sweep(store=store, blobs=blobs, clock=clock, settings=settings)
    loops = [
        asyncio.create_task(webhooks.run()),
        asyncio.create_task(duties.every(TICK_S, fleet.step, clock=clock, name="fleet")),
        asyncio.create_task(duties.every(TICK_S, dispatcher.step, clock=clock, name="deadlines")),
        asyncio.create_task(duties.every(EVERY_S, sweep.step, clock=clock, name="sweep")),
    ]
    stack.push_async_callback(duties.cancel_all, loops)
    await dispatcher.recover()
    services = Services(
        store=store,
        blobs=blobs,
        dispatcher=dispatcher,
        builder=builder,
        links=links,
        settings=settings,
        clock=clock,
    )
    return services, dispatcher


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
        timeout_keep_alive=75,
        timeout_graceful_shutdown=CLOSE_CONNECTIONS_S,
        ssl_certfile=settings.tls_cert,
        ssl_keyfile=settings.tls_key,
    )
    server = _Uvicorn(config, ready=ready)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait([serving, stopping], return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    await dispatcher.drain(settings.drain_s)
    server.should_exit = True
    await serving


def _renderer(store: SqliteStore, links: Links) -> Render:
    """Webhook bodies are what GET answers."""
    known_versions = KnownVersions(store.versions)

    async def render(prediction: Prediction) -> bytes:
        known = await known_versions.get(prediction.version, model=prediction.model)
        return render_prediction(prediction, links=links, streams=known.streams if known else None)

    return render


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
