"""The ASGI application: one spelling of the path, then the routes."""

from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

from stoker.api import problems
from stoker.api.http.paths import canonical
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
    await problems.not_found()(scope, receive, send)
