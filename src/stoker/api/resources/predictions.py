"""Predictions: create in its spellings, get, list, cancel (sections 5.5 to 5.7 and 7.2)."""

import re
from datetime import UTC, datetime, timedelta

from starlette.responses import Response

from stoker.api import creation, references, runs
from stoker.api.endpoint import Request
from stoker.api.http import answers, bodies, pages
from stoker.api.known import Known
from stoker.api.services import Services
from stoker.api.wire import PredictionObject, encode, prediction_object
from stoker.core.deployments import check_takes_predictions
from stoker.core.errors import FieldProblem, InputInvalid, NotFound
from stoker.core.permissions import may
from stoker.core.prediction import Kind, Prediction

PAGE = 100
EPOCH = datetime.fromtimestamp(0, UTC)
WEB_LISTED_US = 14 * 86400 * 1_000_000
"""How far back a list of those made on the web goes (section 5.6)."""


async def create(request: Request) -> Response:
    """POST /predictions"""
    services = request.services
    body = await bodies.read(request, limit_bytes=services.settings.body_limit_bytes)
    wanted = creation.to_version(body, services.settings)
    assert wanted.version is not None
    known = await references.named_version(services, wanted.version, caller=request.caller)
    return await runs.create(request, body, wanted, known)


async def create_for_model(request: Request) -> Response:
    """POST /models/{owner}/{name}/predictions: the latest version, of any model (a superset)."""
    services = request.services
    owner, name = request.path_params["owner"], request.path_params["name"]
    body = await bodies.read(request, limit_bytes=services.settings.body_limit_bytes)
    model = await references.visible_model(services, owner, name, caller=request.caller)
    wanted = creation.to_model(body, services.settings)
    known = await references.latest_version(services, model, caller=request.caller)
    return await runs.create(request, body, wanted, known)


async def create_for_deployment(request: Request) -> Response:
    """POST /deployments/{owner}/{name}/predictions: the version of the current release."""
    services = request.services
    owner, name = request.path_params["owner"], request.path_params["name"]
    body = await bodies.read(request, limit_bytes=services.settings.body_limit_bytes)
    deployment = await references.own_deployment(services, owner, name, caller=request.caller, action="run")
    check_takes_predictions(deployment)
    wanted = creation.to_model(body, services.settings)
    known = await references.current_version(services, deployment)
    return await runs.create(request, body, wanted, known, deployment=deployment.ref)


async def get(request: Request) -> Response:
    """GET /predictions/{id}"""
    prediction = await own(request)
    return answers.raw_json(await render(request.services, prediction))


async def cancel(request: Request) -> Response:
    """POST /predictions/{id}/cancel: a finished prediction stays as it is."""
    prediction = await own(request)
    if not prediction.status.is_final:
        ended = await request.services.dispatcher.cancel(prediction.id)
        prediction = ended or await own(request)
    return answers.raw_json(await render(request.services, prediction))


async def list_(request: Request) -> Response:
    """GET /predictions"""
    return await list_of(request, kind="prediction")


async def list_of(request: Request, *, kind: Kind) -> Response:
    """The caller's predictions or trainings: newest first; what is live shows its live state."""
    services = request.services
    place = pages.place(request)
    filters = place.filters if place else _filters(request)
    page = await services.store.predictions.page(
        request.account,
        kind=kind,
        cursor=place.cursor if place else None,
        limit=PAGE,
        created_after_us=_number(filters.get("after")),
        created_before_us=_number(filters.get("before")),
        source=_text(filters.get("source")),
    )
    results = await _describe_all(services, [_now(services, prediction) for prediction in page.items])
    return pages.envelope(
        request, page, results, path=f"/{kind}s", key=lambda p: (p.created_us, p.id), filters=filters
    )


async def render(services: Services, prediction: Prediction) -> bytes:
    """The JSON of a prediction: what GET answers and what its webhooks carry."""
    return encode(await describe(services, prediction))


async def describe(services: Services, prediction: Prediction) -> PredictionObject:
    """The prediction as clients see it."""
    known = await services.versions.get(prediction.version, model=prediction.model)
    return _object(services, prediction, known)


async def _describe_all(services: Services, predictions: list[Prediction]) -> list[PredictionObject]:
    """The same of many; asks for each version once, for those that are gone or imported are not at hand."""
    ran = {(prediction.version, prediction.model) for prediction in predictions}
    known = {(id, model): await services.versions.get(id, model=model) for id, model in ran}
    return [_object(services, p, known[p.version, p.model]) for p in predictions]


def _object(services: Services, prediction: Prediction, known: Known | None) -> PredictionObject:
    return prediction_object(prediction, links=services.links, streams=known.streams if known else None)


async def own(request: Request, *, kind: Kind | None = None) -> Prediction:
    """The prediction of the path as it is now; ``NotFound`` unless the caller may see it, and of that kind.

    Of either kind where none is given: ``/predictions/{id}`` answers for trainings, too.
    """
    id = request.path_params["id"]
    live = request.services.dispatcher.live(id)
    prediction = live.view() if live else await request.services.store.predictions.get(id)
    if prediction is None or not may(request.caller, "see", prediction):
        raise NotFound
    if kind not in (None, prediction.kind):
        raise NotFound
    return prediction


def _now(services: Services, prediction: Prediction) -> Prediction:
    live = None if prediction.status.is_final else services.dispatcher.live(prediction.id)
    return live.view() if live else prediction


def _filters(request: Request) -> dict[str, str | int]:
    query = request.query_params
    filters: dict[str, str | int] = {}
    for name, short in (("created_after", "after"), ("created_before", "before")):
        if query.get(name):
            filters[short] = _moment(name, query[name])
    if query.get("source"):
        if query["source"] not in ("web", "api"):
            raise InputInvalid([FieldProblem("enum", "source", 'source must be one of the following: "web"')])
        filters["source"] = query["source"]
    if filters.get("source") == "web":
        oldest_us = request.services.clock.now_us() - WEB_LISTED_US
        filters["after"] = max(oldest_us, _number(filters.get("after")) or oldest_us)
    return filters


def _moment(name: str, text: str) -> int:
    try:
        # A time zone's "+" arrives as a blank from whoever forgot to encode it.
        moment = datetime.fromisoformat(re.sub(r"(T.*) (\d\d:?\d\d)$", r"\1+\2", text))
    except ValueError:
        raise InputInvalid([FieldProblem("format", name, "Does not match format 'date-time'")]) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - EPOCH) // timedelta(microseconds=1)


def _number(value: str | int | None) -> int | None:
    return value if isinstance(value, int) else None


def _text(value: str | int | None) -> str | None:
    return value if isinstance(value, str) else None
