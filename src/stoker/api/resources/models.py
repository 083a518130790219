"""Models: create, get, list, update, delete, README (section 5.4)."""

from typing import Any, Literal, NamedTuple

import msgspec
from starlette.responses import PlainTextResponse, Response

from stoker.api import idempotency, references
from stoker.api.endpoint import Request
from stoker.api.http import answers, bodies, pages
from stoker.api.resources import hardware, kept
from stoker.api.services import Services
from stoker.api.wire import model_object
from stoker.core import ids
from stoker.core.catalog import Model
from stoker.core.errors import Conflict, FieldProblem, Forbidden, InputInvalid, NotFound
from stoker.core.permissions import Action, demand, may
from stoker.core.weblinks import leads_somewhere
from stoker.ports.store import ModelOrder

PAGE = 25
ORDERS: dict[str, ModelOrder] = {"model_created_at": "created", "latest_version_created_at": "recent"}
Change = str | msgspec.UnsetType | None
LINKS = ("github_url", "paper_url", "license_url", "weights_url", "cover_image_url")


class NewModel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    owner: str
    name: str
    visibility: Literal["public", "private"]
    hardware: str
    description: str | None = None
    github_url: str | None = None
    paper_url: str | None = None
    license_url: str | None = None
    cover_image_url: str | None = None


class ModelChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What PATCH may name; what it does not name stays as it is, null removes."""

    description: Change = msgspec.UNSET
    readme: Change = msgspec.UNSET
    github_url: Change = msgspec.UNSET
    paper_url: Change = msgspec.UNSET
    weights_url: Change = msgspec.UNSET
    license_url: Change = msgspec.UNSET
    cover_image_url: Change = msgspec.UNSET


async def create(request: Request) -> Response:
    """POST /models"""
    wanted = await bodies.read_as(request, NewModel)
    _check(request.services, wanted)
    owner = await _owner(request, wanted.owner)
    fields: dict[str, Any] = msgspec.structs.asdict(wanted) | {"owner": owner.name, "account": owner.account}
    model = Model(created_us=idempotency.moment_us(request), **fields)
    store = request.services.store.models
    await _check_room(request.services, model)
    if not await store.create(model):
        there = await store.get(model.owner, model.name)
        if not idempotency.made_before(request, there):
            raise Conflict(f"A model named {model.ref} exists already.")
    return answers.json(await describe(request.services, model), 201)


async def get(request: Request) -> Response:
    """GET /models/{owner}/{name}"""
    return answers.json(await describe(request.services, await visible(request)))


async def list_(request: Request) -> Response:
    """GET /models: public ones, one's own and one's organisations', newest versions first unless asked."""
    place = pages.place(request)
    filters = place.filters if place else _sorting(request)
    order, ascending = ORDERS.get(str(filters.get("by")), "recent"), filters.get("direction") == "asc"
    page = await request.services.store.models.page(
        request.account,
        cursor=place.cursor if place else None,
        limit=PAGE,
        order=order,
        ascending=ascending,
    )
    results = [await describe(request.services, model) for model in page.items]
    return pages.envelope(
        request,
        page,
        results,
        path="/models",
        key=lambda model: (model.recent_us if order == "recent" else model.created_us, model.ref),
        filters=filters,
    )


async def update(request: Request) -> Response:
    """PATCH /models/{owner}/{name}"""
    model = await own(request)
    change = msgspec.structs.asdict(await bodies.read_as(request, ModelChange))
    fields: dict[str, str | None] = {k: v for k, v in change.items() if v is not msgspec.UNSET}
    _check_links(fields)
    if "readme" in fields:
        fields["readme"] = fields["readme"] or ""
    changed = (
        await request.services.store.models.update(model.owner, model.name, **fields) if fields else model
    )
    if changed is None:
        raise NotFound
    return answers.json(await describe(request.services, changed))


