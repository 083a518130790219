"""Collections: everyone reads them (section 5.2), the operator's account makes them (our own addition)."""

import msgspec
from starlette.responses import Response

from stoker.api import idempotency, references
from stoker.api.endpoint import Request
from stoker.api.http import answers, bodies, pages
from stoker.api.resources import models
from stoker.api.wire import collection_object
from stoker.core import ids
from stoker.core.collections import Collection
from stoker.core.errors import Conflict, FieldProblem, Forbidden, InputInvalid, NotFound
from stoker.core.permissions import may

PAGE = 100
NAME_LETTERS = 200


class NewCollection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    slug: str
    name: str
    description: str = ""
    full_description: str | None = None


class CollectionChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str | msgspec.UnsetType = msgspec.UNSET
    description: str | msgspec.UnsetType = msgspec.UNSET
    full_description: str | msgspec.UnsetType | None = msgspec.UNSET


async def list_(request: Request) -> Response:
    """GET /collections: newest first."""
    place = pages.place(request)
    page = await request.services.store.collections.page(cursor=place.cursor if place else None, limit=PAGE)
    return pages.envelope(
        request,
        page,
        [collection_object(collection) for collection in page.items],
        path="/collections",
        key=lambda collection: (collection.created_us, collection.slug),
    )


async def get(request: Request) -> Response:
    """GET /collections/{slug}: with those of its models that the caller may see."""
    collection = await request.services.store.collections.get(request.path_params["slug"])
    if collection is None:
        raise NotFound
    return await _answer(request, collection)


async def create(request: Request) -> Response:
    """POST /stoker/collections"""
    _check_operator(request)
    wanted = await bodies.read_as(request, NewCollection)
    _check(slug=wanted.slug, name=wanted.name)
    collection = Collection(**msgspec.structs.asdict(wanted), created_us=idempotency.moment_us(request))
    store = request.services.store.collections
    if not await store.create(collection) and not idempotency.made_before(
        request, await store.get(wanted.slug)
    ):
        raise Conflict(f"A collection {wanted.slug} exists already.")
    return await _answer(request, collection, 201)


async def update(request: Request) -> Response:
    """PATCH /stoker/collections/{slug}"""
    _check_operator(request)
    change = msgspec.structs.asdict(await bodies.read_as(request, CollectionChange))
    fields: dict[str, str | None] = {k: v for k, v in change.items() if v is not msgspec.UNSET}
    _check(name=fields.get("name"))
    collection = await request.services.store.collections.update(request.path_params["slug"], **fields)
    if collection is None:
        raise NotFound
    return await _answer(request, collection)


async def delete(request: Request) -> Response:
    """DELETE /stoker/collections/{slug}: its models stay."""
    _check_operator(request)
    if not await request.services.store.collections.delete(request.path_params["slug"]):
        raise NotFound
    return answers.empty()


async def add_model(request: Request) -> Response:
    """PUT /stoker/collections/{slug}/models/{owner}/{name}: at the end."""
    _check_operator(request)
    path = request.path_params
    model = await references.real_model(request.services, path["owner"], path["name"], caller=request.caller)
    if not await request.services.store.collections.add(path["slug"], model.ref):
        raise NotFound
    return answers.empty()


async def remove_model(request: Request) -> Response:
    """DELETE /stoker/collections/{slug}/models/{owner}/{name}"""
    _check_operator(request)
    path = request.path_params
    if not await request.services.store.collections.remove(path["slug"], f"{path['owner']}/{path['name']}"):
        raise NotFound
    return answers.empty()


async def _answer(request: Request, collection: Collection, status: int = 200) -> Response:
    services = request.services
    found = await services.store.collections.models(collection.slug)
    seen = [model for model in found if may(request.caller, "see", model)]
    more = {
        "full_description": collection.full_description,
        "models": [await models.describe(services, model) for model in seen],
    }
    return answers.json(collection_object(collection) | more, status)


def _check_operator(request: Request) -> None:
    if not request.caller.is_operator:
        raise Forbidden("Collections are made by the operator's account.")


def _check(*, slug: str | None = None, name: str | None = None) -> None:
    problems: list[FieldProblem] = []
    if slug is not None and not ids.is_name(slug):
        problems.append(FieldProblem("pattern", "slug", f"Must be {ids.NAME_RULE}"))
    if name is not None and not 0 < len(name.strip()) <= NAME_LETTERS:
        problems.append(FieldProblem("string_lte", "name", f"Must have 1 to {NAME_LETTERS} characters"))
    if problems:
        raise InputInvalid(problems)
