"""What everything else stands on: one server's adapters. Built first, by ``assembly``, and closed last."""

import asyncio
import contextlib
import logging

import msgspec

from stoker.core.hardware import Hardware, offered
from stoker.core.links import Links
from stoker.core.settings import Settings
from stoker.engines.devices import Devices
from stoker.engines.machine import LocalMachine
from stoker.engines.process import ProcessEngine
from stoker.files.local import LocalBlobs
from stoker.packaging.checkpoints.shelf import Shelf
from stoker.packaging.environments.environment import Environments
from stoker.packaging.workspace import LocalWorkspace
from stoker.ports.clock import Clock
from stoker.ports.store import Store
from stoker.runtime.outbound import Outbound

log = logging.getLogger(__name__)


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    settings: Settings
    clock: Clock
    store: Store
    links: Links
    blobs: LocalBlobs
    engine: ProcessEngine
    environments: Environments
    shelf: Shelf
    workspace: LocalWorkspace
    host: LocalMachine
    hardware: tuple[Hardware, ...]
    """What this server offers."""
    outbound: Outbound


async def lay(
    stack: contextlib.AsyncExitStack, *, settings: Settings, clock: Clock, store: Store, links: Links
) -> Ground:
    """What a killed server left behind was cleared away."""
    blobs = LocalBlobs(settings.data_dir)
    stack.push_async_callback(blobs.sync)
    devices = await asyncio.to_thread(Devices)  # the GPU driver may take its time with the first answer
    engine = _engine(settings, links, devices)
    stack.push_async_callback(engine.close)
    environments, shelf = Environments(settings.data_dir, blobs, clock), Shelf(settings.data_dir)
    if left := await engine.sweep():
        log.warning("ended %d processes that an earlier server left behind", left)
    await environments.sweep()
    outbound = Outbound(settings.allow_net, fetch_timeout_s=settings.input_fetch_timeout_s)
    stack.push_async_callback(outbound.close)
    host = _host(settings, devices)
    return Ground(
        settings=settings,
        clock=clock,
        store=store,
        links=links,
        blobs=blobs,
        engine=engine,
        environments=environments,
        shelf=shelf,
        workspace=LocalWorkspace(blobs, environments, shelf, settings.data_dir),
        host=host,
        hardware=offered(settings.hardware, host.gpu_names),
        outbound=outbound,
    )


def _engine(settings: Settings, links: Links, devices: Devices) -> ProcessEngine:
    """Models that follow a caller's link are told what the caller may have them reach."""
    return ProcessEngine(
        settings.data_dir,
        memory_limit_bytes=settings.instance_memory_bytes,
        open_files_limit=settings.instance_open_files,
        output_limit_bytes=settings.output_limit_bytes,
        variables={"STOKER_BASE_URL": links.base, "STOKER_ALLOW_NET": ",".join(settings.allow_net)},
        fork_servers=settings.fork_servers,
        fork_server_idle_s=settings.fork_server_idle_s,
        gpu_bytes=devices.taken_bytes,
    )


def _host(settings: Settings, devices: Devices) -> LocalMachine:
    return LocalMachine(
        settings.hardware,
        devices,
        data_dir=settings.data_dir,
        memory_bytes=settings.memory_bytes,
        disk_spare_bytes=settings.disk_spare_bytes,
    )
