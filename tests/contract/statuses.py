"""A request for each status that the OpenAPI document names, by operation. Used by ``test_statuses``.

``WAYS`` says by status how most operations are brought to it, ``OWN`` how the others are. Who asks is alice,
the operator, for something of her own, unless a way says otherwise.
"""

import re
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import msgspec

from stoker.core import ids
from stoker.core.deployments import Release
from stoker.core.errors import StorageFailed, StorageFull
from stoker.core.prediction import Status
from tests.contract import things
from tests.contract.asking import ALICE, MEMBER, MOST_BYTES, READER, Asker, Operation
from tests.contract.platform import START_US, Platform
from tests.contract.scripted import Run
from tests.contract.things import Ask

Way = Callable[[Asker], Awaitable[httpx.Response]]


def granted(*, by: str | None = ALICE, **changes: Any) -> Way:
    """The request that is granted, but for that."""

    async def way(a: Asker) -> httpx.Response:
        return await a.send(by=by, **changes)

    return way


def of_nothing(**changes: Any) -> Way:
    """What it is for does not exist."""

    async def way(a: Asker) -> httpx.Response:
        return await a.send(await a.prepare(exists=False), **changes)

    return way


def with_another(parameter: str, make: Callable[[], str]) -> Way:
    """The path has another value in a parameter's place."""

    async def way(a: Asker) -> httpx.Response:
        path, more = await a.prepare()
        parts = path.split("/")
        parts[a.route.split("/").index(f"{{{parameter}}}")] = make()
        return await a.send(Ask("/".join(parts), more))

    return way


def new_run_id() -> str:
    return ids.prediction_id(START_US, secrets.token_bytes(10))


async def too_large(a: Asker) -> httpx.Response:
    path, more = await a.prepare()
    if "files" not in more:
        return await a.send(Ask(path, more), content=b"x" * (MOST_BYTES + 1))
    (name,) = more["files"]
    return await a.send(Ask(path, more | {"files": {name: b"x" * (MOST_BYTES + 1)}}))


async def twice(a: Asker) -> httpx.Response:
    ask = await a.prepare()
    (await a.send(ask)).raise_for_status()
    return await a.send(ask)


async def too_often(a: Asker) -> httpx.Response:
    """On a platform with limits of one a minute, where a poll counts as a part of one."""
    ask, answers = await a.prepare(), list[httpx.Response]()
    while len(answers) < 50 and not (answers and answers[-1].status_code == 429):
        answers.append(await a.send(ask))
    return answers[-1]


def failing(error: Exception) -> Way:
    """While whoever reads or writes the store gets that error."""

    async def way(a: Asker) -> httpx.Response:
        ask = await a.prepare()
        kept = _break(a.p, error)
        try:
            answer = await a.send(ask)
            if answer.is_success:  # it asks the store for nothing but whose the token is
                a.p.services.tokens.forget(ALICE)
                answer = await a.send(ask)
            return answer
        finally:
            for part, methods in kept:
                vars(part).update(methods)

    return way


def _break(p: Platform, error: Exception) -> list[tuple[Any, dict[str, Any]]]:
    """Gives what is to be put back into the store's parts."""

    def fail(*_: Any, **__: Any) -> Any:
        raise error

    parts = [part for part in vars(p.store).values() if "_write" in getattr(part, "__dict__", {})]
    kept = [
        (part, {name: vars(part)[name] for name in ("_read", "_write") if name in vars(part)})
        for part in parts
    ]
    for part, methods in kept:
        vars(part).update(dict.fromkeys(methods, fail))
    p.store.files.forget_youngest()  # type: ignore[attr-defined]
    return kept


async def to_its_end(a: Asker) -> httpx.Response:
    """A reader of events that had the last one."""
    ask = await a.prepare()
    *_, last = re.findall(r"^id: (.+)$", (await a.send(ask)).text, re.MULTILINE)
    return await a.send(ask, headers={"last-event-id": last})


