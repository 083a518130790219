"""Whether the server answers, and is well, for everyone; what runs and what is wrong, with a token."""

import contextlib
from importlib.metadata import version
from typing import Any

from starlette.responses import Response

from stoker.api.endpoint import Request
from stoker.api.http import answers
from stoker.api.services import Services
from stoker.core.errors import Unauthenticated
from stoker.core.permissions import Caller, may

VERSION = version("stoker")


async def get(request: Request) -> Response:
    """GET /health"""
    troubles = request.services.troubles.now()
    health: dict[str, Any] = {"status": "degraded" if troubles else "ok", "version": VERSION}
    with contextlib.suppress(Unauthenticated):
        caller = await request.services.tokens.caller(request.fields.get("authorization"))
        health["troubles"] = troubles
        running = request.services.dispatcher.instances()
        health["instances"] = [instance for instance in running if await may_see(request, caller, instance)]
        paused = request.services.waits.paused()
        health["paused"] = [pause for pause in paused if await may_see(request, caller, pause)]
    return answers.json(health)


async def may_see(request: Request, caller: Caller, instance: dict[str, Any]) -> bool:
    """Whether the caller may know of what runs, or does not, for that model, deployment or training.

    The operator sees all that runs on the machine, everyone else what could be seen otherwise, too.
    """
    owner, _, name = instance["model"].partition("/")
    deployed_by = (instance.get("deployment") or "").partition("/")[0]
    if caller.is_operator:
        return True
    if deployed_by and not may(caller, "see", deployed_by):
        return False
    training = instance.get("training")
    if training and not await _may_see_training(request.services, caller, training):
        return False
    model = await request.services.store.models.get(owner, name)
    return model is not None and may(caller, "see", model)


async def _may_see_training(services: Services, caller: Caller, id: str) -> bool:
    live = services.dispatcher.live(id)
    training = live.seen if live else await services.store.predictions.get(id)
    return training is not None and may(caller, "see", training)
