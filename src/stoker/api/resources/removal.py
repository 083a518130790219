"""A model goes at once with all its versions (our own addition), also a public one. The operator's."""

from starlette.responses import Response

from stoker.api.endpoint import Request
from stoker.api.http import answers
from stoker.api.resources import models
from stoker.core.catalog import Model, Version
from stoker.core.errors import Conflict, Forbidden
from stoker.ports.store import Cursor, Store

PAGE = 100


async def delete(request: Request) -> Response:
    """DELETE /stoker/models/{owner}/{name}: refused while anything depends on one of its versions."""
    if not request.caller.is_operator:
        raise Forbidden("Whole models are removed by the operator's account.")
    model, store = await models.own(request, "delete"), request.services.store
    versions = await _versions(store, model)
    for version in versions:
        await _check_unused(store, version)
    for version in versions:  # newest first: what was trained goes before what it was trained from
        if not await store.versions.delete(model.ref, version.id):
            raise Conflict(f"The version {version.id} could not be removed: a deployment has come to run it.")
        request.services.versions.forget(version.id)
    if not await store.models.delete(model.owner, model.name):
        raise Conflict("A version was pushed meanwhile; remove the model again.")
    request.services.lifetimes.forget()
    return answers.empty()


async def _versions(store: Store, model: Model) -> list[Version]:
    found: list[Version] = []
    cursor: Cursor | None = None
    while True:
        page = await store.versions.page(model.ref, cursor=cursor, limit=PAGE)
        found += page.items
        if not page.has_next:
            return found
        cursor = Cursor(found[-1].created_us, found[-1].id)


async def _check_unused(store: Store, version: Version) -> None:
    if await store.deployments.runs(version.model, version.id):
        raise Conflict(
            f"A deployment runs the version {version.id}; give it another one, or delete it, first."
        )
    if await store.versions.has_trained(version.model, version.id, elsewhere=True):
        raise Conflict(f"Another model was trained from the version {version.id}; delete that one first.")
