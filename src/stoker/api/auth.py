"""Who calls: API tokens from the Authorization header (section 2 of the HTTP contract).

Tokens are found by their digest and kept in memory, with whom they speak for, until they are revoked or the
memberships change here; the token itself is neither kept nor logged. When a token was last used is written
now and then by ``step``, never on the way of a request.
"""

from stoker.core.catalog import Token
from stoker.core.errors import Unauthenticated
from stoker.core.ids import token_digest
from stoker.core.permissions import Caller
from stoker.ports.clock import Clock
from stoker.ports.store import Accounts

MOST_KEPT = 10_000


class Tokens:
    """Finds callers, mostly without asking the store."""

    def __init__(self, accounts: Accounts, clock: Clock, *, operator: str):
        self._accounts = accounts
        self._clock = clock
        self._operator = operator
        self._kept: dict[str, Caller] = {}
        self._used: set[str] = set()
        self._changes = 0

    async def caller(self, authorization: str | None) -> Caller:
        """Whose token an Authorization header holds; raises ``Unauthenticated``."""
        scheme, _, text = (authorization or "").strip().partition(" ")
        text = text.strip()
        if scheme.lower() not in ("bearer", "token") or not text:
            raise Unauthenticated
        digest = token_digest(text)
        caller = self._kept.get(digest) or await self._find(digest)
        if caller.expires_us is not None and caller.expires_us <= self._clock.now_us():
            raise Unauthenticated
        self._used.add(caller.id)
        return caller

    def forget(self, token_id: str) -> None:
        """Must be called when a token was revoked."""
        self._changes += 1
        self._kept = {digest: caller for digest, caller in self._kept.items() if caller.id != token_id}

    def forget_account(self, account: str) -> None:
        """Must be called when the account's memberships have changed."""
        self._changes += 1
        self._kept = {digest: caller for digest, caller in self._kept.items() if caller.account != account}

    async def step(self, now_us: int) -> None:
        """Writes which tokens were used since the last time. A background duty."""
        used, self._used = self._used, set()
        if used:
            await self._accounts.note_uses(sorted(used), now_us)

    async def _find(self, digest: str) -> Caller:
        before = self._changes
        token = await self._accounts.token_by_digest(digest)
        if token is None or token.revoked_us is not None:
            raise Unauthenticated
        caller = await self._caller(token)
        if len(self._kept) >= MOST_KEPT:
            self._kept.clear()
        # What changed while the store was asked must not be kept as it was.
        if before == self._changes:
            self._kept[digest] = caller
        return caller

    async def _caller(self, token: Token) -> Caller:
        return Caller(
            id=token.id,
            account=token.account,
            scope=token.scope,
            expires_us=token.expires_us,
            roles=await self._accounts.roles(token.account),
            is_operator=token.account == self._operator,
        )
