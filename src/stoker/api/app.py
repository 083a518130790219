"""The ASGI application: one spelling of the path, then the routes."""

from collections.abc import Iterable

from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from stoker.api import problems
from stoker.api.http.paths import canonical
from stoker.api.openai import problems as openai_problems
from stoker.api.openai.routes import PREFIX as OPENAI
from stoker.api.routes import routes
from stoker.api.services import Services


def create_app(services: Services) -> ASGIApp:
    """Replicate's API over the services."""
    return Front(routes(services))


class Front:
    """Lets every spelling of a path reach its route, which is looked for among those that begin alike."""

    def __init__(self, routes: Iterable[Route]):
        alike: dict[str, list[Route]] = {}
        for route in routes:
            alike.setdefault(_beginning(route.path), []).append(route)
        self._routers = {
            beginning: Router(some, redirect_slashes=False, default=_not_found)
            for beginning, some in alike.items()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"] = canonical(scope["path"])
        router = self._routers.get(_beginning(path), _not_found)
        await router(scope, receive, send)


def _beginning(path: str) -> str:
    """The first word of a path; in our routes none has a blank to fill in there."""
    return path[1:].partition("/")[0]


async def _not_found(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["path"].startswith(OPENAI):
        answer = openai_problems.unknown_path(scope["method"], scope["path"])
    else:
        answer = problems.not_found()
    await answer(scope, receive, send)
