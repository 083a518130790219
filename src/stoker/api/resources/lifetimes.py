"""For how long a model's answers are given again (our own addition): its owner reads and sets it."""

import msgspec
from starlette.responses import Response

from stoker.api.endpoint import Request
from stoker.api.http import answers, bodies
from stoker.api.resources import models
from stoker.core.errors import FieldProblem, InputInvalid, NotFound
from stoker.core.sharing import LONGEST_S


class NewLifetime(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    max_age_s: float | None
    """None: answers are given again only where the request asks for it."""


async def get(request: Request) -> Response:
    """GET /stoker/models/{owner}/{name}/cache"""
    model = await models.own(request)
    return answers.json({"max_age_s": await request.services.lifetimes.of(model.ref)})


async def put(request: Request) -> Response:
    """PUT /stoker/models/{owner}/{name}/cache"""
    model = await models.own(request)
    wanted = await bodies.read_as(request, NewLifetime)
    if wanted.max_age_s is not None and not 0 <= wanted.max_age_s <= LONGEST_S:
        text = f"Must be from 0 to {LONGEST_S} seconds"
        raise InputInvalid([FieldProblem("invalid", "max_age_s", text)])
    if not await request.services.lifetimes.put(model.ref, wanted.max_age_s):
        raise NotFound
    return answers.json({"max_age_s": wanted.max_age_s})
