"""What is wrong with the machine now: told in ``/health`` and, when it begins and ends, in the server's log.

Asked by the api, which takes nothing new while the disk is full. It mends nothing: each part of the server
gets on by itself once its trouble is over.
"""

import logging

from stoker.core.errors import StorageFull
from stoker.ports.machine import Host
from stoker.runtime.ledger import Ledger

log = logging.getLogger(__name__)


class Troubles:
    def __init__(self, *, host: Host, ledger: Ledger):
        self._host = host
        self._ledger = ledger
        self._told: list[str] = []
        """As the log has it."""

    def now(self) -> list[str]:
        """A sentence each."""
        found = self._host.troubles()
        if unwritten := self._ledger.unwritten:
            found.append(f"{unwritten} changes of predictions could not be written yet.")
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
