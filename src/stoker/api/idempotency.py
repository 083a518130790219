"""``Idempotency-Key``: whoever repeats a create with its key gets the first answer again.

Used by ``routes`` (for what is answered with kept JSON) and by the creates of predictions and files. The
claim is in the store before anything is made, so a restart changes nothing; requests of one key that come
while the first is under way wait for it here. A request that is refused or fails leaves its key free.
"""

import logging
import secrets
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Protocol

import msgspec
from starlette.responses import Response

from stoker.api.endpoint import Handler, Request
from stoker.api.http import answers, bodies
from stoker.core import claims, ids
from stoker.core.claims import Claim
from stoker.core.errors import StorageFailed

log = logging.getLogger(__name__)

HEADER = "idempotency-key"
_ASKING = ("cancel-after", "stoker-cache", "stoker-priority")
REPEATED = {"idempotent-replayed": "true"}
"""Marks an answer that created nothing."""


@asynccontextmanager
async def claimed(request: Request, *said: bytes) -> AsyncGenerator[Claim | None]:
    """The request's claim, kept or new, held by nobody else meanwhile; None where it brings no key.

    Raises ``Invalid`` where the key is another request's. What is raised inside frees the key.
    """
    key = claims.key_of(request.fields.get(HEADER))
    if key is None:
        yield None
        return
    services, now_us = request.services, request.services.clock.now_us()
    asked = Claim(
        account=request.account,
        key=key,
        said=claims.said(request.method, request.scope["path"], *_asked(request), *said),
        seed=secrets.token_bytes(claims.SEED_BYTES),
        created_us=now_us,
    )
    async with services.under_way.alone(request.account, key):
        claim = await services.store.claims.take(asked, since_us=now_us - claims.KEPT_US)
        claims.check_same(claim, asked)
        try:
            yield claim
        except Exception:
            await services.store.claims.release(claim)
            raise


def _asked(request: Request) -> Iterator[bytes]:
    """What headers say of the thing that is to be made, not of how to answer; none is not an empty one."""
    return (repr(request.fields.get(name)).encode() for name in _ASKING)


def prediction_id(claim: Claim) -> str:
    """Of the prediction that the claim is for."""
    return ids.prediction_id(claim.created_us, claim.seed)


def once(handler: Handler, *, stands: Callable[[Request, bytes], bool] | None = None) -> Handler:
    """The handler of a create with a JSON body, made to create only once for each key.

    ``stands`` is whether a kept answer still means something; without it that is so for a day.
    """

    async def answer(request: Request) -> Response:
        if HEADER not in request.fields:
            return await handler(request)
        limit_bytes = request.services.settings.body_limit_bytes
        request.body_read = body = await bodies.read(request, limit_bytes=limit_bytes)
        async with claimed(request, body) as claim:
            assert claim is not None
            kept = repeated(claim)
            if kept is not None and (stands is None or stands(request, bytes(kept.body))):
                return kept
            request.claim = claim
            return await keep(request, claim, await handler(request))

    return answer


def repeated(claim: Claim) -> Response | None:
    """The first answer, where it is kept."""
    if claim.answer is None:
        return None
    return answers.raw_json(bytes(claim.answer), claim.status, REPEATED)


async def keep(request: Request, claim: Claim, response: Response) -> Response:
    """The response, which the next request with the same key gets as well.

    Where it cannot be kept, a repetition finds what was made by the claim, as after a crash.
    """
    body = msgspec.Raw(bytes(response.body))
    try:
        await request.services.store.claims.answer(claim, body, status=response.status_code)
    except StorageFailed as error:
        log.warning("the answer to %s %s could not be kept: %s", request.method, request.scope["path"], error)
    return response


class Dated(Protocol):
    """Something that was created at a moment."""

    @property
    def created_us(self) -> int: ...


def made_before(request: Request, there: Dated | None) -> bool:
    """Whether what is there already was made by an earlier attempt of the same request."""
    return request.claim is not None and there is not None and there.created_us == request.claim.created_us


def moment_us(request: Request) -> int:
    """When what the request creates was created: a repetition after a crash knows it by this again."""
    return request.claim.created_us if request.claim is not None else request.services.clock.now_us()
