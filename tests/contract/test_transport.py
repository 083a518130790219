"""Paths, tokens, methods and errors of every endpoint: sections 1, 2 and 11."""

from pathlib import Path

import pytest

from stoker.api.endpoint import READING
from stoker.api.http.paths import canonical
from tests.contract.asking import EVERY, OPERATOR, Asker, populate
from tests.contract.platform import TOKEN, Platform
from tests.contract.story import story, story_with
from tests.contract.things import Ask

UNAUTHENTICATED = (
    '{"title":"Unauthenticated","detail":"You did not pass a valid authentication token","status":401}'
)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/v1/predictions", "/predictions"),
        ("/predictions", "/predictions"),
        ("/v1/v1/predictions/", "/predictions"),
        ("/v1/https://host.example:80/v1/models", "/models"),
        ("/v1/http:/host.example/v1/models", "/models"),
        ("/v1/v1/https://host/v1/v1/models/a/b/", "/models/a/b"),
        ("/https://host/v1", "/"),
        ("/v1", "/"),
        ("/", "/"),
        ("/v1x/predictions", "/v1x/predictions"),
        ("/v1/files/x:/y", "/files/x:/y"),
    ],
)
def test_gotchas_20_and_21_paths(path: str, expected: str) -> None:
    assert canonical(path) == expected


@story
async def test_gotchas_20_to_22_every_spelling_is_answered_without_redirect(p: Platform) -> None:
    for path in ("/v1/account", "/v1/v1/account", "/account", "/v1/account/", "/v1/https://h/v1/account?x=1"):
        response = await p.client.get(p.base + path)
        assert response.status_code == 200, path
        assert response.json()["username"] == "alice"
    percent = await p.client.get(p.base + "/v1/https%3A%2F%2Fh%2Fv1%2Faccount")
    assert percent.status_code == 200


@pytest.mark.parametrize("method", sorted({operation.method for operation in EVERY}))
def test_every_operation_answers_in_every_spelling_without_redirect(method: str, tmp_path: Path) -> None:
    """Gotchas 18, 20 and 22: under ``/v1``, ``/v1/v1`` and at the root, with and without a slash at the end,
    and with the content type that the JavaScript and Go clients send where there is no body."""

    @story_with(account=OPERATOR, within_s=120)
    async def tell(p: Platform) -> None:
        await populate(p)
        for operation in (one for one in EVERY if one.method == method):
            answers = await in_every_spelling(Asker(p, operation))
            assert len(set(answers.values())) == 1, (operation, answers)
            assert 200 <= answers["/v1"] < 300, (operation, answers)

    tell(tmp_path)


async def in_every_spelling(asker: Asker) -> dict[str, int]:
    """The statuses of the same request; of another each time where it changes something."""
    answers: dict[str, int] = {}
    base, first = asker.p.base, await asker.prepare()
    for before in ("", "/v1", "/v1/v1", "/v1/https://elsewhere.example/v1"):
        for after in ("", "/"):
            path, more = first if asker.method in READING else await asker.prepare()
            has_body = more.keys() & {"json", "files", "content"}
            headers = {} if has_body else {"content-type": "application/json"}
            answer = await asker.send(
                Ask(base + before + path.removeprefix(base) + after, more), headers=headers
            )
            answers[before + after] = answer.status_code
    return answers


@story
async def test_account(p: Platform) -> None:
    assert (await p.client.get("/account")).json() == {
        "type": "user",
        "username": "alice",
        "name": "alice",
        "avatar_url": None,
        "github_url": None,
    }


@story
async def test_gotcha_31_webhook_secret(p: Platform) -> None:
    key = (await p.client.get("/webhooks/default/secret")).json()["key"]
    assert key == "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
    assert key.count("_") == 1


@story
async def test_both_schemes_in_any_case(p: Platform) -> None:
    for value in (f"Bearer {TOKEN}", f"bearer {TOKEN}", f"TOKEN {TOKEN}", f"Token  {TOKEN}"):
        response = await p.anonymous.get("/account", headers={"authorization": value})
        assert response.status_code == 200, value
    for value in (None, "", "Bearer", f"Basic {TOKEN}", TOKEN, "Bearer r8_wrong", "Bearer \u00e4"):
        headers = {} if value is None else {"authorization": value.encode()}
        response = await p.anonymous.get("/account", headers=headers)
        assert response.status_code == 401
        assert response.text == UNAUTHENTICATED
        assert response.headers["content-type"] == "application/problem+json"


@story
async def test_gotcha_38_unknown_paths_and_methods(p: Platform) -> None:
    for path in ("/nothing", "/billing", "/account/billing", "/predictions/a/b/c", "/models/a"):
        response = await p.client.get(path)
        assert response.status_code == 404
        assert response.json() == {"detail": "The requested resource could not be found.", "status": 404}
        assert response.headers["content-type"] == "application/problem+json"
    response = await p.client.delete("/predictions")
    assert response.status_code == 405
    assert response.headers["allow"] == "GET, HEAD, OPTIONS, POST"
    assert response.json()["status"] == 405
    assert (await p.client.options("/predictions")).status_code == 204
    head = await p.client.head("/account")
    assert (head.status_code, head.content) == (200, b"")


@story
async def test_gotcha_18_empty_json_bodies_are_fine(p: Platform) -> None:
    headers = {"content-type": "application/json"}
    for path in ("/account", "/hardware", "/models", "/predictions", "/files", "/webhooks/default/secret"):
        assert (await p.client.get(path, headers=headers)).status_code == 200


@story
async def test_health_needs_no_token_but_what_runs_is_for_those_who_have_one(p: Platform) -> None:
    for path in ("/health", "/v1/health"):
        response = await p.anonymous.get(p.base + path)
        assert response.status_code == 200
        assert response.json().keys() == {"status", "version"}
        assert "instances" in (await p.client.get(p.base + path)).json()
