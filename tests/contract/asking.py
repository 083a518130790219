"""Requests for one operation after another, on a platform whose operator is alice. Used by ``statuses``."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx
from starlette.routing import Route

from stoker.api.endpoint import Endpoint
from stoker.api.routes import routes
from stoker.core import ids
from stoker.core.catalog import Account, Member, Scope, Token
from tests.contract import things
from tests.contract.platform import START_US, Platform
from tests.contract.things import Ask

OPERATOR = "alice"
MOST_BYTES = 50_000
"""What bodies and files may have on these platforms."""
LIMITS = dict.fromkeys(("body_limit_bytes", "upload_limit_bytes", "source_file_limit_bytes"), MOST_BYTES)

ALICE, READER, MEMBER = "admin of alice", "read of alice", "admin of carol"
"""The tokens that are sent; carol belongs to the team."""


class Operation(NamedTuple):
    method: str
    route: str


def _every() -> Iterator[Operation]:
    for route in routes(None):  # type: ignore[arg-type]
        assert isinstance(route, Route) and isinstance(route.app, Endpoint)
        yield from (Operation(method, route.path) for method in route.app.methods)


EVERY = tuple(_every())
"""In the spelling of ``api.routes``."""


async def populate(p: Platform) -> None:
    """The accounts and tokens that the platform does not have yet."""
    accounts = p.store.accounts
    await accounts.create(_account("team", kind="organization"))
    await accounts.create(_account("carol"))
    await accounts.set_member(Member(organization="team", account="carol", created_us=START_US))
    scopes: tuple[tuple[str, Scope], ...] = ((ALICE, "admin"), (READER, "read"), (MEMBER, "admin"))
    for text, scope in scopes:
        account = text.rpartition(" ")[2]
        await accounts.create_token(
            Token(
                id=text,
                account=account,
                name="test",
                digest=ids.token_digest(text),
                hint="r8_",
                created_us=START_US,
                scope=scope,
            )
        )


def _account(name: str, **fields: Any) -> Account:
    return Account(name=name, created_us=START_US, webhook_secret="whsec_x", **fields)


class Asker:
    """Asks for one operation."""

    def __init__(self, p: Platform, operation: Operation):
        self.p = p
        self.method, self.route = operation

    async def prepare(self, *, exists: bool = True, of: str | None = None) -> Ask:
        """A request that is granted, if the thing exists."""
        owner = "team" if self.route.startswith("/stoker/accounts/") else "alice"
        return await things.ask(self.p, self.method, self.route, of=of or owner, exists=exists)

    async def send(self, ask: Ask | None = None, *, by: str | None = ALICE, **changes: Any) -> httpx.Response:
        path, more = ask or await self.prepare()
        if "content" in changes:
            more = {name: value for name, value in more.items() if name not in ("json", "files", "data")}
        headers = {"authorization": f"Bearer {by}"} if by else {}
        more = more | changes | {"headers": headers | changes.get("headers", {})}
        return await self.p.anonymous.request(self.method, path, **more)

    async def make(self, method: str, path: str, **body: Any) -> None:
        """Another request of alice's, on the way."""
        (await self.p.client.request(method, path, json=body)).raise_for_status()
