"""Applies what people ask of pools, as it changes and as the hours go by: a duty, and called on changes."""

from stoker.core.hosting import host_of, pool_of
from stoker.runtime.deployed import Deployed
from stoker.runtime.fleet import Fleet
from stoker.runtime.scales import Scales


class Warmth:
    """Decides nothing: ``Scales`` says how many, and the fleet starts and stops."""

    def __init__(self, *, scales: Scales, fleet: Fleet, deployed: Deployed):
        self._scales = scales
        self._fleet = fleet
        self._deployed = deployed

    async def step(self, _now_us: int) -> None:
        """Pools that there are get what is asked for now; those that are to be warm begin to be."""
        for version in await self._scales.load():
            pool = pool_of(version)
            scale = self._scales.of(pool, host_of(version))
            if scale.least and self._fleet.group(pool) is None:
                self._fleet.scale(pool, version, scale)
        for group in self._fleet.groups():
            if group.pool.deployment is None and not group.trains:
                scale = self._scales.of(group.pool, group.version)
                if scale != group.scale:
                    self._fleet.scale(group.pool, group.version, scale)
        self._deployed.rescale()
