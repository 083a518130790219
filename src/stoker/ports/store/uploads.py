"""Which account has sent which bytes of source trees: knowing a sha256 does not entitle to what it names.

Written by the api when bytes come in; read before a build may name them.
"""

from typing import Protocol


class Uploads(Protocol):
    async def note(self, account: str, sha256: str, now_us: int) -> None:
        """The account has sent these bytes."""
        ...

    async def known(self, account: str, digests: set[str], now_us: int) -> set[str]:
        """Those that the account has sent; from now on they are as young as if just sent."""
        ...

    async def forget(self, before_us: int) -> int:
        """Forgets what was neither sent nor asked for since; how many."""
        ...
