"""Who calls: API tokens from the Authorization header (section 2 of the HTTP contract).

Tokens are found by their digest and kept in memory until they are revoked here; the token itself is
neither kept nor logged.
"""

from stoker.core.catalog import Token
from stoker.core.errors import Unauthenticated
from stoker.core.ids import token_digest
from stoker.ports.store import Accounts

MOST_KEPT = 10_000


class Tokens:
    """Finds tokens, mostly without asking the store."""

    def __init__(self, accounts: Accounts):
        self._accounts = accounts
        self._kept: dict[str, Token] = {}
        self._revocations = 0

    async def caller(self, authorization: str | None) -> Token:
        """The token of an Authorization header; raises ``Unauthenticated``."""
        scheme, _, text = (authorization or "").strip().partition(" ")
        text = text.strip()
        if scheme.lower() not in ("bearer", "token") or not text:
            raise Unauthenticated
        digest = token_digest(text)
        return self._kept.get(digest) or await self._find(digest)

    def forget(self, token_id: str) -> None:
        """Must be called when a token was revoked."""
        self._revocations += 1
        self._kept = {digest: token for digest, token in self._kept.items() if token.id != token_id}

    async def _find(self, digest: str) -> Token:
        before = self._revocations
        token = await self._accounts.token_by_digest(digest)
        if token is None or token.revoked_us is not None:
            raise Unauthenticated
        if len(self._kept) >= MOST_KEPT:
            self._kept.clear()
        # A token that was revoked while the store was asked must not be kept as good.
        if before == self._revocations:
            self._kept[digest] = token
        return token
