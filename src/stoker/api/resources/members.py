"""Who belongs to an organisation (our own addition). Its admins and the operator decide."""

from typing import Any

import msgspec
from starlette.responses import Response

from stoker.api.endpoint import Request
from stoker.api.http import answers, bodies
from stoker.api.resources import accounts
from stoker.api.wire import time_text
from stoker.core.catalog import Account, Member, Role
from stoker.core.errors import Invalid, NotFound


class NewMember(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    role: Role = "member"


async def list_(request: Request) -> Response:
    """GET /stoker/accounts/{name}/members: by name; a person has none."""
    account = await accounts.visible(request)
    found = await request.services.store.accounts.members(account.name)
    return answers.json({"results": [_describe(member) for member in found]})


async def put(request: Request) -> Response:
    """PUT /stoker/accounts/{name}/members/{member}: adds a user, or changes the role."""
    organization = await accounts.administered(request)
    wanted = await bodies.read_as(request, NewMember)
    user = await _user(request, organization)
    member = Member(
        organization=organization.name,
        account=user.name,
        role=wanted.role,
        created_us=request.services.clock.now_us(),
    )
    await request.services.store.accounts.set_member(member)
    _forget(request, user.name)
    return answers.json(_describe(member))


async def remove(request: Request) -> Response:
    """DELETE /stoker/accounts/{name}/members/{member}"""
    organization = await accounts.administered(request)
    user = await request.services.store.accounts.get(request.path_params["member"])
    if user is None or not await request.services.store.accounts.remove_member(organization.name, user.name):
        raise NotFound
    _forget(request, user.name)
    return answers.empty()


async def _user(request: Request, organization: Account) -> Account:
    """The user of the path; raises ``Invalid`` where that is nobody who can belong to the organisation."""
    if organization.kind != "organization":
        raise Invalid(f"{organization.name} is not an organization; only those have members.")
    name = request.path_params["member"]
    user = await request.services.store.accounts.get(name)
    if user is None or user.kind != "user":
        raise Invalid(f"There is no user {name}.")
    return user


def _forget(request: Request, account: str) -> None:
    """What was remembered of the account's rights is out of date."""
    request.services.tokens.forget_account(account)
    request.services.versions.forget_account(account)


def _describe(member: Member) -> dict[str, Any]:
    return {"username": member.account, "role": member.role, "created_at": time_text(member.created_us)}
