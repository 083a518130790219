"""What there is to run, by every spelling, and what is said of what is not there."""

import pytest
from openai import AuthenticationError, BadRequestError, ConflictError, NotFoundError, OpenAI

from tests.openai.conftest import Named
from tests.servers import StokerServer


def test_the_list_has_what_can_answer(client: OpenAI, model: Named):
    for name in ("chat", "prompt_only", "beholder", "painter", "listener", "picture", "secrets"):
        model(name)
    listed = {found.id: found for found in client.models.list()}
    able = {name: found.model_dump()["endpoints"] for name, found in listed.items()}
    assert able["local/chat"] == ["chat/completions", "completions"]
    assert able["local/prompt_only"] == ["chat/completions", "completions"]
    assert able["local/beholder"] == ["chat/completions"]
    assert able["local/painter"] == ["images/generations"]
    assert able["local/listener"] == ["audio/transcriptions", "audio/translations"]
    assert not {"local/picture", "local/secrets"} & able.keys()
    found = listed["local/chat"]
    assert (found.object, found.owned_by, found.created > 1_700_000_000) == ("model", "local", True)


def test_one_by_every_spelling(client: OpenAI, model: Named, server: StokerServer):
    name = model("prompt_only")
    with server.client() as http:
        version = http.get(f"/v1/models/{name}").json()["latest_version"]["id"]
        body = {"name": "local/answers", "model": name, "version": version, "hardware": "cpu"}
        http.post("/v1/deployments", json=body | {"min_instances": 0, "max_instances": 1}).raise_for_status()
    deployed = "deployments/local/answers"
    for spelling in (name, f"{name}:{version}", version, deployed):
        assert client.models.retrieve(spelling).id == spelling
        answer = client.completions.create(model=spelling, prompt="x")
        assert (answer.model, answer.choices[0].text, answer.system_fingerprint) == (spelling, "<x>", version)
        with server.client() as http:
            made = http.get(f"/v1/predictions/{answer.id.removeprefix('cmpl-')}").json()
        assert made.get("deployment") == ("local/answers" if spelling == deployed else None)
    assert deployed in [found.id for found in client.models.list()]
    with server.client() as http:
        http.patch("/v1/deployments/local/answers", json={"max_instances": 0}).raise_for_status()
    assert deployed not in [found.id for found in client.models.list()]
    with pytest.raises(ConflictError, match="disabled"):
        client.completions.create(model=deployed, prompt="x")


@pytest.mark.parametrize(
    "name", ["local/nothing", "gpt-4o", "local/chat:latest", "deployments/local/nothing", "f" * 64]
)
def test_what_is_not_there(client: OpenAI, name: str):
    with pytest.raises(NotFoundError) as missing:
        client.models.retrieve(name)
    with pytest.raises(NotFoundError) as unknown:
        client.chat.completions.create(model=name, messages=[{"role": "user", "content": "x"}])
    for error in (missing.value, unknown.value):
        assert (error.code, error.param, error.type) == ("model_not_found", "model", "invalid_request_error")


def test_what_cannot_answer_there(client: OpenAI, model: Named):
    with pytest.raises(BadRequestError, match="it does at images/generations") as refused:
        client.chat.completions.create(model=model("painter"), messages=[{"role": "user", "content": "x"}])
    assert refused.value.param == "model"
    with pytest.raises(BadRequestError, match="cannot answer at images/generations"):
        client.images.generate(model=model("picture"), prompt="x")


def test_who_has_no_token(server: StokerServer):
    stranger = OpenAI(api_key="r8_wrong", base_url=f"{server.base_url}/openai/v1", max_retries=0)
    with stranger, pytest.raises(AuthenticationError) as refused:
        stranger.models.list()
    assert (refused.value.code, refused.value.status_code) == ("invalid_api_key", 401)


def test_what_is_not_answered_here(client: OpenAI):
    with pytest.raises(NotFoundError) as missing:
        client.embeddings.create(model="local/chat", input="x")
    assert (missing.value.code, missing.value.type) == ("unknown_url", "invalid_request_error")


def test_bodies_that_are_none(server: StokerServer):
    with server.client() as http:
        for content in (b"{", b"[]", b""):
            answer = http.post("/openai/v1/chat/completions", content=content)
            assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_request")
        wrong = http.get("/openai/v1/chat/completions")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "OPTIONS, POST")
    assert wrong.json()["error"]["code"] == "method_not_allowed"
