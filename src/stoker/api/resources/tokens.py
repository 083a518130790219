"""API tokens of the caller's account (our own addition): list, create, revoke."""

import secrets
from typing import Any

import msgspec
from starlette.responses import Response

from stoker.api.endpoint import Request
from stoker.api.http import answers, bodies
from stoker.api.wire import time_text
from stoker.core import ids
from stoker.core.catalog import Token
from stoker.core.errors import FieldProblem, InputInvalid, NotFound

NAME_LETTERS = 100


class NewToken(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str


async def list_(request: Request) -> Response:
    """GET /stoker/tokens"""
    tokens = await request.services.store.accounts.list_tokens(request.account)
    return answers.json({"results": [_describe(token) for token in tokens]})


async def create(request: Request) -> Response:
    """POST /stoker/tokens: the one answer that holds the token itself."""
    name = (await bodies.read_as(request, NewToken)).name.strip()
    if not 0 < len(name) <= NAME_LETTERS:
        raise InputInvalid([FieldProblem("string_lte", "name", f"Must have 1 to {NAME_LETTERS} characters")])
    text = ids.api_token(secrets.token_bytes(64))
    token = Token(
        id=ids.opaque_key(secrets.token_bytes(10)),
        account=request.account,
        name=name,
        digest=ids.token_digest(text),
        hint=f"{text[:5]}***",
        created_us=request.services.clock.now_us(),
    )
    await request.services.store.accounts.create_token(token)
    return answers.json(_describe(token) | {"token": text}, 201, {"cache-control": "no-store"})


async def revoke(request: Request) -> Response:
    """DELETE /stoker/tokens/{id}"""
    services, id = request.services, request.path_params["id"]
    revoked = await services.store.accounts.revoke_token(request.account, id, now_us=services.clock.now_us())
    services.tokens.forget(id)
    if not revoked:
        raise NotFound
    return answers.empty()


def _describe(token: Token) -> dict[str, Any]:
    return {
        "id": token.id,
        "name": token.name,
        "hint": token.hint,
        "created_at": time_text(token.created_us),
        "revoked_at": None if token.revoked_us is None else time_text(token.revoked_us),
    }
