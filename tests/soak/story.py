"""The soak itself: two waves of predictions over one data directory, and what is left after each.

In the first wave everything is killed, the server too; the second is with the server that came last, so that
what it has open at its end can be compared with what it had at its beginning.
"""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tests.servers import StokerServer
from tests.soak import leftovers, models, plan, verdicts
from tests.soak.callers import Callers, Refused
from tests.soak.hooks import Hooks, receiving
from tests.soak.killing import Killer
from tests.soak.leftovers import Rest
from tests.soak.plan import Act, Blow
from tests.soak.verdicts import Told

FIRST = 0.75
"""What part of all is in the first wave."""
IN_FLIGHT = 240
PATIENCE_S = 900.0
"""How long one prediction may take: many wait for the same room, and are set back by kills."""
SETTLED_S = 60.0
LOOK_S = 0.1
GROWTH_BYTES = 24 << 20
"""How much memory may vary between two moments at rest; and for each prediction of the second wave:"""
GROWTH_EACH_BYTES = 4096


class Order(msgspec.Struct, frozen=True, kw_only=True):
    count: int
    models: int
    seed: int


class Outcome(msgspec.Struct, kw_only=True):
    order: Order
    told: list[Told] = []
    kills: list[verdicts.Kill] = []
    problems: list[str] = []
    starts: Counter[str] = Counter()
    """How instances began, as far as their servers have told."""
    most_instances: int = 0
    """The most that were there at once, of those that were seen."""
    rests: list[Rest] = []
    took_s: float = 0.0


