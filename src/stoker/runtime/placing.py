"""What the fleet knows, in the words of ``core.placement``: what a pool's instance needs, who holds what.

Called by the fleet; decides nothing and changes nothing.
"""

from collections.abc import Iterable, Sequence

from stoker.core import hardware
from stoker.core.experience import EXPECTED_BYTES, Experience
from stoker.core.hardware import Hardware
from stoker.core.placement import Claim, Holder, Machine, Need
from stoker.runtime.group import Group
from stoker.runtime.member import Member


class Placing:
    def __init__(self, offered: Sequence[Hardware]):
        self._gpus = {one.sku: one.gpus for one in offered}

    def claim(self, group: Group, learned: Experience, machine: Machine, *, now_us: int) -> Claim:
        """One more instance of the group."""
        return Claim(
            need=self._need(group, learned, machine),
            since_us=now_us if group.short_since_us is None else group.short_since_us,
            boot_s=learned.boot_s or 0.0,
        )

    def holders(self, group: Group, learned: Experience, machine: Machine) -> Iterable[Holder]:
        """What the group's instances have; those that it keeps are the ones that have been there longest."""
        kept = list(group.members)[: group.scale.least]
        for member in group.members.values():
            yield self._holder(member, group, learned, machine, is_kept=member.id in kept or group.trains)

    def _holder(
        self, member: Member, group: Group, learned: Experience, machine: Machine, *, is_kept: bool
    ) -> Holder:
        seen = member.view()
        return Holder(
            id=member.id,
            need=self._need(group, learned, machine),
            gpus=member.gpus,
            taken_bytes=member.usage.memory_bytes,
            taken_gpu_bytes=member.usage.gpu_bytes,
            is_idle=seen.is_idle,
            is_kept=is_kept,
            is_going=seen.leaving or seen.state == "stopping",
            ready_us=member.ready_us,
            idle_since_us=seen.idle_since_us,
            boot_s=learned.boot_s or 0.0,
            gap_s=learned.gap_s,
        )

    def _need(self, group: Group, learned: Experience, machine: Machine) -> Need:
        sku = group.pool.hardware or group.version.hardware
        gpus = self._gpus.get(sku, 0)
        if not gpus and self._asks_for_gpu(group, sku, machine):
            gpus = 1
        expected = EXPECTED_BYTES if learned.memory_bytes is None else learned.memory_bytes
        return Need(
            hardware=sku,
            gpus=gpus,
            gpu_kind=hardware.kind(sku) if self._gpus.get(sku) else None,
            memory_bytes=expected,
            gpu_memory_bytes=learned.gpu_memory_bytes or None,
        )

    def _asks_for_gpu(self, group: Group, sku: str, machine: Machine) -> bool:
        """Whether its cog.yaml does; or its hardware may, which is unknown while the driver is silent."""
        if machine.driver_is_silent:
            return group.version.recipe.gpu or sku not in self._gpus
        return group.version.recipe.gpu and bool(machine.gpus or machine.lost_gpus)
