"""Published ids that a version stands in for (our own addition): the operator's account gives them."""

from typing import Any

import msgspec
from starlette.responses import Response

from stoker.api.endpoint import Request
from stoker.api.http import answers, bodies
from stoker.api.resources import models
from stoker.core import ids
from stoker.core.aliases import Alias
from stoker.core.errors import FieldProblem, Forbidden, InputInvalid, NotFound
from stoker.core.permissions import Action

MOST = 1000
NO_ID = "Must be 64 lower-case hex digits"


class Published(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    model: str | None = None


class NewAliases(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    aliases: list[Published]
    take_over: bool = False
    """Whether ids may leave the model's other versions for this one."""


async def list_(request: Request) -> Response:
    """GET /stoker/models/{owner}/{name}/versions/{id}/aliases"""
    model, version = await _version(request, "see")
    found = await request.services.store.aliases.of_version(model, version)
    return answers.json({"aliases": [_describe(alias) for alias in found]})


async def put(request: Request) -> Response:
    """PUT: the whole list; what was in it before and is not now ends. Names of others hold for everyone here,
    so that only the operator may give them."""
    if not request.caller.is_operator:
        raise Forbidden("Aliases are given by the operator's account.")
    model, version = await _version(request, "change")
    wanted = await bodies.read_as(request, NewAliases)
    _check(wanted.aliases)
    given = [Alias(id=one.id, name=one.model, model=model, version=version) for one in wanted.aliases]
    await request.services.store.aliases.put(model, version, given, take_over=wanted.take_over)
    return await list_(request)


async def _version(request: Request, action: Action) -> tuple[str, str]:
    """The version of the path by its real name and id, if the caller may do that with its model."""
    model = await models.own(request, action)
    known = await request.services.versions.get(request.path_params["id"], model=model.ref)
    if known is None:
        raise NotFound
    return model.ref, known.version.id


def _check(wanted: list[Published]) -> None:
    problems: list[FieldProblem] = []
    if len(wanted) > MOST:
        problems.append(FieldProblem("array_max_items", "aliases", f"Array must have at most {MOST} items"))
    for number, one in enumerate(wanted):
        if not ids.is_version_id(one.id):
            problems.append(FieldProblem("pattern", f"aliases.{number}.id", NO_ID))
        owner, slash, name = ("a/b" if one.model is None else one.model).lower().partition("/")
        if not (slash and ids.is_name(owner) and ids.is_name(name)):
            problems.append(FieldProblem("pattern", f"aliases.{number}.model", "Must be owner/name"))
    if problems:
        raise InputInvalid(problems)


def _describe(alias: Alias) -> dict[str, Any]:
    return {"model": alias.name, "id": alias.id}
