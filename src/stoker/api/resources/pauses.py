"""Ends the pause of what failed to start (our own addition): whoever has mended the cause need not wait."""

from starlette.responses import Response

from stoker.api import references
from stoker.api.endpoint import Request
from stoker.api.http import answers
from stoker.api.resources import models


async def resume_model(request: Request) -> Response:
    """POST /stoker/models/{owner}/{name}/resume: its versions and their trainings."""
    model = await models.own(request)
    return answers.json({"resumed": request.services.waits.resume(model=model.ref)})


async def resume_deployment(request: Request) -> Response:
    """POST /stoker/deployments/{owner}/{name}/resume"""
    owner, name = request.path_params["owner"], request.path_params["name"]
    found = await references.own_deployment(
        request.services, owner, name, caller=request.caller, action="change"
    )
    return answers.json({"resumed": request.services.waits.resume(deployment=found.ref)})
