"""Builds every adapter and loop from the settings and ties them together. The composition root.

Called by ``server`` alone. What must be closed is closed by the caller's stack, last made first.
"""

import asyncio
import contextlib
import logging

import msgspec

from stoker import __version__
from stoker.api.known import KnownVersions
from stoker.api.services import Services
from stoker.api.wire import render_prediction
from stoker.core.hardware import offered
from stoker.core.links import Links
from stoker.core.prediction import Prediction
from stoker.core.settings import Settings
from stoker.engines.machine import LocalMachine
from stoker.engines.process import ProcessEngine
from stoker.files.local import LocalBlobs
from stoker.hub.huggingface import HUB, HuggingFace
from stoker.packaging.builder import Builder
from stoker.packaging.checkpoints.fetching import Fetches
from stoker.packaging.checkpoints.shelf import Shelf
from stoker.packaging.environments.environment import Environments
from stoker.packaging.workspace import LocalWorkspace
from stoker.ports.blobs import Blobs
from stoker.ports.clock import Clock
from stoker.ports.store import Store
from stoker.runtime import duties
from stoker.runtime.boots import Boots
from stoker.runtime.deployed import Deployed
from stoker.runtime.dispatch import Dispatcher
from stoker.runtime.errands import Errands
from stoker.runtime.fleet import Fleet
from stoker.runtime.inputs import InputFiles
from stoker.runtime.launch import Launch
from stoker.runtime.learning import Learning
from stoker.runtime.ledger import Ledger
from stoker.runtime.lost_gpus import LostGpus
from stoker.runtime.outbound import Outbound
from stoker.runtime.outputs import OutputFiles
from stoker.runtime.placing import Placing
from stoker.runtime.relief import Relief
from stoker.runtime.scales import Scales
from stoker.runtime.sweep import EVERY_S, Sweep
from stoker.runtime.trainings import Trainings
from stoker.runtime.troubles import Troubles
from stoker.runtime.waits import Waits
from stoker.runtime.warmth import Warmth
from stoker.runtime.webhooks import Render, Webhooks

log = logging.getLogger(__name__)

TICK_S = 0.5
SYNC_S = 1.0
"""How long the output file of a prediction that waits for no disk may not survive a power cut."""
MEASURE_S = 5.0
ENGINE_S = 1.0
WAITS_S = 1.0
TROUBLES_S = 1.0
WARMTH_S = 10.0
MINUTE_S = 60.0


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """What everything else stands on."""

    settings: Settings
    clock: Clock
    store: Store
    blobs: Blobs
    links: Links


async def assemble(
    stack: contextlib.AsyncExitStack, *, settings: Settings, clock: Clock, store: Store, links: Links
) -> tuple[Services, Dispatcher]:
    """Everything, running; what a killed server left behind was cleared away, what waited is taken up."""
    blobs = LocalBlobs(settings.data_dir)
    stack.push_async_callback(blobs.sync)
    ground = Ground(settings=settings, clock=clock, store=store, blobs=blobs, links=links)
    engine = _engine(settings, links)
    stack.push_async_callback(engine.close)
    environments = Environments(settings.data_dir, blobs, clock)
    shelf = Shelf(settings.data_dir)
    workspace = LocalWorkspace(blobs, environments, shelf, settings.data_dir)
    if left := await engine.sweep():
        log.warning("ended %d processes that an earlier server left behind", left)
    await environments.sweep()

    outbound = Outbound(settings.allow_net, fetch_timeout_s=settings.input_fetch_timeout_s)
    stack.push_async_callback(outbound.close)
    webhooks = _webhooks(ground, outbound)
    stack.push_async_callback(webhooks.close)
    host = LocalMachine(
        settings.hardware,
        data_dir=settings.data_dir,
        memory_bytes=settings.memory_bytes,
        disk_spare_bytes=settings.disk_spare_bytes,
    )
    hardware = offered(settings.hardware, host.gpu_names)
    learning = Learning(store)
    await learning.recover()
    boots = Boots()
    launch = Launch(
        engine=engine, workspace=workspace, host=host, boots=boots, clock=clock, settings=settings
    )
    scales = Scales(store=store, learning=learning, clock=clock, settings=settings)
    fleet = Fleet(
        launch=launch,
        host=host,
        placing=Placing(hardware),
        learning=learning,
        scales=scales,
        clock=clock,
        settings=settings,
    )
    stack.push_async_callback(fleet.close)
    deployed = Deployed(store=store, fleet=fleet, scales=scales)
    warmth = Warmth(scales=scales, fleet=fleet, deployed=deployed)
    errands = _errands(ground, outbound)
    ledger = Ledger(store=store, clock=clock, owed=webhooks.owed)
    troubles = Troubles(host=host, ledger=ledger, clock=clock)
    lost_gpus = LostGpus(host=host, fleet=fleet, launch=launch)
    relief = Relief(host=host, fleet=fleet, launch=launch)
    dispatcher = Dispatcher(
        ledger=ledger,
        fleet=fleet,
        deployed=deployed,
        errands=errands,
        clock=clock,
        settings=settings,
        watched=webhooks.watched,
    )
    waits = Waits(
        dispatcher=dispatcher, fleet=fleet, errands=errands, learning=learning, clock=clock, settings=settings
    )
    builder = Builder(
        store=store, blobs=blobs, environments=environments, workspace=workspace, shelf=shelf, clock=clock
    )
    stack.push_async_callback(builder.close)
    hub = HuggingFace(settings.hub_url or HUB, settings.hub_token)
    stack.push_async_callback(hub.close)
    fetches = Fetches(shelf=shelf, hub=hub, clock=clock)
    stack.push_async_callback(fetches.close)
    sweep = Sweep(store=store, blobs=blobs, workspace=workspace, fleet=fleet, settings=settings)
    loops = _start_loops(ground, webhooks, fleet, dispatcher, sweep)
    loops += [
        asyncio.create_task(duties.every(MINUTE_S, learning.step, clock=clock, name="learning")),
        asyncio.create_task(duties.every(ENGINE_S, engine.step, clock=clock, name="fork servers")),
        asyncio.create_task(duties.every(WAITS_S, waits.step, clock=clock, name="waits")),
        asyncio.create_task(duties.every(TROUBLES_S, troubles.step, clock=clock, name="troubles")),
        asyncio.create_task(duties.every(TROUBLES_S, lost_gpus.step, clock=clock, name="lost GPUs")),
        asyncio.create_task(duties.every(TROUBLES_S, relief.step, clock=clock, name="room on the disk")),
        asyncio.create_task(duties.every(WARMTH_S, warmth.step, clock=clock, name="warmth")),
    ]
    stack.push_async_callback(duties.cancel_all, loops)
    services = Services(
        store=store,
        blobs=blobs,
        dispatcher=dispatcher,
        waits=waits,
        troubles=troubles,
        scales=scales,
        warmth=warmth,
        deployer=deployed,
        builder=builder,
        fetches=fetches,
        links=links,
        settings=settings,
        clock=clock,
        boots=boots,
        hardware=hardware,
    )
    stack.push_async_callback(duties.cancel_all, _start_api_loops(clock, services))
    await deployed.recover()
    await dispatcher.recover()
    return services, dispatcher


