"""What ``stoker import`` brings from another API: versions, examples, predictions, trainings (our additions).

Every PUT may be repeated: what is here already stays as it is. Nothing that comes this way runs, counts as a
run, is billed, or sends a webhook.
"""

import secrets

import msgspec
from starlette.responses import Response

from stoker.api.adoption import adopt
from stoker.api.endpoint import Request
from stoker.api.http import answers, bodies
from stoker.api.imported import DescribedVersion, PastExample, PastRun, is_run_id, prediction_of, version_of
from stoker.api.resources import kept, models, predictions
from stoker.api.wire import version_object
from stoker.core import examples, ids
from stoker.core.errors import Conflict, FieldProblem, InputInvalid, NotFound
from stoker.core.permissions import may
from stoker.core.prediction import Kind, Prediction

MOST_ASKED = 1000


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    ids: list[str]


async def version(request: Request) -> Response:
    """PUT /stoker/models/{owner}/{name}/versions/{id}: 201 where it is new, 200 where the model has it."""
    model = await models.own(request)
    given = await bodies.read_as(request, DescribedVersion)
    id = request.path_params["id"]
    if not ids.is_version_id(id):
        raise InputInvalid([FieldProblem("pattern", "id", "Must be 64 lower-case hex digits")])
    described = version_of(given, id=id, model=model.ref, now_us=request.services.clock.now_us())
    is_new = await request.services.store.versions.describe(described)
    known = await request.services.versions.get(id, model=model.ref)
    if known is None:
        raise NotFound
    return answers.json(version_object(known.version), 201 if is_new else 200)


async def missing(request: Request) -> Response:
    """POST /stoker/predictions/missing: which of the ids are no predictions or trainings of the caller's."""
    asked = (await bodies.read_as(request, Asked)).ids
    if len(asked) > MOST_ASKED:
        raise InputInvalid([FieldProblem("array_max_items", "ids", f"Must be at most {MOST_ASKED}")])
    known = await request.services.store.predictions.known(request.account, asked)
    return answers.json({"missing": [id for id in asked if id not in known]})


async def prediction(request: Request) -> Response:
    """PUT /stoker/predictions/{id}"""
    return await _history(request, kind="prediction")


async def training(request: Request) -> Response:
    """PUT /stoker/trainings/{id}"""
    return await _history(request, kind="training")


async def example(request: Request) -> Response:
    """PUT /stoker/models/{owner}/{name}/examples/{id}: a run of somebody else's, kept to show the model."""
    services, model = request.services, await models.own(request)
    given = await bodies.read_as(request, PastExample)
    if given.model.casefold() != model.ref.casefold():
        raise InputInvalid([FieldProblem("invalid", "model", f"Must be {model.ref}")])
    found, is_new = await _put(request, given, kind="example")
    held = found.model.casefold() == model.ref.casefold() and await services.store.examples.keep(
        model.ref,
        found.id,
        files=examples.files_named(found, services.links),
        now_us=services.clock.now_us(),
        default=given.default,
    )
    shown = await services.store.examples.get(found.id) if held else None
    if shown is None:
        raise Conflict(f"{found.id} cannot be kept: its data is gone, or it is another model's.")
    return answers.json(await kept.describe(services, shown), 201 if is_new else 200)


async def _history(request: Request, *, kind: Kind) -> Response:
    given = await bodies.read_as(request, PastRun)
    found, is_new = await _put(request, given, kind=kind)
    described = await predictions.describe(request.services, found)
    return answers.json(described, 201 if is_new else 200)


async def _put(request: Request, given: PastRun, *, kind: Kind) -> tuple[Prediction, bool]:
    """The prediction of the path, the given one unless the caller has it already, and whether it is new."""
    services, id = request.services, request.path_params["id"]
    if not is_run_id(id):
        raise InputInvalid([FieldProblem("pattern", "id", "Must be 26 letters and digits")])
    now_us = services.clock.now_us()
    wanted = prediction_of(
        given,
        id=id,
        account=request.account,
        kind=kind,
        stream_key=ids.stream_key(secrets.token_bytes(52)),
        now_us=now_us,
    )
    found = await services.store.predictions.get(id)
    if found is not None and not may(request.caller, "change", found):
        raise Conflict("Another prediction has this id.")
    if found is not None:
        return found, False
    made = await adopt(services, wanted)
    await services.store.predictions.accept(made)
    return made, True