async def badly_signed(a: Asker) -> httpx.Response:
    path, more = await a.prepare()
    return await a.send(Ask(path, {"params": more["params"] | {"signature": "x"}}))


async def of_a_model_without_its_code(a: Asker) -> httpx.Response:
    name, route = f"elsewhere{secrets.token_hex(4)}", "/stoker/models/{owner}/{name}/versions/{id}"
    await a.p.model(name)
    described = things.BODIES["PUT", route]("alice", {})["json"]
    await a.make("PUT", route.format(owner="alice", name=name, id=secrets.token_hex(32)), **described)
    return await a.send(Ask(a.route.replace("{model:path}", f"alice/{name}"), {}))


async def of_a_public_one(a: Asker) -> httpx.Response:
    version = await a.p.version(f"public{secrets.token_hex(4)}", visibility="public")
    owner, _, name = version.model.partition("/")
    return await a.send(Ask(a.route.format(owner=owner, name=name, id=version.id), {}))


async def of_what_is_deployed(a: Asker) -> httpx.Response:
    path, _ = await a.prepare()
    owner, name = path.split("/")[-2:]
    version = await a.p.version(name, owner=owner)
    app = {"name": name, "model": version.model, "version": version.id, "hardware": "cpu"}
    await a.make("POST", "/deployments", **app, min_instances=0, max_instances=1)
    return await a.send(Ask(path, {}))


def of_a_deployment_with(**release: int) -> Way:
    async def way(a: Asker) -> httpx.Response:
        ask = await a.prepare()
        await a.make("PATCH", "/".join(ask.path.split("/")[:4]), **release)
        return await a.send(ask)

    return way


async def outrun(a: Asker) -> httpx.Response:
    """Each time somebody else's release is there a moment before."""
    ask, store = await a.prepare(), a.p.store.deployments
    release = store.release

    async def too_late(ref: str, wanted: Release) -> bool:
        assert await release(ref, msgspec.structs.replace(wanted, max_instances=wanted.max_instances + 1))
        return await release(ref, wanted)

    store.release = too_late  # type: ignore[method-assign]
    try:
        return await a.send(ask)
    finally:
        del store.release  # type: ignore[attr-defined]


async def of_what_is_not_over(a: Asker) -> httpx.Response:
    path, more = await a.prepare()
    version = await a.p.version(path.split("/")[4])
    (made,) = await a.p.history(version, 1)
    return await a.send(Ask(path, more), json={"prediction": made.id})


async def of_another_models_run(a: Asker) -> httpx.Response:
    version = await a.p.version(f"other{secrets.token_hex(4)}")
    (made,) = await a.p.history(version, 1)
    return await with_another("id", lambda: made.id)(a)


async def of_another_accounts_run(a: Asker) -> httpx.Response:
    return await a.send(await a.prepare(of="bob"))


async def for_what_is_here(a: Asker) -> httpx.Response:
    version = await a.p.version(f"here{secrets.token_hex(4)}")
    return await a.send(json={"aliases": [{"id": version.id}]})


async def canceled(a: Asker) -> httpx.Response:
    """Somebody else ends what the request waits for."""
    ask = await a.prepare()

    async def ends(run: Run) -> None:
        await run.start()
        await run.end(Status.CANCELED)

    a.p.dispatcher.script = ends
    return await a.send(ask)


A_WRONG_CURSOR = granted(params={"cursor": "wrong"})
FROM_NO_TIME = granted(params={"created_after": "then"})

