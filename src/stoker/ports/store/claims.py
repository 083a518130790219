"""Idempotency keys of the last day. Written by the api; forgotten by the sweep."""

from typing import Protocol

import msgspec

from stoker.core.claims import Claim


class Claims(Protocol):
    """Writes survive the death of the server, and a power cut once a later write is synced: a claim is
    written before what it is for, so it is never missing where that is there."""

    async def take(self, claim: Claim, *, since_us: int) -> Claim:
        """The account's claim of that key if it was made since then; else the given one, kept from now on."""
        ...

    async def answer(self, claim: Claim, answer: msgspec.Raw, *, status: int) -> None:
        """What the claim's request was answered."""
        ...

    async def release(self, claim: Claim) -> None:
        """Nothing came of it: the key is free again."""
        ...

    async def forget(self, before_us: int) -> int:
        """Forgets the claims that were made before; how many."""
        ...