class Soak:
    def __init__(self, order: Order, folder: Path, say: Callable[[str], None]):
        self.outcome = Outcome(order=order)
        self._order = order
        self._folder = folder
        self._say = say
        self._temp = folder / "tmp"
        self._temp.mkdir()
        variables = {
            "STOKER_MEMORY_BYTES": str(models.room_bytes()),
            "STOKER_MAX_INSTANCES": str(models.INSTANCES),
            "STOKER_RETENTION_S": "86400",
            "TMPDIR": str(self._temp),
        }
        self._server = StokerServer(folder / "data", "--allow-net", "127.0.0.0/8", variables=variables)
        self._pushing = asyncio.Semaphore(2)
        self._up = asyncio.Event()
        self._starts: dict[str, str] = {}
        self._over = 0
        self._moved = asyncio.Condition()

    async def run(self) -> Outcome:
        began = time.monotonic()
        acts = plan.acts(self._order.count, self._order.models, self._order.seed)
        blows = plan.blows(self._order.count, self._order.seed)
        first = int(len(acts) * FIRST)
        async with self._serving() as (callers, killer):
            await self._wave(acts[:first], [blow for blow in blows if blow.after < first], callers, killer)
            before = await self._at_rest(callers)
            later = [blow for blow in blows if blow.after >= first and blow.victim != "server"]
            await self._wave(acts[first:], later, callers, killer)
            after = await self._at_rest(callers)
            self.outcome.kills = killer.kills
            await self._judge(callers, before, after, later=len(acts) - first)
        self.outcome.took_s = time.monotonic() - began
        return self.outcome

    # -- the server and those who talk to it --------------------------------------------------------

    @contextlib.asynccontextmanager
    async def _serving(self) -> AsyncGenerator[tuple[Callers, Killer]]:
        async with receiving() as hooks:
            await asyncio.to_thread(self._server.start)
            try:
                async with self._calling(hooks) as callers:
                    yield callers, self._killer(callers)
            finally:
                await asyncio.to_thread(self._server.stop)

    def _killer(self, callers: Callers) -> Killer:
        async def note() -> None:
            await self._note_starts(callers)

        return Killer(self._server, self._up, seed=self._order.seed, before_restart=note)

    @contextlib.asynccontextmanager
    async def _calling(self, hooks: Hooks) -> AsyncGenerator[Callers]:
        numbers = range(self._order.models)
        first = await self._push(0)  # it makes the environment that all have
        pushed = [first, *await asyncio.gather(*(self._push(number) for number in numbers[1:]))]
        versions = dict(zip(map(models.name_of, numbers), pushed, strict=True))
        self._say(f"{len(versions)} models are pushed")
        self._up.set()
        run = f"soak-{self._order.seed}"
        callers = Callers(self._server.base_url, versions=versions, hooks=hooks, up=self._up, run=run)
        try:
            await self._set_idle(callers, lambda number: 60 if number % 2 else 1)
            yield callers
        finally:
            await callers.close()

    async def _push(self, number: int) -> str:
        folder = models.make(self._folder / "projects" / models.name_of(number), number)
        async with self._pushing:
            return await asyncio.to_thread(self._server.push, folder, f"local/{models.name_of(number)}")

    async def _set_idle(self, callers: Callers, idle_s: Callable[[int], float]) -> None:
        """Half of the models stay until they are evicted; the others go by themselves."""
        for number in range(self._order.models):
            path = f"/v1/stoker/models/local/{models.name_of(number)}/scale"
            await callers.patch(path, {"idle_s": idle_s(number)})

    # -- one wave -----------------------------------------------------------------------------------

    async def _wave(self, acts: Sequence[Act], blows: list[Blow], callers: Callers, killer: Killer) -> None:
        waiting = iter(acts)
        in_flight = min(IN_FLIGHT, max(1, len(acts) // 3))
        kills = asyncio.create_task(killer.run(blows, over=lambda: self._over, moved=self._moved))
        watch = asyncio.create_task(self._watch(callers))
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(in_flight):
                    group.create_task(self._call(waiting, callers))
            await asyncio.wait_for(kills, SETTLED_S)  # those that are due at the very end
        finally:
            for task in (kills, watch):
                task.cancel()
            await asyncio.gather(kills, watch, return_exceptions=True)

    async def _call(self, waiting: Any, callers: Callers) -> None:
        for act in waiting:
            told = Told(act=act)
            self.outcome.told.append(told)
            try:
                async with asyncio.timeout(PATIENCE_S):
                    await callers.carry_out(told)
            except (TimeoutError, Refused) as error:
                self.outcome.problems.append(self._words(told, f"{type(error).__name__}: {error}"))
            async with self._moved:
                self._over += 1
                self._moved.notify_all()
            if self._over % max(100, self._order.count // 20) == 0:
                self._say(f"{self._over} predictions are over")

    async def _watch(self, callers: Callers) -> None:
        """There must never be more instances than there is room for."""
        while True:
            health = await callers.get("/health")
            if self._over % 10 == 0:
                await self._note_starts(callers)
            self.outcome.most_instances = max(self.outcome.most_instances, len(health["instances"]))
            await asyncio.sleep(LOOK_S)

    # -- afterwards ---------------------------------------------------------------------------------

    async def _at_rest(self, callers: Callers) -> Rest:
        """The server when its instances have gone and nobody is connected."""
        await self._note_starts(callers)
        await self._set_idle(callers, lambda number: 0)
        await callers.hang_up()
        assert self._server.process is not None
        args = self._server.process.pid, self._server.data_dir, self._temp
        end = time.monotonic() + SETTLED_S
        rest, same = await asyncio.to_thread(leftovers.look, *args), 0
        while time.monotonic() < end and same < 10:
            await asyncio.sleep(LOOK_S)
            seen = await asyncio.to_thread(leftovers.look, *args)
            is_same = seen.descriptors == rest.descriptors and not leftovers.what_is_left(seen)
            rest, same = seen, same + 1 if is_same else 0
        self.outcome.rests.append(rest)
        await self._set_idle(callers, lambda number: 60 if number % 2 else 1)
        self._say(f"at rest: {rest.resident_bytes >> 20} MiB, {rest.threads} threads, {rest.descriptors}")
        return rest

    async def _note_starts(self, callers: Callers) -> None:
        """How instances began. A server forgets it with its end, and of many boots has the latest."""
        for boot in (await callers.get("/v1/stoker/boots"))["results"]:
            self._starts[boot["instance"]] = boot["start"] or "not at all"
        self.outcome.starts = Counter(self._starts.values())

    async def _judge(self, callers: Callers, before: Rest, after: Rest, *, later: int) -> None:
        found = self.outcome.problems
        for told in self.outcome.told:
            found += [self._words(told, why) for why in verdicts.problems(told, self.outcome.kills)]
        found += leftovers.what_is_left(before)
        growth = GROWTH_BYTES + later * GROWTH_EACH_BYTES
        found += leftovers.problems(before, after, most_growth_bytes=growth)
        if self.outcome.most_instances > models.INSTANCES:
            found.append(f"there were {self.outcome.most_instances} instances at once")
        found += await self._books(callers)
        found += [
            line for line in self._server.log_path.read_text().splitlines() if line.startswith("Traceback")
        ]

    async def _books(self, callers: Callers) -> list[str]:
        """Whether the server has these predictions, each once and as it was told, and counts them once."""
        kept: dict[str, str] = {}
        path: str | None = "/v1/predictions"
        listed = 0
        while path is not None:
            page = await callers.get(path)
            listed += len(page["results"])
            kept |= {one["id"]: one["status"] for one in page["results"]}
            path = page["next"]
        told = {one.id: one.final.get("status") for one in self.outcome.told}
        found = [f"{listed} predictions are listed, of {len(told)}"] if listed != len(told) else []
        found += [
            f"{id} is {kept.get(id)} and was {status}"
            for id, status in told.items()
            if kept.get(id) != status
        ]
        counts = Counter(one.act.name for one in self.outcome.told)
        for name, count in counts.items():
            model = await callers.get(f"/v1/models/local/{name}")
            if model["run_count"] != count:
                found.append(f"{name} counts {model['run_count']} runs, of {count}")
        return found

    def _words(self, told: Told, why: str) -> str:
        """With all that helps to find out."""
        near = [kill for kill in self.outcome.kills if kill.model in ("", told.act.name)]
        shown = {"final": told.final, "hooks": told.hooks, "events": told.events, "kills": near}
        return f"{told.id}: {why}\n    {told.act}\n    {msgspec.json.encode(shown).decode()}"


def _failures(log: str) -> list[str]:
    """What the servers have logged of their own mistakes."""
    lines = log.splitlines()
    return [line for line in lines if " ERROR " in line or line.startswith("Traceback")]