async def delete(request: Request) -> Response:
    """DELETE /models/{owner}/{name}: one's own, private and without versions."""
    model = await own(request, "delete")
    if model.visibility == "public":
        raise Conflict("A public model cannot be deleted.")
    if not await request.services.store.models.delete(model.owner, model.name):
        raise Conflict("The model still has versions; delete them first.")
    request.services.lifetimes.forget()
    return answers.empty()


async def readme(request: Request) -> Response:
    """GET /models/{owner}/{name}/readme: markdown; empty where there is none."""
    return PlainTextResponse((await visible(request)).readme)


async def visible(request: Request) -> Model:
    """The model of the path, if the caller may see it."""
    owner, name = request.path_params["owner"], request.path_params["name"]
    return await references.visible_model(request.services, owner, name, caller=request.caller)


class Owner(NamedTuple):
    name: str
    """What stands in front of the model's name."""
    account: str
    """Whose it is."""


async def _owner(request: Request, name: str) -> Owner:
    """Whose a new model is: the caller's own account's, or an organisation's that the caller belongs to.

    The operator's account may use any name that is nobody's, so that a model can have its published name.
    """
    caller, account = request.caller, await request.services.store.accounts.get(name)
    if account is not None and may(caller, "change", account.name):
        return Owner(account.name, account.name)
    if account is not None or not caller.is_operator:
        raise Forbidden(f"Your account may not create models of {name}.")
    return Owner(name.lower(), caller.account)


async def own(request: Request, action: Action = "change") -> Model:
    """The model of the path, by its real name, if the caller may do that with it."""
    owner, name = request.path_params["owner"], request.path_params["name"]
    model = await references.real_model(request.services, owner, name, caller=request.caller)
    demand(request.caller, action, model)
    return model


async def _check_room(services: Services, model: Model) -> None:
    """For one that is new: what is there already is for the creation to say."""
    most, store = services.settings.models_per_account, services.store.models
    if most and await store.count(model.account) >= most and await store.get(model.owner, model.name) is None:
        raise Forbidden(f"{model.account} has {most} models, which is the most that an account may have.")


async def describe(services: Services, model: Model) -> dict[str, Any]:
    """The model as clients see it, with its latest version and default example."""
    known = (
        await services.versions.get(model.latest_version, model=model.ref) if model.latest_version else None
    )
    example = await kept.default_of(services, model)
    return model_object(model, links=services.links, latest=known.version if known else None, example=example)


def _sorting(request: Request) -> dict[str, str | int]:
    """``sort_by`` and ``sort_direction``, for the cursor to carry."""
    query = request.query_params
    by, direction = query.get("sort_by") or "latest_version_created_at", query.get("sort_direction") or "desc"
    problems: list[FieldProblem] = []
    for field, value, allowed in (("sort_by", by, [*ORDERS]), ("sort_direction", direction, ["asc", "desc"])):
        if value not in allowed:
            words = ", ".join(f'"{word}"' for word in sorted(allowed))
            problems.append(FieldProblem("enum", field, f"{field} must be one of the following: {words}"))
    if problems:
        raise InputInvalid(problems)
    return {"by": by, "direction": direction}


def _check(services: Services, wanted: NewModel) -> None:
    problems: list[FieldProblem] = []
    for field, name in (("owner", wanted.owner.lower()), ("name", wanted.name)):
        if not ids.is_name(name):
            problems.append(FieldProblem("pattern", field, f"Must be {ids.NAME_RULE}"))
    problems += hardware.problems(services, wanted.hardware)
    if problems:
        raise InputInvalid(problems)
    _check_links({name: getattr(wanted, name, None) for name in LINKS})


def _check_links(fields: dict[str, str | None]) -> None:
    """Links are shown on pages: nothing but http and https."""
    bad = [name for name in LINKS if (url := fields.get(name)) and not leads_somewhere(url)]
    if bad:
        raise InputInvalid([FieldProblem("format", name, "Does not match format 'uri'") for name in bad])
