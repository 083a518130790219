"""Trainings: create, list, get, cancel (sections 4.8 and 5.9). A training is a prediction of another kind."""

import msgspec
from starlette.responses import Response

from stoker.api import creation, references, runs
from stoker.api.endpoint import Request
from stoker.api.http import answers, bodies
from stoker.api.resources import predictions
from stoker.core.catalog import Model
from stoker.core.errors import NotFound
from stoker.core.permissions import may

NO_DESTINATION = "The specified training destination does not exist"


async def create(request: Request) -> Response:
    """POST /models/{owner}/{name}/versions/{id}/trainings"""
    services = request.services
    body = await bodies.read(request, limit_bytes=services.settings.body_limit_bytes)
    owner, name, id = (request.path_params[part] for part in ("owner", "name", "id"))
    known = await references.version_of(services, owner, name, id, caller=request.caller)
    known.check_trainable()
    wanted = creation.to_training(body, services.settings)
    destination = await _destination(request, wanted.destination or "")
    wanted = msgspec.structs.replace(wanted, destination=destination.ref)
    return await runs.create(request, body, wanted, known)


async def list_(request: Request) -> Response:
    """GET /trainings: newest first."""
    return await predictions.list_of(request, kind="training")


async def get(request: Request) -> Response:
    """GET /trainings/{id}"""
    training = await predictions.own(request, kind="training")
    return answers.raw_json(await predictions.render(request.services, training))


async def cancel(request: Request) -> Response:
    """POST /trainings/{id}/cancel: a finished training stays as it is."""
    await predictions.own(request, kind="training")
    return await predictions.cancel(request)


async def _destination(request: Request, ref: str) -> Model:
    """The model of that name, if the caller may change it; any other is answered as if there were none.

    To change, not to run: what is learned becomes the version that everyone who names the model runs.
    """
    owner, _, name = ref.partition("/")
    model = await request.services.store.models.get(owner, name)
    if model is None or not may(request.caller, "change", model):
        raise NotFound(NO_DESTINATION)
    return model
