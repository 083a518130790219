"""One path of the API as an ASGI application: method, caller, handler, errors as problems.

Used by ``routes``. Handlers take our ``Request`` and give a Response; they raise ``StokerError`` and never
build an error answer themselves.
"""

from collections.abc import Awaitable, Callable
from functools import cached_property

from starlette import requests
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from stoker.api import problems
from stoker.api.services import Services
from stoker.core.catalog import Token
from stoker.core.errors import StokerError


class Request(requests.Request):
    """A request with what handlers need."""

    services: Services
    caller: Token
    """Who calls; missing on open endpoints."""

    @property
    def account(self) -> str:
        return self.caller.account

    @cached_property
    def fields(self) -> dict[str, str]:
        """The headers by lower-case name, the last of each: faster to look up than ``headers``."""
        return {name.decode("latin-1"): value.decode("latin-1") for name, value in self.scope["headers"]}


Handler = Callable[[Request], Awaitable[Response]]


class Endpoint:
    """``handlers`` by method. ``open`` ones need no token, and ignore any that comes."""

    def __init__(self, services: Services, handlers: dict[str, Handler], *, open: bool = False):
        self._services = services
        self._open = open
        self._handlers = dict(handlers)
        if "GET" in handlers:
            self._handlers.setdefault("HEAD", handlers["GET"])
        self._allow = ", ".join(sorted({*self._handlers, "OPTIONS"}))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        request.services = self._services
        try:
            response = await self._answer(request)
        except StokerError as error:
            response = problems.for_error(error)
        except requests.ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001  the edge: the client gets a problem, the log the traceback
            response = problems.internal(error, method=request.method, path=scope["path"])
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        handler = self._handlers.get(request.method)
        if handler is None:
            return self._no_handler(request.method)
        if not self._open:
            request.caller = await self._services.tokens.caller(request.fields.get("authorization"))
        return await handler(request)

    def _no_handler(self, method: str) -> Response:
        if method == "OPTIONS":
            return Response(status_code=204, headers={"allow": self._allow})
        return problems.method_not_allowed(self._allow)
