"""Builds everything from the settings and ties it together. The composition root.

Called by ``server`` alone. What must be closed is closed by the caller's stack, last made first.
"""

import contextlib

from stoker.api.services import Services
from stoker.core.links import Links
from stoker.core.settings import Settings
from stoker.hub.huggingface import HUB, HuggingFace
from stoker.main import loops
from stoker.main.ground import Ground, lay
from stoker.main.runtime import Runtime, build_runtime
from stoker.packaging.builder import Builder
from stoker.packaging.checkpoints.fetching import Fetches
from stoker.ports.clock import Clock
from stoker.ports.store import Store
from stoker.runtime import duties
from stoker.runtime.dispatch import Dispatcher


async def assemble(
    stack: contextlib.AsyncExitStack, *, settings: Settings, clock: Clock, store: Store, links: Links
) -> tuple[Services, Dispatcher]:
    """Everything, running; what a killed server left behind was cleared away, what waited is taken up."""
    ground = await lay(stack, settings=settings, clock=clock, store=store, links=links)
    runtime = await build_runtime(stack, ground)
    services = _services(ground, runtime, builder=_builder(stack, ground), fetches=_fetches(stack, ground))
    stack.push_async_callback(duties.cancel_all, loops.start(ground, runtime, services))
    await runtime.deployed.recover()
    await runtime.dispatcher.recover()
    return services, runtime.dispatcher


def _builder(stack: contextlib.AsyncExitStack, ground: Ground) -> Builder:
    builder = Builder(
        store=ground.store,
        blobs=ground.blobs,
        environments=ground.environments,
        workspace=ground.workspace,
        shelf=ground.shelf,
        clock=ground.clock,
    )
    stack.push_async_callback(builder.close)
    return builder


def _fetches(stack: contextlib.AsyncExitStack, ground: Ground) -> Fetches:
    hub = HuggingFace(ground.settings.hub_url or HUB, ground.settings.hub_token)
    stack.push_async_callback(hub.close)
    fetches = Fetches(shelf=ground.shelf, hub=hub, clock=ground.clock)
    stack.push_async_callback(fetches.close)
    return fetches


def _services(ground: Ground, runtime: Runtime, *, builder: Builder, fetches: Fetches) -> Services:
    return Services(
        store=ground.store,
        blobs=ground.blobs,
        dispatcher=runtime.dispatcher,
        waits=runtime.waits,
        troubles=runtime.troubles,
        scales=runtime.scales,
        warmth=runtime.warmth,
        deployer=runtime.deployed,
        builder=builder,
        fetches=fetches,
        links=ground.links,
        settings=ground.settings,
        clock=ground.clock,
        boots=runtime.boots,
        hardware=ground.hardware,
    )
