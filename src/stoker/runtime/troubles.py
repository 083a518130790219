"""What is wrong with the machine now: told in ``/health`` and, when it begins and ends, in the server's log.

Asked by the api, which takes nothing new while the disk is full. It mends nothing: each part of the server
gets on by itself once its trouble is over.
"""

import logging

from stoker.core.errors import StorageFull
from stoker.ports.clock import Clock
from stoker.ports.machine import Host
from stoker.runtime.ledger import Ledger

log = logging.getLogger(__name__)

FRESH_US = 1_000_000


class Troubles:
    def __init__(self, *, host: Host, ledger: Ledger, clock: Clock):
        self._host = host
        self._ledger = ledger
        self._clock = clock
        self._seen: list[str] = []
        """Of the machine, when it was looked at last."""
        self._seen_us = -FRESH_US
        self._told: list[str] = []
        """As the log has it."""

    def now(self) -> list[str]:
        """A sentence each, at most a second old: whoever asks need not have a token."""
        now_us = self._clock.now_us()
        if now_us - self._seen_us >= FRESH_US:
            self._seen, self._seen_us = self._host.troubles(), now_us
        found = list(self._seen)
        if unwritten := self._ledger.unwritten:
            found.append(f"Changes of predictions that could not be written yet: {unwritten}.")
        return found

    def check_disk(self) -> None:
        """Raises ``StorageFull`` where nothing new can be taken."""
        if self._host.disk_is_full:
            raise StorageFull

    def step(self, _now_us: int) -> None:
        """Tells the log of what is new, and of what is over; the figures in a sentence are no news."""
        found = {_kind(one): one for one in self.now()}
        before = {_kind(one): one for one in self._told}
        for kind in found.keys() - before.keys():
            log.error("trouble: %s", found[kind])
        for kind in before.keys() - found.keys():
            log.warning("over: %s", before[kind])
        self._told = list(found.values())


def _kind(sentence: str) -> str:
    return "".join(letter for letter in sentence if not letter.isdigit())
