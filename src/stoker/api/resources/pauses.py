"""Ends the pause of what failed to start (our own addition): whoever has mended the cause need not wait."""

from typing import Any

from starlette.responses import Response

from stoker.api import references
from stoker.api.endpoint import Request
from stoker.api.http import answers
from stoker.api.resources import models
from stoker.api.resources.health import may_see
from stoker.core.catalog import Model


async def resume_model(request: Request) -> Response:
    """POST /stoker/models/{owner}/{name}/resume: its versions and their trainings, and what they run in."""
    model = await models.own(request)
    resumed = request.services.waits.resume(model=model.ref)
    return answers.json({"resumed": [await _told(request, model, pause) for pause in resumed]})


async def resume_deployment(request: Request) -> Response:
    """POST /stoker/deployments/{owner}/{name}/resume"""
    owner, name = request.path_params["owner"], request.path_params["name"]
    found = await references.own_deployment(
        request.services, owner, name, caller=request.caller, action="change"
    )
    return answers.json({"resumed": request.services.waits.resume(deployment=found.ref)})


async def _told(request: Request, model: Model, pause: dict[str, Any]) -> dict[str, Any]:
    """The pause; of instances of a base that the caller may not see, as one of the model itself."""
    if pause["model"] == model.ref or await may_see(request, request.caller, pause):
        return pause
    return pause | {"model": model.ref, "version": model.latest_version}