WAYS: dict[int, Way] = {
    200: granted(),
    201: granted(),
    202: granted(),
    204: granted(),
    206: granted(headers={"range": "bytes=0-3"}),
    304: granted(headers={"if-none-match": "*"}),
    400: granted(content=b"{"),
    401: granted(by=None),
    403: granted(by=READER),
    404: of_nothing(),
    409: twice,
    413: too_large,
    416: granted(headers={"range": "bytes=99-"}),
    422: granted(json=[]),
    429: too_often,
    500: failing(RuntimeError("what nobody thought of")),
    503: failing(StorageFailed("The database could not be read or written: disk I/O error.")),
    507: failing(StorageFull()),
}
MODEL, DEPLOYMENT = "/models/{owner}/{name}", "/deployments/{owner}/{name}"
LISTS = (
    "/predictions",
    "/trainings",
    "/models",
    "/deployments",
    "/collections",
    "/files",
    "/stoker/accounts",
)
OWN: dict[tuple[str, str, int], Way] = {
    **{("GET", route, 404): A_WRONG_CURSOR for route in LISTS},
    ("GET", "/predictions", 422): FROM_NO_TIME,
    ("GET", "/trainings", 422): FROM_NO_TIME,
    ("GET", "/models", 422): granted(params={"sort_by": "chance"}),
    ("GET", "/search", 422): granted(params={}),
    ("POST", "/files", 422): granted(files={"picture": b"x"}),
    ("PUT", "/stoker/blobs/{sha256}", 422): granted(content=b"other bytes"),
    ("GET", "/files/{id}/download", 403): badly_signed,
    ("GET", "/stoker/tokens", 403): granted(by=MEMBER, params={"account": "team"}),
    ("GET", "/openai/v1/models/{model:path}", 400): of_a_model_without_its_code,
    ("GET", "/streams/{key}", 204): to_its_end,
    ("GET", "/files/stream-{key}", 204): to_its_end,
    ("GET", "/stoker/builds/{id}/events", 204): to_its_end,
    ("GET", "/stoker/fetches/{id}/events", 204): to_its_end,
    ("GET", "/collections/{slug}", 404): with_another("slug", lambda: "none"),
    ("PATCH", "/stoker/collections/{slug}", 404): with_another("slug", lambda: "none"),
    ("DELETE", "/stoker/collections/{slug}", 404): with_another("slug", lambda: "none"),
    ("PUT", f"/stoker{MODEL}/versions/{{id}}", 201): with_another("id", lambda: secrets.token_hex(32)),
    ("PUT", f"/stoker{MODEL}/examples/{{id}}", 201): with_another("id", new_run_id),
    ("PUT", "/stoker/predictions/{id}", 201): of_nothing(),
    ("PUT", "/stoker/trainings/{id}", 201): of_nothing(),
    ("PUT", f"/stoker{MODEL}/examples/{{id}}", 409): of_another_models_run,
    ("PUT", "/stoker/predictions/{id}", 409): of_another_accounts_run,
    ("PUT", "/stoker/trainings/{id}", 409): of_another_accounts_run,
    ("PUT", f"/stoker{MODEL}/versions/{{id}}/aliases", 409): for_what_is_here,
    ("POST", f"/stoker{MODEL}/examples", 409): of_what_is_not_over,
    ("DELETE", MODEL, 409): of_a_public_one,
    ("DELETE", f"{MODEL}/versions/{{id}}", 409): of_a_public_one,
    ("DELETE", f"/stoker{MODEL}", 409): of_what_is_deployed,
    ("DELETE", DEPLOYMENT, 409): of_a_deployment_with(min_instances=1),
    ("POST", f"{DEPLOYMENT}/predictions", 409): of_a_deployment_with(min_instances=0, max_instances=0),
    ("PATCH", DEPLOYMENT, 409): outrun,
    ("POST", "/openai/v1/chat/completions", 409): canceled,
    ("POST", "/openai/v1/completions", 409): canceled,
    ("POST", "/openai/v1/images/generations", 409): canceled,
    ("POST", "/openai/v1/audio/transcriptions", 409): canceled,
    ("POST", "/openai/v1/audio/translations", 409): canceled,
}


def way(operation: Operation, status: int) -> Way:
    return OWN.get((operation.method, operation.route, status), WAYS[status])
