"""Examples of a model: who sees the model lists them (section 5.4), its owner keeps and drops them."""

import msgspec
from starlette.responses import Response

from stoker.api.endpoint import Request
from stoker.api.http import answers, bodies, pages
from stoker.api.resources import kept, models
from stoker.core import examples
from stoker.core.errors import Conflict, Invalid, NotFound
from stoker.core.permissions import may

PAGE = 25


class NewExample(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    prediction: str
    default: bool = False


async def list_(request: Request) -> Response:
    """GET /models/{owner}/{name}/examples: last kept first."""
    model = await models.visible(request)
    place = pages.place(request)
    page = await request.services.store.examples.page(
        model.ref, cursor=place.cursor if place else None, limit=PAGE
    )
    return pages.envelope(
        request,
        page,
        [await kept.describe(request.services, example) for example in page.items],
        path=f"/models/{model.ref}/examples",
        key=lambda example: (example.kept_us, example.prediction.id),
    )


async def keep(request: Request) -> Response:
    """POST /stoker/models/{owner}/{name}/examples: of one's own; again with ``default`` to choose it."""
    services, model = request.services, await models.own(request)
    wanted = await bodies.read_as(request, NewExample)
    prediction = await services.store.predictions.get(wanted.prediction)
    if prediction is None or prediction.kind == "training" or not may(request.caller, "change", prediction):
        raise Invalid(f"There is no prediction {wanted.prediction}.")
    if prediction.model.casefold() != model.ref.casefold():
        raise Invalid(f"That prediction is of {prediction.model}.")
    held = await services.store.examples.keep(
        model.ref,
        prediction.id,
        files=examples.files_named(prediction, services.links),
        now_us=services.clock.now_us(),
        default=wanted.default,
    )
    if not held:
        raise Conflict("Only a prediction that is over and still has its data can be kept.")
    example = await services.store.examples.get(prediction.id)
    if example is None:
        raise NotFound
    return answers.json(await kept.describe(services, example), 201)


async def drop(request: Request) -> Response:
    """DELETE /stoker/models/{owner}/{name}/examples/{id}: the prediction goes the way of others again."""
    model = await models.own(request)
    if not await request.services.store.examples.drop(model.ref, request.path_params["id"]):
        raise NotFound
    return answers.empty()
