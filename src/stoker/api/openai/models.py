"""GET /openai/v1/models and one of them: what the caller can run and what can answer here."""

from collections.abc import AsyncIterator
from typing import Any

from starlette.responses import Response

from stoker.api.endpoint import Request
from stoker.api.http import answers
from stoker.api.openai import targets
from stoker.api.openai.surface import Surface
from stoker.core.catalog import Model
from stoker.core.deployments import Deployment
from stoker.ports.store import Cursor

PAGE = 100
MOST = 1000
"""OpenAI's list has no pages, so it must end somewhere: these are the newest."""


async def list_(request: Request) -> Response:
    """Deployments of the caller's first, then models, the newest first."""
    found: list[dict[str, Any]] = []
    async for described in _all(request):
        found.append(described)
        if len(found) == MOST:
            break
    return answers.json({"object": "list", "data": found})


async def get(request: Request) -> Response:
    """Also by the other spellings: with a version, or of a deployment."""
    target = await targets.find(request, request.path_params["model"])
    version = target.known.version
    owner = version.model.partition("/")[0]
    return answers.json(_object(target.name, version.created_us, owner, target.surface.endpoints))


async def _all(request: Request) -> AsyncIterator[dict[str, Any]]:
    async for deployment in _deployments(request):
        version = await request.services.store.versions.get(
            deployment.release.version, model=deployment.release.model
        )
        if version is not None and (able := Surface(version).endpoints):
            name = f"{targets.DEPLOYMENTS}{deployment.ref}"
            yield _object(name, deployment.created_us, deployment.owner, able)
    async for model in _models(request):
        # Not by way of the versions kept at hand, which a long list would push out.
        version = await request.services.store.versions.get(model.latest_version or "", model=model.ref)
        if version is None or version.imported_from is not None:
            continue  # without its code it answers nowhere
        if able := Surface(version).endpoints:
            yield _object(model.ref, version.created_us, model.owner, able)


async def _deployments(request: Request) -> AsyncIterator[Deployment]:
    cursor: Cursor | None = None
    while True:
        page = await request.services.store.deployments.page(request.account, cursor=cursor, limit=PAGE)
        for deployment in page.items:
            if not deployment.release.is_disabled:
                yield deployment
        if not page.has_next:
            return
        cursor = Cursor(page.items[-1].created_us, page.items[-1].ref)


async def _models(request: Request) -> AsyncIterator[Model]:
    cursor: Cursor | None = None
    while True:
        page = await request.services.store.models.page(
            request.account, cursor=cursor, limit=PAGE, order="recent"
        )
        for model in page.items:
            yield model
        if not page.has_next:
            return
        cursor = Cursor(page.items[-1].recent_us, page.items[-1].ref)


def _object(name: str, created_us: int, owner: str, able: list[str]) -> dict[str, Any]:
    """OpenAI's object, and what the model answers at."""
    return {
        "id": name,
        "object": "model",
        "created": created_us // 1_000_000,
        "owned_by": owner,
        "endpoints": able,
    }
