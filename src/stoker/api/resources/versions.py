"""Versions of a model: list, get, delete (section 5.4)."""

from starlette.responses import Response

from stoker.api import references
from stoker.api.endpoint import Request
from stoker.api.http import answers, pages
from stoker.api.resources import models
from stoker.api.wire import version_object
from stoker.core.catalog import Model
from stoker.core.errors import Conflict, NotFound

PAGE = 100


async def list_(request: Request) -> Response:
    """GET /models/{owner}/{name}/versions: newest first."""
    model = await models.visible(request)
    place = pages.place(request)
    cursor = place.cursor if place else None
    page = await request.services.store.versions.page(model.ref, cursor=cursor, limit=PAGE)
    return pages.envelope(
        request,
        page,
        [version_object(version) for version in page.items],
        path=f"/models/{model.ref}/versions",
        key=lambda version: (version.created_us, version.id),
    )


async def get(request: Request) -> Response:
    """GET /models/{owner}/{name}/versions/{id}: also by a published id that it stands in for."""
    path = request.path_params
    known = await references.version_of(
        request.services, path["owner"], path["name"], path["id"], caller=request.caller
    )
    return answers.json(version_object(known.version))


async def delete(request: Request) -> Response:
    """DELETE /models/{owner}/{name}/versions/{id}: accepted (202), of one's own private models.

    Its predictions and their files go soon after.
    """
    model, services = await models.own(request, "delete"), request.services
    if model.visibility == "public":
        raise Conflict("A version of a public model cannot be deleted.")
    id = request.path_params["id"]
    await _check_unused(request, model, id)
    if not await services.store.versions.delete(model.ref, id, runs_before_us=services.clock.now_us()):
        raise NotFound
    services.versions.forget(id)
    return Response(status_code=202)


async def _check_unused(request: Request, model: Model, id: str) -> None:
    store = request.services.store
    if await store.deployments.runs(model.ref, id):
        raise Conflict("A deployment runs this version; give it another one, or delete it, first.")
    if await store.versions.has_trained(model.ref, id):
        raise Conflict("Another version was trained from this one; delete that first.")
    if await store.aliases.of_version(model.ref, id):
        raise Conflict("This version stands in for published ids; take its aliases from it first.")
    runners = await store.versions.runners(model.ref, id)
    if runners.keys() - {model.account, request.caller.account}:
        raise Conflict("Somebody else has run this version; it stays.")
    if any(runners.values()):
        raise Conflict("A prediction of this version is not over; cancel it, or wait for its end, first.")
