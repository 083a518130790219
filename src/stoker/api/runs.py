"""A prediction or training begins, and its client is answered (sections 5.5 and 7.2).

Called by the creates of predictions and trainings; OpenAI's API begins its own with ``new``.
"""

import secrets

import msgspec
from starlette.responses import Response

from stoker.api import creation, idempotency, retries, sharing
from stoker.api.endpoint import Request
from stoker.api.http import answers, preferences
from stoker.api.input_files import Intake
from stoker.api.known import Known
from stoker.api.services import Services
from stoker.api.wire import encode, prediction_object
from stoker.core import ids, priority
from stoker.core.errors import InputInvalid
from stoker.core.prediction import EMPTY_OBJECT, Prediction, Status
from stoker.core.sharing import likeness
from stoker.runtime.live import Live


async def create(
    request: Request, body: bytes, wanted: creation.Wanted, known: Known, *, deployment: str | None = None
) -> Response:
    """Creates a prediction or, where ``wanted`` has a destination, a training."""
    if idempotency.HEADER in request.fields:
        return await _create_once(request, body, wanted, known, deployment)
    services = request.services
    repeats = "x-stainless-retry-count" in request.fields
    key = retries.key(request.caller.id, request.scope["path"], body) if repeats else None
    if key is not None and request.fields["x-stainless-retry-count"] != "0":
        id = services.retries.find(key, now_us=services.clock.now_us())
        again = await _find(services, id) if id is not None else None
        if again is not None:
            return await _answer(request, again, known)
    live = await _begin(request, wanted, known, deployment)
    if key is not None:
        services.retries.remember(key, live.id, now_us=live.seen.created_us)
    return await _answer(request, live, known, _came(live))


async def _create_once(
    request: Request, body: bytes, wanted: creation.Wanted, known: Known, deployment: str | None
) -> Response:
    """The same under an idempotency key: the id is the claim's, so that a repetition finds what it made."""
    async with idempotency.claimed(request, body) as claim:
        assert claim is not None
        id = idempotency.prediction_id(claim)
        there = await _find(request.services, id)
        made = there or await _begin(request, wanted, known, deployment, id=id)
    return await _answer(request, made, known, idempotency.REPEATED if there else _came(made))


async def _begin(
    request: Request, wanted: creation.Wanted, known: Known, deployment: str | None, *, id: str | None = None
) -> Live:
    """The prediction that is wanted, under way; raises what keeps it from being taken."""
    problems = known.inputs_for(wanted.kind).problems(wanted.input)
    if problems:
        raise InputInvalid(problems)
    answer_s = await sharing.asked_s(request, wanted, known)
    prediction = await new(request, wanted, known, deployment, id=id)
    answer = None
    if answer_s is not None:
        prediction = msgspec.structs.replace(prediction, likeness=likeness(wanted.input))
        answer = await sharing.earlier(request.services, prediction, answer_s)
    # A training's weights are kept for good with its version, so it never goes without the disk.
    told = preferences.wait(request.fields) is None or wanted.kind == "training"
    return request.services.dispatcher.submit(prediction, known.version, told=told, answer=answer)


def _came(made: Live | Prediction) -> dict[str, str] | None:
    """Says how the prediction came to its answer, where it may share it."""
    return {sharing.HEADER: made.came} if isinstance(made, Live) and made.came else None


async def new(
    request: Request,
    wanted: creation.Wanted,
    known: Known,
    deployment: str | None,
    *,
    id: str | None = None,
) -> Prediction:
    """The prediction that is wanted, its input taken in and nothing of it kept yet.

    With an ``id`` where files of it are there already.
    """
    services = request.services
    services.troubles.check_disk()
    now_us = services.clock.now_us()
    random = secrets.token_bytes(62)
    id = id or ids.prediction_id(now_us, random)
    deadline_us = preferences.deadline_us(request.fields, now_us)
    urgency = priority.asked(request.fields.get("stoker-priority"))
    intake = Intake(services, caller=request.caller, prediction=id, now_us=now_us)
    taken = await intake.take(known.inputs_for(wanted.kind), wanted.input, wanted.raw_input)
    return Prediction(
        id=id,
        account=request.account,
        model=known.version.model,
        version=known.version.id,
        kind=wanted.kind,
        destination=wanted.destination,
        deployment=deployment,
        created_us=now_us,
        stream_key=ids.stream_key(random[10:]),
        input=taken.shown,
        secrets=taken.secrets,
        deadline_us=deadline_us,
        priority=urgency,
        webhook=wanted.webhook,
        webhook_events=wanted.webhook_events,
    )


async def _answer(
    request: Request, made: Live | Prediction, known: Known, headers: dict[str, str] | None = None
) -> Response:
    """The answer to a create; one that is repeated may find what it made long over."""
    if isinstance(made, Prediction):
        return await _created(request, made, known, headers)
    await made.accepted
    wait = preferences.wait(request.fields)
    if wait is None:
        # As it was accepted, however far it has come: Python 2 takes what a create shows as already read.
        return await _created(request, as_starting(made.seen), known, headers)
    over = await made.wait_over(wait.hold_s)
    if not over:
        # Now its client is told of it before it ends.
        made.synced = True
        await request.services.blobs.sync()
        await request.services.store.sync()
    prediction = made.seen if over else as_starting(made.seen)
    return await _created(request, prediction, known, {"preference-applied": wait.applied} | (headers or {}))


async def _find(services: Services, id: str) -> Live | Prediction | None:
    """What an earlier request made, live where it is not over."""
    return services.dispatcher.live(id) or await services.store.predictions.get(id)


async def _created(
    request: Request, prediction: Prediction, known: Known, headers: dict[str, str] | None
) -> Response:
    if prediction.version != known.version.id:  # a newer version is the latest since the first request
        known = await request.services.versions.get(prediction.version, model=prediction.model) or known
    shown = prediction_object(prediction, links=request.services.links, streams=known.streams)
    return answers.raw_json(encode(shown), 201, {"location": shown.urls["get"], **(headers or {})})


def as_starting(prediction: Prediction) -> Prediction:
    """As it was accepted, whatever came since: clients take any other status for finished."""
    return msgspec.structs.replace(
        prediction,
        status=Status.STARTING,
        started_us=None,
        completed_us=None,
        output=None,
        logs="",
        error=None,
        metrics=EMPTY_OBJECT,
    )
