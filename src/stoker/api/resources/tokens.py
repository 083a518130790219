"""API tokens (our own addition): those of the caller's account, and of the accounts that it administers."""

import secrets
from typing import Any

import msgspec
from starlette.responses import Response

from stoker.api.endpoint import Request
from stoker.api.http import answers, bodies
from stoker.api.wire import time_text
from stoker.core import ids
from stoker.core.catalog import Scope, Token
from stoker.core.errors import FieldProblem, Forbidden, InputInvalid, NotFound
from stoker.core.permissions import demand, may, may_mint

NAME_LETTERS = 100
LONGEST_S = 100 * 365 * 86400.0


class NewToken(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    account: str | None = None
    """None is the caller's own."""
    scope: Scope | None = None
    """None is the caller's own."""
    expires_in_s: float | None = None
    """None is as long as the caller's own."""


async def list_(request: Request) -> Response:
    """GET /stoker/tokens?account: revoked and expired ones too, oldest first."""
    account = await _account(request, request.query_params.get("account"))
    # What this minute's requests used shows at once.
    await request.services.tokens.step(request.services.clock.now_us())
    tokens = await request.services.store.accounts.list_tokens(account)
    return answers.json({"results": [_describe(token) for token in tokens]})


async def create(request: Request) -> Response:
    """POST /stoker/tokens: the one answer that holds the token itself."""
    wanted = await bodies.read_as(request, NewToken)
    _check(wanted)
    text = ids.api_token(secrets.token_bytes(64))
    token = await _new(request, wanted, text)
    if not may_mint(request.caller, token.scope, token.expires_us):
        raise Forbidden("A token cannot make one that may do more, or lasts longer, than itself.")
    await request.services.store.accounts.create_token(token)
    return answers.json(_describe(token) | {"token": text}, 201, {"cache-control": "no-store"})


async def revoke(request: Request) -> Response:
    """DELETE /stoker/tokens/{id}: one that may do no more than the caller's."""
    services, id = request.services, request.path_params["id"]
    token = await services.store.accounts.token(id)
    if token is None or not _may_manage(request, token.account):
        raise NotFound
    if not may_mint(request.caller, token.scope, request.caller.expires_us):
        raise Forbidden("A token cannot revoke one that may do more than itself.")
    revoked = await services.store.accounts.revoke_token(token.account, id, now_us=services.clock.now_us())
    services.tokens.forget(id)
    if not revoked:
        raise NotFound
    return answers.empty()


async def _account(request: Request, name: str | None) -> str:
    """The account that is meant, if the caller may manage its tokens."""
    if name is None or name == request.account:
        return request.account
    demand(request.caller, "administer", name)
    account = await request.services.store.accounts.get(name)
    if account is None:
        raise NotFound
    return account.name


def _may_manage(request: Request, account: str) -> bool:
    return account == request.account or may(request.caller, "administer", account)


async def _new(request: Request, wanted: NewToken, text: str) -> Token:
    now_us = request.services.clock.now_us()
    expires_us = request.caller.expires_us
    if wanted.expires_in_s is not None:
        expires_us = now_us + int(wanted.expires_in_s * 1e6)
    return Token(
        id=ids.opaque_key(secrets.token_bytes(10)),
        account=await _account(request, wanted.account),
        name=wanted.name.strip(),
        digest=ids.token_digest(text),
        hint=f"{text[:5]}***",
        created_us=now_us,
        scope=wanted.scope or request.caller.scope,
        expires_us=expires_us,
    )


def _check(wanted: NewToken) -> None:
    problems: list[FieldProblem] = []
    if not 0 < len(wanted.name.strip()) <= NAME_LETTERS:
        problems.append(FieldProblem("string_lte", "name", f"Must have 1 to {NAME_LETTERS} characters"))
    if wanted.expires_in_s is not None and not 0 < wanted.expires_in_s <= LONGEST_S:
        text = f"Must be more than 0 and at most {LONGEST_S:.0f}"
        problems.append(FieldProblem("number_gte", "expires_in_s", text))
    if problems:
        raise InputInvalid(problems)


def _describe(token: Token) -> dict[str, Any]:
    return {
        "id": token.id,
        "account": token.account,
        "name": token.name,
        "hint": token.hint,
        "scope": token.scope,
        "created_at": time_text(token.created_us),
        "expires_at": None if token.expires_us is None else time_text(token.expires_us),
        "last_used_at": None if token.used_us is None else time_text(token.used_us),
        "revoked_at": None if token.revoked_us is None else time_text(token.revoked_us),
    }
