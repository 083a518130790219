"""People, organisations, who belongs to which, and their tokens."""

from collections.abc import Sequence
from typing import Any, Protocol

from stoker.core.catalog import Account, Member, Role, Token
from stoker.ports.store.paging import Cursor, Page


class Accounts(Protocol):
    async def create(self, account: Account) -> bool: ...

    async def get(self, name: str) -> Account | None: ...

    async def page(self, *, cursor: Cursor | None = None, limit: int = 100) -> Page[Account]:
        """All of them, newest first; a cursor's id is the name."""
        ...

    async def update(self, name: str, **fields: Any) -> Account | None:
        """Changes display_name, avatar_url, github_url, retention_s, webhook_secret; the account as it is
        now."""
        ...

    async def retentions(self) -> dict[str, float | None]:
        """The ``retention_s`` of every account."""
        ...

    async def set_member(self, member: Member) -> None:
        """Makes a user a member, or gives a member another role."""
        ...

    async def remove_member(self, organization: str, account: str) -> bool: ...

    async def members(self, organization: str) -> list[Member]:
        """By name."""
        ...

    async def roles(self, account: str) -> dict[str, Role]:
        """The organisations that a user belongs to."""
        ...

    async def create_token(self, token: Token) -> None: ...

    async def token(self, id: str) -> Token | None:
        """Also a revoked one."""
        ...

    async def token_by_digest(self, digest: str) -> Token | None:
        """Also a revoked one."""
        ...

    async def list_tokens(self, account: str) -> list[Token]:
        """Oldest first, revoked ones too."""
        ...

    async def revoke_token(self, account: str, id: str, now_us: int) -> bool:
        """False where there is no such token, or it was revoked already."""
        ...

    async def note_uses(self, ids: Sequence[str], now_us: int) -> None:
        """The tokens were used about now."""
        ...