def _engine(settings: Settings, links: Links) -> ProcessEngine:
    """Models that follow a caller's link are told what the caller may have them reach."""
    return ProcessEngine(
        settings.data_dir,
        memory_limit_bytes=settings.instance_memory_bytes,
        open_files_limit=settings.instance_open_files,
        output_limit_bytes=settings.output_limit_bytes,
        variables={"STOKER_BASE_URL": links.base, "STOKER_ALLOW_NET": ",".join(settings.allow_net)},
        fork_servers=settings.fork_servers,
        fork_server_idle_s=settings.fork_server_idle_s,
    )


def _webhooks(ground: Ground, outbound: Outbound) -> Webhooks:
    return Webhooks(
        store=ground.store,
        outbound=outbound,
        clock=ground.clock,
        render=_renderer(ground.store, ground.links),
        agent=f"stoker/{__version__}",
    )


def _renderer(store: Store, links: Links) -> Render:
    """Webhook bodies are what GET answers."""
    known_versions = KnownVersions(store.versions)

    async def render(prediction: Prediction) -> bytes:
        known = await known_versions.get(prediction.version, model=prediction.model)
        return render_prediction(prediction, links=links, streams=known.streams if known else None)

    return render


def _errands(ground: Ground, outbound: Outbound) -> Errands:
    settings, clock, store = ground.settings, ground.clock, ground.store
    blobs, links = ground.blobs, ground.links
    return Errands(
        inputs=InputFiles(
            store=store, blobs=blobs, outbound=outbound, links=links, clock=clock, settings=settings
        ),
        outputs=OutputFiles(store=store, blobs=blobs, links=links, clock=clock, settings=settings),
        trainings=Trainings(store=store, links=links, clock=clock),
    )


def _start_loops(
    ground: Ground, webhooks: Webhooks, fleet: Fleet, dispatcher: Dispatcher, sweep: Sweep
) -> list[asyncio.Task[None]]:
    clock, blobs = ground.clock, ground.blobs
    return [
        asyncio.create_task(webhooks.run()),
        asyncio.create_task(duties.every(TICK_S, fleet.step, clock=clock, name="fleet")),
        asyncio.create_task(duties.every(MEASURE_S, fleet.measure, clock=clock, name="measuring instances")),
        asyncio.create_task(duties.every(TICK_S, dispatcher.step, clock=clock, name="deadlines")),
        asyncio.create_task(duties.every(EVERY_S, sweep.step, clock=clock, name="sweep")),
        asyncio.create_task(duties.every(SYNC_S, lambda _: blobs.sync(), clock=clock, name="sync of files")),
    ]


def _start_api_loops(clock: Clock, services: Services) -> list[asyncio.Task[None]]:
    return [
        asyncio.create_task(duties.every(MINUTE_S, services.tokens.step, clock=clock, name="token uses")),
        asyncio.create_task(duties.every(MINUTE_S, services.limits.step, clock=clock, name="rate limits")),
    ]
