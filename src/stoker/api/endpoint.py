"""One path of the API as an ASGI application: method, caller, scope, limits, handler, errors as problems.

Used by ``routes``. Handlers take our ``Request`` and give a Response; they raise ``StokerError`` and never
build an error answer themselves.
"""

from collections.abc import Awaitable, Callable
from functools import cached_property
from typing import Protocol

import msgspec
from starlette import requests
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from stoker.api import problems
from stoker.api.limits import Headers, Kind
from stoker.api.services import Services
from stoker.core import permissions
from stoker.core.claims import Claim
from stoker.core.errors import StokerError
from stoker.core.permissions import Action, Caller


class Request(requests.Request):
    """A request with what handlers need."""

    services: Services
    caller: Caller
    """Who calls; missing on open endpoints."""
    allowance: Headers = []
    """What is left of the caller's rate limit, to tell with the answer."""
    body_read: bytes | None = None
    """The body, where it was read before the handler."""
    claim: Claim | None = None
    """What the handler is to create under an idempotency key; perhaps a server that died has done so."""

    @property
    def account(self) -> str:
        return self.caller.account

    @cached_property
    def fields(self) -> dict[str, str]:
        """The headers by lower-case name, the last of each: faster to look up than ``headers``."""
        return {name.decode("latin-1"): value.decode("latin-1") for name, value in self.scope["headers"]}


Handler = Callable[[Request], Awaitable[Response]]

READING = frozenset({"GET", "HEAD", "QUERY"})


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """What a path asks of whoever comes; what more a handler asks depends on the thing."""

    open: bool = False
    """Needs no token, and ignores any that comes."""
    reads: Action = "see"
    """What the token's scope must cover for GET, HEAD and QUERY."""
    writes: Action = "change"
    """The same for all other methods."""
    creates: bool = False
    """Whether a POST counts as creating a prediction or a training, which has a rate limit of its own."""
    polled: bool = False
    """Whether a GET is what clients repeat twice a second while they wait, which has one as well."""
    tells_limits: bool = True
    """Whether answers carry the rate limit's headers (those of files do not)."""


class Problems(Protocol):
    """How errors look to the clients of a path: ``problems``, or OpenAI's way (``openai.problems``)."""

    def for_error(self, error: StokerError) -> Response: ...

    def method_not_allowed(self, allow: str) -> Response: ...

    def internal(self, error: Exception, *, method: str, path: str) -> Response: ...


class Endpoint:
    """``handlers`` by method."""

    def __init__(
        self,
        services: Services,
        handlers: dict[str, Handler],
        access: Access,
        problems: Problems = problems,
    ):
        self._services = services
        self._problems = problems
        self.access = access
        self.methods = tuple(handlers)
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
            response = self._problems.for_error(error)
        except requests.ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001  the edge: the client gets a problem, the log the traceback
            response = self._problems.internal(error, method=request.method, path=scope["path"])
        response.raw_headers.extend(request.allowance)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        handler = self._handlers.get(request.method)
        if handler is None:
            return self._no_handler(request.method)
        if not self.access.open:
            await self._admit(request)
        return await handler(request)

    async def _admit(self, request: Request) -> None:
        """Finds the caller; raises what keeps it from going on, whatever it asks for."""
        services, access = self._services, self.access
        request.caller = await services.tokens.caller(request.fields.get("authorization"))
        if services.limits.are_on:
            kind = self._kind(request.method)
            left = services.limits.take(request.caller.id, kind, services.clock.now_us())
            if access.tells_limits:
                request.allowance = left
        permissions.demand_scope(request.caller, access.reads if request.method in READING else access.writes)

    def _kind(self, method: str) -> Kind:
        if self.access.creates and method == "POST":
            return "create"
        return "poll" if self.access.polled and method == "GET" else "other"

    def _no_handler(self, method: str) -> Response:
        if method == "OPTIONS":
            return Response(status_code=204, headers={"allow": self._allow})
        return self._problems.method_not_allowed(self._allow)
