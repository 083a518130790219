"""The ASGI application: one spelling of the path, then the routes."""

from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

from stoker.api import problems
from stoker.api.http.paths import canonical
from stoker.api.openai import problems as openai_problems
from stoker.api.openai.routes import PREFIX as OPENAI
from stoker.api.routes import routes
from stoker.api.services import Services


def create_app(services: Services) -> ASGIApp:
    """Replicate's API over the services."""
    return Front(Router(routes(services), redirect_slashes=False, default=_not_found))


class Front:
    """Lets every spelling of a path reach its route."""

    def __init__(self, app: ASGIApp):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope["path"] = canonical(scope["path"])
        await self._app(scope, receive, send)


async def _not_found(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["path"].startswith(OPENAI):
        answer = openai_problems.unknown_path(scope["method"], scope["path"])
    else:
        answer = problems.not_found()
    await answer(scope, receive, send)
