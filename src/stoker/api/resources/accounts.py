"""Accounts of people and organisations (our own addition): list, create, describe, change.

The operator's account makes them; each account, an organisation's admins and the operator change them.
"""

import math
import secrets
from typing import Any, Literal

import msgspec
from starlette.responses import Response

from stoker.api import idempotency
from stoker.api.endpoint import Request
from stoker.api.http import answers, bodies, pages
from stoker.api.wire import account_object, time_text
from stoker.core import ids
from stoker.core.catalog import Account, AccountKind
from stoker.core.errors import Conflict, FieldProblem, Forbidden, InputInvalid, NotFound
from stoker.core.permissions import demand, may
from stoker.core.weblinks import leads_somewhere
from stoker.ports.store import Page

PAGE = 100
NAME_LETTERS = 200
NEVER = "never"
Text = str | msgspec.UnsetType | None
Retention = float | Literal["never"] | msgspec.UnsetType | None


class AccountChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What PATCH may name; what it does not name stays as it is, null removes."""

    name: Text = msgspec.UNSET
    avatar_url: Text = msgspec.UNSET
    github_url: Text = msgspec.UNSET
    retention_s: Retention = msgspec.UNSET


class NewAccount(AccountChange, frozen=True, kw_only=True, forbid_unknown_fields=True):
    username: str
    type: AccountKind = "user"


class WebhookSecret(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    key: str


async def list_(request: Request) -> Response:
    """GET /stoker/accounts: the operator sees all, everyone else their own and their organisations."""
    if not request.caller.is_operator:
        page = Page(await _own(request), has_next=False, has_previous=False)
    else:
        place = pages.place(request)
        cursor = place.cursor if place else None
        page = await request.services.store.accounts.page(cursor=cursor, limit=PAGE)
    results = [describe(request, account) for account in page.items]
    return pages.envelope(
        request,
        page,
        results,
        path="/stoker/accounts",
        key=lambda found: (found.created_us, found.name),
    )


async def create(request: Request) -> Response:
    """POST /stoker/accounts: the operator's account alone."""
    if not request.caller.is_operator:
        raise Forbidden("Only the operator's account may create accounts.")
    wanted = await bodies.read_as(request, NewAccount)
    if not ids.is_name(wanted.username):
        raise InputInvalid([FieldProblem("pattern", "username", f"Must be {ids.NAME_RULE}")])
    account = Account(
        name=wanted.username,
        kind=wanted.type,
        created_us=idempotency.moment_us(request),
        webhook_secret=ids.webhook_secret(secrets.token_bytes(24)),
        **_changes(wanted),
    )
    store = request.services.store.accounts
    if not await store.create(account) and not idempotency.made_before(
        request, await store.get(account.name)
    ):
        raise Conflict(f"An account named {account.name} exists already.")
    return answers.json(describe(request, account), 201)


async def get(request: Request) -> Response:
    """GET /stoker/accounts/{name}"""
    return answers.json(describe(request, await visible(request)))


async def update(request: Request) -> Response:
    """PATCH /stoker/accounts/{name}"""
    account = await administered(request)
    fields = _changes(await bodies.read_as(request, AccountChange))
    changed = await request.services.store.accounts.update(account.name, **fields) if fields else account
    if changed is None:
        raise NotFound
    return answers.json(describe(request, changed))


async def put_webhook_secret(request: Request) -> Response:
    """PUT /stoker/accounts/{name}/webhook-secret: what its webhooks are signed with from now on."""
    account = await administered(request)
    key = (await bodies.read_as(request, WebhookSecret)).key
    if not ids.is_webhook_secret(key):
        raise InputInvalid([FieldProblem("pattern", "key", "Must be whsec_ and base64 of 16 to 64 bytes")])
    if await request.services.store.accounts.update(account.name, webhook_secret=key) is None:
        raise NotFound
    return answers.json({"key": key})


async def visible(request: Request) -> Account:
    """The account of the path, if the caller belongs to it or is the operator."""
    account = await request.services.store.accounts.get(request.path_params["name"])
    if account is None or not _may_know(request, account.name):
        raise NotFound
    return account


async def administered(request: Request) -> Account:
    """The account of the path, if the caller may administer it."""
    account = await visible(request)
    demand(request.caller, "administer", account.name)
    return account


def describe(request: Request, account: Account) -> dict[str, Any]:
    """The account as section 4.1 has it, and what only those see who belong to it."""
    kept_s = account.retention_s
    return account_object(account) | {
        "created_at": time_text(account.created_us),
        "role": request.caller.role_in(account.name),
        "retention_s": NEVER if kept_s is not None and math.isinf(kept_s) else kept_s,
    }


def _may_know(request: Request, name: str) -> bool:
    return request.caller.is_operator or may(request.caller, "see", name)


async def _own(request: Request) -> list[Account]:
    names = [request.account, *request.caller.roles]
    found = [await request.services.store.accounts.get(name) for name in names]
    known = [account for account in found if account is not None]
    return sorted(known, key=lambda found: (found.created_us, found.name), reverse=True)


def _changes(wanted: AccountChange) -> dict[str, Any]:
    """The fields of an account that the body names; raises ``InputInvalid``."""
    given = msgspec.structs.asdict(wanted)
    problems = _problems(given)
    if problems:
        raise InputInvalid(problems)
    fields = {name: given[name] for name in ("avatar_url", "github_url", "retention_s")}
    fields["display_name"] = given["name"] or "" if given["name"] is not msgspec.UNSET else msgspec.UNSET
    if fields["retention_s"] == NEVER:
        fields["retention_s"] = math.inf
    return {name: value for name, value in fields.items() if value is not msgspec.UNSET}


def _problems(given: dict[str, Any]) -> list[FieldProblem]:
    problems: list[FieldProblem] = []
    if isinstance(given["name"], str) and len(given["name"]) > NAME_LETTERS:
        problems.append(FieldProblem("string_lte", "name", f"Must have at most {NAME_LETTERS} characters"))
    for name in ("avatar_url", "github_url"):
        url = given[name]
        if isinstance(url, str) and not leads_somewhere(url):
            problems.append(FieldProblem("format", name, "Does not match format 'uri'"))
    kept_s = given["retention_s"]
    if isinstance(kept_s, int | float) and not 0 <= kept_s < 1e10:
        problems.append(FieldProblem("number_gte", "retention_s", 'Must be seconds, 0 or more, or "never"'))
    return problems
