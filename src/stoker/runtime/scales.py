"""How many instances each pool is to have, as people asked for it and as the time of the week has it.

Answers the fleet, deployments and the api; knows what the store had when ``Warmth`` last had it loaded.
Starts and stops nothing.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from stoker.core import scales, schedules
from stoker.core.catalog import Version
from stoker.core.deployments import Deployment
from stoker.core.experience import HOUR_US
from stoker.core.hosting import pool_of
from stoker.core.scales import Asked, Kind, Target, Warm
from stoker.core.scaling import Pool, Scale
from stoker.core.settings import Settings
from stoker.ports.clock import Clock
from stoker.ports.store import Store
from stoker.runtime.learning import Learning

NOTHING = Asked()


class Scales:
    def __init__(self, *, store: Store, learning: Learning, clock: Clock, settings: Settings):
        self._store = store
        self._learning = learning
        self._clock = clock
        self._default = Scale(most=settings.max_instances, idle_s=settings.idle_s)
        self._asked: dict[tuple[Kind, str, str], Asked] = {}
        """Names in lower case."""
        self._latest: dict[str, str] = {}
        """Of models that ask for instances without demand: their latest version."""
        self._kept: dict[Pool, list[Version]] = {}
        """Versions that ask for instances without demand, by where they run: a pool may serve several."""
        self._hosts: dict[str, str] = {}
        """Of each of them, the version that is booted for it."""
        self._hours: dict[str, frozenset[int]] = {}
        """Of models that are warm when they are used: the hours in which they were."""

    # -- asked by the fleet, by deployments and by the api -----------------------------------------

    def of(self, pool: Pool, version: Version) -> Scale:
        """A version's shared instances; what a model asks for without demand is for its latest version.

        A version that runs in another's asks for instances there; how many they may be, and how long they
        stay, is the other's to say.
        """
        if pool.training is not None:
            return self._default
        own = self._of_version(version)
        kept = self._kept.get(pool, ())
        least = max((self._of_version(one, most=own.most).least for one in kept), default=0)
        return Scale(least=least, most=max(own.most, least), idle_s=own.idle_s)

    def holds(
        self, target: Target, deployment: Deployment | None = None, *, host: Target | None = None
    ) -> Scale:
        """What comes of all that is asked for there and elsewhere; of a model, for its latest version.

        ``host`` is the version in whose instances it runs, where it has none of its own.
        """
        if deployment is not None:
            return self.of_release(deployment)
        if target.kind not in ("model", "version"):
            return scales.resolve([self._of_account(target.ref)], self._default)
        room = self.holds(host) if host is not None else None
        latest = self._latest.get(target.ref.lower(), "")
        version = target.version or latest
        most = room.most if room is not None else None
        own = self._shared(target.ref, version, is_latest=version == latest, most=most)
        return own if room is None else Scale(least=own.least, most=own.most, idle_s=room.idle_s)

    def of_release(self, deployment: Deployment) -> Scale:
        """A deployment's instances: its release says how many."""
        release = deployment.release
        own = self._of("deployment", deployment.ref)
        asked = [own, Asked(idle_s=self._of_account(deployment.ref).idle_s)]
        default = Scale(least=release.min_instances, most=release.max_instances, idle_s=self._default.idle_s)
        return scales.resolve([Asked(idle_s=one.idle_s) for one in asked], default)

    def hours_a_week(self, warm: Warm, model: str) -> float:
        """How long it is warm in the week to come, by what is known; by schedule or habit if it has both."""
        left = schedules.WEEK_MINUTES / 60
        if warm.until_us is not None:
            left = min(round(max(warm.until_us - self._clock.now_us(), 0) / 3600e6, 2), left)
        if warm.schedule is None and not warm.adaptive:
            return left
        planned = schedules.hours_a_week(schedules.parse(warm.schedule)) if warm.schedule else 0.0
        now = local(self._clock.now_us(), warm.timezone)
        used = self._used(model, warm.timezone)
        usual = schedules.expected_hours_a_week(used, now) if warm.adaptive else 0.0
        return min(max(planned, usual), left)

    def is_warm(self, warm: Warm, model: str, version: str) -> bool:
        """Now, or by the time that an instance that starts now is ready."""
        now_us = self._clock.now_us()
        boot_s = self._learning.of(self._hosts.get(version, version)).boot_s
        boot_us = int((boot_s or 0.0) * 1e6)
        if warm.until_us is not None and now_us >= warm.until_us:
            return False
        if warm.schedule is None and not warm.adaptive:
            return True
        moments = [local(at_us, warm.timezone) for at_us in (now_us, now_us + boot_us)]
        if warm.schedule and any(schedules.is_on(schedules.parse(warm.schedule), at) for at in moments):
            return True
        used = self._used(model, warm.timezone) if warm.adaptive else frozenset[datetime]()
        return any(schedules.is_expected(used, at) for at in moments)

    # -- the store's words -------------------------------------------------------------------------

    async def load(self) -> list[Version]:
        """Reads what is asked for; the versions that have instances without demand, perhaps not now."""
        found = await self._store.scales.all()
        self._asked = {(one.kind, one.ref.lower(), one.version): asked for one, asked in found.items()}
        keep = [one for one, asked in found.items() if asked.min_instances or asked.warm]
        versions = [version for target in keep if (version := await self._version(target)) is not None]
        self._kept, self._hosts = {}, {}
        for version in versions:
            pool = pool_of(version)
            self._kept.setdefault(pool, []).append(version)
            self._hosts[version.id] = pool.version
        self._latest = {version.model.lower(): version.id for version in await self._latest_of(keep)}
        await self._remember(target.ref for target in keep if _is_adaptive(found[target]))
        return versions

    async def _version(self, target: Target) -> Version | None:
        if target.kind == "version":
            return await self._store.versions.get(target.version, model=target.ref)
        return await self._latest_version(target.ref) if target.kind == "model" else None

    async def _latest_of(self, targets: Iterable[Target]) -> list[Version]:
        models = {target.ref for target in targets if target.kind == "model"}
        found = [await self._latest_version(ref) for ref in models]
        return [version for version in found if version is not None]

    async def _latest_version(self, ref: str) -> Version | None:
        owner, _, name = ref.partition("/")
        model = await self._store.models.get(owner, name)
        if model is None or model.latest_version is None:
            return None
        return await self._store.versions.get(model.latest_version, model=model.ref)

    async def _remember(self, models: Iterable[str]) -> None:
        """A model's habit is that of its versions together: a push does not change when people come."""
        self._hours = {}
        for ref in models:
            page = await self._store.versions.page(ref)
            hours = [hour for version in page.items for hour in self._learning.of(version.id).hours]
            self._hours[ref.lower()] = frozenset(hours)

    # -- looking up --------------------------------------------------------------------------------

    def _of_version(self, version: Version, *, most: int | None = None) -> Scale:
        is_latest = self._latest.get(version.model.lower()) == version.id
        return self._shared(version.model, version.id, is_latest=is_latest, most=most)

    def _shared(self, model: str, version: str, *, is_latest: bool, most: int | None = None) -> Scale:
        """``most`` goes before what is asked for: that of the version in whose instances it runs."""
        own, its = self._of("version", model, version), self._of("model", model)
        if not is_latest:
            its = Asked(idle_s=its.idle_s, max_instances=its.max_instances)
        warm = max(self._warm(one.warm, model, version) for one in (own, its))
        asked = [Asked(max_instances=most), own, its, self._of_account(model)]
        return scales.resolve(asked, self._default, warm=warm)

    def _of(self, kind: Kind, ref: str, version: str = "") -> Asked:
        return self._asked.get((kind, ref.lower(), version), NOTHING)

    def _of_account(self, ref: str) -> Asked:
        return self._of("account", ref.partition("/")[0])

    def _warm(self, warm: Warm | None, model: str, version: str) -> int:
        return warm.instances if warm is not None and self.is_warm(warm, model, version) else 0

    def _used(self, model: str, timezone: str | None) -> frozenset[datetime]:
        hours = self._hours.get(model.lower(), frozenset())
        return frozenset(local(hour * HOUR_US, timezone).replace(minute=0) for hour in hours)


def local(at_us: int, timezone: str | None) -> datetime:
    """The wall clock there, without its zone; the server's own where none is named."""
    moment = datetime.fromtimestamp(at_us / 1e6, UTC)
    return moment.astimezone(ZoneInfo(timezone) if timezone else None).replace(tzinfo=None)


def _is_adaptive(asked: Asked) -> bool:
    return asked.warm is not None and asked.warm.adaptive
