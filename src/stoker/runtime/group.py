"""The instances of one pool, what is asked of it, and how its starts went. Owned by the fleet."""

from stoker.core import scaling
from stoker.core.catalog import Version
from stoker.core.experience import Experience
from stoker.core.scaling import Pool, Scale
from stoker.runtime.member import Member


class Group:
    def __init__(self, pool: Pool, version: Version, scale: Scale):
        self.pool = pool
        self.version = version
        self.scale = scale
        self.models = {version.model}
        """Of whom something has waited for it: the version's, and those of what runs in its instances."""
        self.members: dict[str, Member] = {}
        self.missing = 0
        """Instances that it wants and does not have."""
        self.short_since_us: int | None = None
        """Since when it has had fewer than it wants; None where it has enough."""
        self.waits_for = ""
        """For people: why what is missing is not started."""
        self.failures = 0
        self.failed_us = 0
        self.error = ""
        """How the last start failed."""

    @property
    def trains(self) -> bool:
        """Whether its instance is that of a training, and ends with it."""
        return self.pool.training is not None

    @property
    def is_served(self) -> bool:
        """Whether some instance works on its line, or will."""
        return any(member.view().is_usable for member in self.members.values())

    def wants(self, missing: int, now_us: int) -> None:
        """Notes how many instances more it wants."""
        self.missing = missing
        if not missing:
            self.short_since_us, self.waits_for = None, ""
        elif self.short_since_us is None:
            self.short_since_us = now_us

    def works(self) -> None:
        """A start has worked."""
        self.failures, self.error = 0, ""

    def failed(self, error: str, now_us: int) -> None:
        """One more start in a row has failed."""
        self.failures += 1
        self.failed_us, self.error = now_us, error

    def view(self, waiting: int, learned: Experience, now_us: int) -> scaling.PoolView:
        return scaling.PoolView(
            waiting=waiting,
            instances=[member.view() for member in self.members.values()],
            scale=self.scale,
            slots=1 if self.trains else self.version.recipe.slots,
            boot_s=learned.boot_s,
            run_s=self._run_s(now_us) if learned.run_s is None else learned.run_s,
            failures=self.failures,
            failed_us=self.failed_us,
        )

    def _run_s(self, now_us: int) -> float | None:
        """Before a first run has ended: how long those that run have taken so far."""
        since = [since for member in self.members.values() for since in member.running_since_us()]
        return sum(now_us - one for one in since) / len(since) / 1e6 if since else None
