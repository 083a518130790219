"""Search (sections 5.4 and 5.11): models by the words in names, descriptions and READMEs; collections."""

from typing import Any

import msgspec
from starlette.responses import Response

from stoker.api.endpoint import Request
from stoker.api.http import answers, bodies
from stoker.api.resources.models import describe
from stoker.api.services import Services
from stoker.api.wire import collection_object
from stoker.core import search
from stoker.core.collections import Collection
from stoker.core.errors import FieldProblem, InputInvalid
from stoker.core.permissions import may
from stoker.ports.store import Cursor, Hit

PAGE = 25
LIMITS = range(1, 51)
DEFAULT_LIMIT = 20


async def models(request: Request) -> Response:
    """QUERY /models: those that have all the words, the best first; one page."""
    services = request.services
    text = _text(await bodies.read(request, limit_bytes=services.settings.body_limit_bytes))
    found = await _models(services, text, account=request.account, limit=PAGE)
    results = [await describe(services, hit.model) for hit in found]
    return answers.json({"previous": None, "next": None, "results": results})


async def everything(request: Request) -> Response:
    """GET /search"""
    services, text = request.services, request.query_params.get("query", "")
    if not text.strip():
        raise InputInvalid([FieldProblem("required", "query", "query is required")])
    found = await _models(services, text, account=request.account, limit=_limit(request))
    collections = await _collections(services, search.words(text))
    answer = {
        "query": text,
        "models": await _described(services, found),
        "collections": [await _with_models(request, collection) for collection in collections],
        "pages": [],
    }
    return answers.json(answer)


async def _described(services: Services, found: list[Hit]) -> list[dict[str, Any]]:
    """Each with what we know of the fit: ``score`` next to the best one's 1, ``tags`` its collections."""
    best = max((hit.weight for hit in found), default=0.0)
    tags = await services.store.collections.of_models([hit.model.ref for hit in found])
    results: list[dict[str, Any]] = []
    for hit in found:
        metadata: dict[str, Any] = {"score": round(hit.weight / best, 4)} if best > 0 else {}
        if hit.model.ref in tags:
            metadata["tags"] = tags[hit.model.ref]
        results.append({"model": await describe(services, hit.model), "metadata": metadata})
    return results


async def _with_models(request: Request, collection: Collection) -> dict[str, Any]:
    """The collection, and the names of those of its models that the caller may see."""
    found = await request.services.store.collections.models(collection.slug)
    seen = [model.ref for model in found if may(request.caller, "see", model)]
    return collection_object(collection) | {"models": seen}


async def _models(services: Services, text: str, *, account: str, limit: int) -> list[Hit]:
    """What is found; all, newest first, where nothing is looked for."""
    if words := search.words(text):
        return await services.store.models.search(words, account, limit=limit)
    page = None if text.strip() else await services.store.models.page(account, limit=limit)
    return [Hit(model, 0.0) for model in page.items] if page else []


async def _collections(services: Services, words: tuple[str, ...]) -> list[Collection]:
    """Those that have all the words; there are few enough to look at each."""
    found: list[Collection] = []
    cursor: Cursor | None = None
    while words:
        page = await services.store.collections.page(cursor=cursor)
        found += [one for one in page.items if search.has_all(words, one.name, one.slug, one.description)]
        if not page.has_next:
            break
        cursor = Cursor(page.items[-1].created_us, page.items[-1].slug)
    return found


def _text(body: bytes) -> str:
    """Clients send the text as it is or as a JSON string (gotcha 19)."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        value = None
    return value if isinstance(value, str) else body.decode(errors="replace")


def _limit(request: Request) -> int:
    text = request.query_params.get("limit") or str(DEFAULT_LIMIT)
    if not text.isdecimal() or len(text) > 9 or int(text) not in LIMITS:
        words = f"Must be a number from {LIMITS[0]} to {LIMITS[-1]}"
        raise InputInvalid([FieldProblem("number_range", "limit", words)])
    return int(text)
