"""The runtime of one server, on its ground: who decides what runs where, and who looks after it.

Built by ``assembly``; ``loops`` keeps it going.
"""

import contextlib

import msgspec

from stoker import __version__
from stoker.api.known import KnownVersions
from stoker.api.wire import render_prediction
from stoker.core.links import Links
from stoker.core.prediction import Prediction
from stoker.main.ground import Ground
from stoker.ports.store import Store
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
from stoker.runtime.outputs import OutputFiles
from stoker.runtime.placing import Placing
from stoker.runtime.relief import Relief
from stoker.runtime.scales import Scales
from stoker.runtime.sweep import Sweep
from stoker.runtime.trainings import Trainings
from stoker.runtime.troubles import Troubles
from stoker.runtime.waits import Waits
from stoker.runtime.warmth import Warmth
from stoker.runtime.webhooks import Render, Webhooks


class Runtime(msgspec.Struct, frozen=True, kw_only=True):
    webhooks: Webhooks
    learning: Learning
    boots: Boots
    scales: Scales
    fleet: Fleet
    deployed: Deployed
    warmth: Warmth
    dispatcher: Dispatcher
    waits: Waits
    troubles: Troubles
    lost_gpus: LostGpus
    relief: Relief
    sweep: Sweep


async def build_runtime(stack: contextlib.AsyncExitStack, ground: Ground) -> Runtime:
    store, clock, settings, host = ground.store, ground.clock, ground.settings, ground.host
    webhooks = _webhooks(ground)
    stack.push_async_callback(webhooks.close)
    learning, boots = Learning(store), Boots()
    await learning.recover()
    launch = Launch(
        engine=ground.engine,
        workspace=ground.workspace,
        host=host,
        boots=boots,
        clock=clock,
        settings=settings,
    )
    scales = Scales(store=store, learning=learning, clock=clock, settings=settings)
    fleet = _fleet(ground, launch, learning, scales)
    stack.push_async_callback(fleet.close)
    deployed = Deployed(store=store, fleet=fleet, scales=scales)
    errands, ledger = _errands(ground), Ledger(store=store, clock=clock, owed=webhooks.owed)
    dispatcher = Dispatcher(
        ledger=ledger,
        fleet=fleet,
        deployed=deployed,
        errands=errands,
        clock=clock,
        settings=settings,
        watched=webhooks.watched,
    )
    return Runtime(
        webhooks=webhooks,
        learning=learning,
        boots=boots,
        scales=scales,
        fleet=fleet,
        deployed=deployed,
        warmth=Warmth(scales=scales, fleet=fleet, deployed=deployed),
        dispatcher=dispatcher,
        waits=Waits(
            dispatcher=dispatcher,
            fleet=fleet,
            errands=errands,
            learning=learning,
            clock=clock,
            settings=settings,
        ),
        troubles=Troubles(host=host, ledger=ledger, clock=clock),
        lost_gpus=LostGpus(host=host, fleet=fleet, launch=launch),
        relief=Relief(host=host, fleet=fleet, launch=launch),
        sweep=Sweep(
            store=store,
            blobs=ground.blobs,
            workspace=ground.workspace,
            fleet=fleet,
            errands=errands,
            settings=settings,
        ),
    )


def _fleet(ground: Ground, launch: Launch, learning: Learning, scales: Scales) -> Fleet:
    return Fleet(
        launch=launch,
        host=ground.host,
        placing=Placing(ground.hardware),
        learning=learning,
        scales=scales,
        clock=ground.clock,
        settings=ground.settings,
    )


def _webhooks(ground: Ground) -> Webhooks:
    return Webhooks(
        store=ground.store,
        outbound=ground.outbound,
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


def _errands(ground: Ground) -> Errands:
    settings, clock, store = ground.settings, ground.clock, ground.store
    blobs, links, outbound = ground.blobs, ground.links, ground.outbound
    return Errands(
        inputs=InputFiles(
            store=store, blobs=blobs, outbound=outbound, links=links, clock=clock, settings=settings
        ),
        outputs=OutputFiles(store=store, blobs=blobs, links=links, clock=clock, settings=settings),
        trainings=Trainings(store=store, links=links, clock=clock),
    )
