"""What is known of how versions boot, run, and what they take; kept over restarts. Owned by the fleet."""

from collections.abc import Mapping

from stoker.core import experience
from stoker.core.catalog import Version
from stoker.core.experience import Experience
from stoker.core.scaling import Pool
from stoker.ports.engine import Usage
from stoker.ports.store import Store
from stoker.runtime.member import Member

UNKNOWN = Experience()


class Learning:
    """Trainings teach nothing: they run another function, once."""

    def __init__(self, store: Store):
        self._store = store
        self._known: dict[str, Experience] = {}
        """By version."""
        self._fresh: set[str] = set()
        """Versions of which the store knows less."""

    def of(self, version: str) -> Experience:
        return self._known.get(version, UNKNOWN)

    def asked(self, pool: Pool, version: Version, now_us: int) -> None:
        """A prediction of the version has arrived; where another's instances run it, those are wanted too."""
        if pool.training is None:
            for id in {pool.version, version.id}:
                self._keep(id, experience.asked(self.of(id), now_us))

    def booted(self, member: Member, took_s: float) -> None:
        self._learn(member, experience.booted(self.of(member.version.id), took_s))

    def ran(self, member: Member, took_s: float) -> None:
        self._learn(member, experience.ran(self.of(member.version.id), took_s))

    def used(self, member: Member, usage: Usage, *, most_bytes: int) -> None:
        """``most_bytes`` is what instances may have: one that took more is given all of it the next time."""
        self._learn(
            member,
            experience.used(
                self.of(member.version.id),
                memory_bytes=min(usage.memory_bytes, most_bytes),
                gpu_memory_bytes=usage.gpu_bytes or None,
            ),
        )

    def outgrew(self, member: Member, *, most_bytes: int) -> None:
        """It was ended for want of memory."""
        taken, before = member.usage.memory_bytes, self.of(member.version.id)
        self._learn(member, experience.outgrew(before, taken_bytes=taken, most_bytes=most_bytes))

    async def recover(self) -> None:
        """After a start: what an earlier server learned."""
        self._known = dict(await self._store.experiences.all())

    async def step(self, _now_us: int) -> None:
        """Writes down what is new."""
        fresh, self._fresh = self._fresh, set()
        if not fresh:
            return
        learned: Mapping[str, Experience] = {version: self._known[version] for version in fresh}
        try:
            await self._store.experiences.put(learned)
        except BaseException:
            self._fresh |= fresh
            raise

    def _learn(self, member: Member, learned: Experience) -> None:
        if member.pool.training is None:
            self._keep(member.version.id, learned)

    def _keep(self, version: str, learned: Experience) -> None:
        self._known[version] = learned
        self._fresh.add(version)
