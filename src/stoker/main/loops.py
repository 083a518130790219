"""What is looked at again and again, and how often. Started by ``assembly`` once all is built."""

import asyncio

from stoker.api.services import Services
from stoker.main.garbage import Garbage
from stoker.main.ground import Ground
from stoker.main.runtime import Runtime
from stoker.runtime import duties
from stoker.runtime.sweep import EVERY_S

TICK_S = 0.5
SYNC_S = 1.0
"""How long the output file of a prediction that waits for no disk may not survive a power cut."""
MEASURE_S = 5.0
ENGINE_S = 1.0
WAITS_S = 1.0
TROUBLES_S = 1.0
WARMTH_S = 10.0
MINUTE_S = 60.0


def start(ground: Ground, runtime: Runtime, services: Services) -> list[asyncio.Task[None]]:
    """Each as a task, until it is cancelled."""
    looks: list[tuple[str, float, duties.Step]] = [
        ("fleet", TICK_S, runtime.fleet.step),
        ("deadlines", TICK_S, runtime.dispatcher.step),
        ("sync of files", SYNC_S, lambda _: ground.blobs.sync()),
        ("fork servers", ENGINE_S, ground.engine.step),
        ("waits", WAITS_S, runtime.waits.step),
        ("troubles", TROUBLES_S, runtime.troubles.step),
        ("lost GPUs", TROUBLES_S, runtime.lost_gpus.step),
        ("room on the disk", TROUBLES_S, runtime.relief.step),
        ("measuring instances", MEASURE_S, runtime.fleet.measure),
        ("warmth", WARMTH_S, runtime.warmth.step),
        ("learning", MINUTE_S, runtime.learning.step),
        ("garbage", MINUTE_S, Garbage(runtime.dispatcher.roster).step),
        ("token uses", MINUTE_S, services.tokens.step),
        ("rate limits", MINUTE_S, services.limits.step),
        ("sweep", EVERY_S, runtime.sweep.step),
    ]
    loops = [
        asyncio.create_task(duties.every(often_s, step, clock=ground.clock, name=name))
        for name, often_s, step in looks
    ]
    return [asyncio.create_task(runtime.webhooks.run()), *loops]
