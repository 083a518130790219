"""Imports from sources that are slow, wrong, broken or hostile, into a real server."""

import itertools
import json
import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from click.testing import CliRunner, Result

from stoker.cli.app import cli
from stoker.cli.importing import source as reading
from stoker.cli.importing.models import BARE_SCHEMA
from tests.cli.scripted_source import SCHEMA, VERSION, Answer, ScriptedSource, past
from tests.servers import StokerServer

SECRET = "r8_" + "S" * 37
_numbers = itertools.count(1)

Bring = Callable[..., Result]


@pytest.fixture
def source() -> Iterator[ScriptedSource]:
    with ScriptedSource() as scripted:
        yield scripted


@pytest.fixture
def ref() -> str:
    """A model that the server does not have yet."""
    return f"acme/kite{next(_numbers)}"


@pytest.fixture
def bring(source: ScriptedSource, server: StokerServer, monkeypatch: pytest.MonkeyPatch) -> Bring:
    monkeypatch.setattr(reading, "PAUSES_S", (0.0, 0.0))

    def run(*args: str, **variables: str | None) -> Result:
        env: dict[str, str | None] = {**server.variables(), "STOKER_IMPORT_TOKEN": SECRET} | variables
        result = CliRunner().invoke(cli, ["import", "--from", source.url, *args], env=env)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


def get(server: StokerServer, path: str) -> Any:
    with server.client() as client:
        answer = client.get(f"/v1{path}")
    return answer.json() if answer.status_code == 200 else None


def team(source: ScriptedSource, server: StokerServer, *runs: dict[str, Any]) -> None:
    """An account with predictions and nothing else, whose webhook secret is the one that is here."""
    source.answers["/account"] = {"username": "team", "type": "organization"}
    source.answers["/webhooks/default/secret"] = get(server, "/webhooks/default/secret")
    for path in ("/trainings", "/models", "/deployments"):
        source.page(path)
    source.page("/predictions", *runs)
    for run in runs:
        source.answers[f"/predictions/{run['id']}"] = run | {"logs": "said\n"}


def somebody(server: StokerServer) -> str:
    """A person who has an account here, which the operator sees and does not speak for."""
    name = f"mia{next(_numbers)}"
    with server.client() as client:
        client.post("/v1/stoker/accounts", json={"username": name}).raise_for_status()
    return name


def run_id() -> str:
    return secrets.token_hex(13)


def test_a_model_comes_with_everything_that_was_told(
    bring: Bring, source: ScriptedSource, server: StokerServer, ref: str
) -> None:
    source.model(ref, description="Flies")
    done = bring(ref)
    assert (done.exit_code, "models" in done.stdout) == (0, True), done.output
    made = get(server, f"/models/{ref}")
    assert (made["description"], made["latest_version"]["id"]) == ("Flies", VERSION)
    assert made["latest_version"]["openapi_schema"] == BARE_SCHEMA | SCHEMA
    assert made["latest_version"]["imported_from"] == source.url
    assert {token for _, token in source.asked} == {f"Bearer {SECRET}"}


@pytest.mark.parametrize(
    ("path", "answer", "says"),
    [
        ("", b"<html>", "not JSON"),
        ("", b'"\xff"', "not JSON"),
        ("", b"[" * 100_000, "not JSON"),
        ("", [], "not what the API gives"),
        ("", {"owner": 5, "name": "x"}, "not what the API gives"),
        ("", {"owner": "other", "name": "thing"}, "about 'other/thing'"),
        ("", b" " * 5000, "larger than"),
        ("", Answer("", 302, {"location": "http://127.0.0.1:1/"}), "status 302"),
        ("", Answer("", 503), "status 503"),
        ("/versions", {"results": {}}, "not what the API gives"),
        ("/versions", {"results": [{"id": 1}]}, "not what the API gives"),
        ("/versions?cursor=b", b"<html>", "not JSON"),
        ("/examples", {"results": [None]}, "not what the API gives"),
        ("/examples", {"results": [past("x", status=3)]}, "not what the API gives"),
        ("/readme", b"\xff\xfe", "not text"),
    ],
)
def test_nonsense_is_a_sentence_and_nothing_is_begun(
    path: str,
    answer: Any,
    says: str,
    bring: Bring,
    source: ScriptedSource,
    server: StokerServer,
    ref: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reading, "LARGEST_ANSWER_BYTES", 4000)
    source.model(ref)
    source.page(f"/models/{ref}/versions", next="cursor=b")
    source.page(f"/models/{ref}/versions?cursor=b")
    if answer == b"[" * 100_000:
        monkeypatch.setattr(reading, "LARGEST_ANSWER_BYTES", 10**6)
    source.answers[f"/models/{ref}{path}"] = answer
    done = bring(ref)
    assert (done.exit_code, done.stdout) == (1, "")
    last = done.stderr.splitlines()[-1]
    assert last.startswith("Error: 127.0.0.1:") and says in last
    assert get(server, f"/models/{ref}") is None


def test_pages_that_lead_in_a_circle(bring: Bring, source: ScriptedSource, ref: str) -> None:
    source.model(ref)
    source.page(f"/models/{ref}/versions", next="cursor=a")
    source.page(f"/models/{ref}/versions?cursor=a", next="cursor=a")
    done = bring(ref)
    assert (done.exit_code, "in a circle" in done.stderr) == (1, True)


def test_what_the_server_refuses_is_named_and_the_rest_is_copied(
    bring: Bring, source: ScriptedSource, server: StokerServer, ref: str
) -> None:
    good = {"id": "e" * 64, "created_at": "2024-01-01T00:00:00Z", "openapi_schema": SCHEMA}
    versions = [good, good | {"id": "f" * 64, "openapi_schema": {}}, good | {"id": "short"}]
    source.model(ref)
    source.page(f"/models/{ref}/versions", *versions)
    chosen, other = past(run_id(), model="acme/old-name"), past(run_id(), status="processing")
    source.answers[f"/models/{ref}"] |= {"default_example": chosen}
    source.page(f"/models/{ref}/examples", other)
    done = bring(ref, "--json", "--private")
    assert done.exit_code == 1
    told = json.loads(done.stdout)
    assert told["counts"]["version"] == {"new": 1, "changed": 0, "here": 0, "left": 2}
    assert told["counts"]["example"] == {"new": 1, "changed": 0, "here": 0, "left": 1}
    assert "components.schemas.Input is required" in done.stderr
    model = get(server, f"/models/{ref}")
    assert (model["latest_version"]["id"], model["default_example"]["id"]) == (good["id"], chosen["id"])
    assert model["latest_version"]["cog_version"] == "0.3.9"


def test_a_source_that_limits_requests_is_obeyed(
    bring: Bring, source: ScriptedSource, server: StokerServer, ref: str
) -> None:
    source.model(ref)
    late = Answer("", 429, {"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"})
    told = Answer({"detail": "Request was throttled.", "retry_after": 0}, 429)
    source.first[f"/models/{ref}"] = [Answer("", 429, {"retry-after": "0"}), late, told, Answer("", 502)]
    assert bring(ref).exit_code == 0
    assert source.paths.count(f"/v1/models/{ref}") == 5
    assert get(server, f"/models/{ref}") is not None


def test_a_wait_beyond_all_patience_is_refused_at_once(
    bring: Bring, source: ScriptedSource, ref: str
) -> None:
    throttled = {"detail": "Request was throttled. Your rate limit resets in ~1d.", "status": 429}
    source.answers[f"/models/{ref}"] = Answer(throttled, 429, {"retry-after": "86400"})
    done = bring(ref)
    assert (done.exit_code, "Request was throttled" in done.stderr) == (1, True)


def test_an_import_goes_on_where_the_source_failed(
    bring: Bring, source: ScriptedSource, server: StokerServer
) -> None:
    first, second = past(run_id()), past(run_id(), data_removed=None)
    team(source, server, first, second)
    whole = source.answers[f"/predictions/{second['id']}"]
    source.answers[f"/predictions/{second['id']}"] = Answer("", 500)
    done = bring("--account", "--json")
    assert done.exit_code == 1
    assert "What was copied stays; run the same command again to go on." in done.stderr.splitlines()[-1]
    assert get(server, f"/predictions/{first['id']}")["logs"] == "said\n"
    assert get(server, f"/predictions/{second['id']}") is None

    source.answers[f"/predictions/{second['id']}"] = whole
    source.asked.clear()
    done = bring("--account", "--json")
    counts = json.loads(done.stdout)["counts"]
    assert (done.exit_code, counts["prediction"]["new"], counts["prediction"]["here"]) == (0, 1, 1)
    assert f"/v1/predictions/{first['id']}" not in source.paths
    assert get(server, f"/predictions/{second['id']}")["status"] == "succeeded"


def test_runs_in_every_state(bring: Bring, source: ScriptedSource, server: StokerServer) -> None:
    aborted = past(run_id(), status="aborted", started_at=None, output=None, version="hidden", metrics=None)
    running = past(run_id(), status="processing", completed_at=None)
    empty = past(run_id(), data_removed=True, input={}, output=None, logs=None)
    odd = past(run_id(), status="failed", error={"detail": "boom"}, source="other")
    wrong = past(run_id(), created_at="2999-01-01T00:00:00Z", completed_at="2999-01-01T00:00:00Z")
    team(source, server, aborted, running, empty, odd, wrong)
    done = bring("--account", "--json")
    told = json.loads(done.stdout)
    assert (done.exit_code, told["counts"]["prediction"]["new"]) == (1, 3)
    left = {left["names"][0]: left["why"] for left in told["not_copied"]}
    assert "not over" in left[running["id"]] and "time in the past" in left[wrong["id"]]
    assert get(server, f"/predictions/{aborted['id']}")["status"] == "canceled"
    assert get(server, f"/predictions/{empty['id']}")["data_removed"] is True
    assert get(server, f"/predictions/{odd['id']}")["error"] == '{"detail":"boom"}'
    assert f"/v1/predictions/{empty['id']}" not in source.paths


def test_files_are_fetched_from_the_source_alone_and_without_the_token(
    bring: Bring, source: ScriptedSource, server: StokerServer
) -> None:
    with ScriptedSource() as elsewhere:
        here, gone = f"{source.url}/delivery/a/kite.txt", f"{source.url}/delivery/b/gone.txt"
        others = [f"{elsewhere.url}/delivery/a/kite.txt", f"{source.url}/v1/files/x", "http://[::1"]
        source.answers["/delivery/a/kite.txt"] = Answer(b"a kite", 200, {"content-type": "text/plain"})
        source.answers["/delivery/c/moved.txt"] = Answer(b"", 302, {"location": others[0]})
        moved = f"{source.url}/delivery/c/moved.txt"
        output = {"picture": here, "more": [gone, moved, *others]}
        team(source, server, run := past(run_id(), output=output, input={"image": here}))
        done = bring("--account", "--json")
        assert done.exit_code == 0, done.output
        shown = get(server, f"/predictions/{run['id']}")
        assert elsewhere.asked == []
    told = json.loads(done.stdout)
    assert (told["counts"]["file"]["new"], told["counts"]["file"]["left"]) == (1, 2)
    assert shown["output"]["more"] == [gone, moved, *others]
    assert shown["output"]["picture"] == shown["input"]["image"] != here
    with server.client() as client:
        answer = client.get(shown["output"]["picture"])
        assert (answer.content, answer.headers["content-type"]) == (b"a kite", "text/plain")
    assert {token for path, token in source.asked if path.startswith("/delivery/")} == {None}


def test_a_dry_run_fetches_no_file_and_writes_nothing(
    bring: Bring, source: ScriptedSource, server: StokerServer, ref: str
) -> None:
    source.model(ref)
    source.page(f"/models/{ref}/examples", past(run_id(), output=f"{source.url}/delivery/a/kite.txt"))
    done = bring(ref, "--dry-run")
    assert (done.exit_code, "WOULD BE NEW" in done.stdout) == (0, True)
    assert get(server, f"/models/{ref}") is None
    assert not [path for path in source.paths if path.startswith("/delivery/")]


def test_a_deployment_gets_hardware_that_there_is(
    bring: Bring, source: ScriptedSource, server: StokerServer, pushed: Callable[[str], str]
) -> None:
    version = pushed("empty")
    name = f"app{next(_numbers)}"
    scale = {"hardware": "gpu-t4", "min_instances": 0, "max_instances": 2}
    release = {"number": 7, "model": "local/empty", "version": version, "configuration": scale}
    team(source, server)
    source.page("/deployments", {"owner": somebody(server), "name": name, "current_release": release})
    done = bring("--account", "--json")
    told = json.loads(done.stdout)
    assert [left["kind"] for left in told["not_copied"]] == ["model"]  # the source hides local/empty
    assert f"local/{name}: there is no gpu-t4 here; it gets cpu." in done.stderr
    made = get(server, f"/deployments/local/{name}")["current_release"]
    assert (made["version"], made["configuration"]["max_instances"]) == (version, 2)
    scale["max_instances"] = 3
    assert json.loads(bring("--account", "--json").stdout)["counts"]["deployment"]["changed"] == 1
    assert get(server, f"/deployments/local/{name}")["current_release"]["number"] == 2


@pytest.mark.parametrize(
    ("args", "variables", "says"),
    [
        ([], {}, "Name models"),
        (["kite"], {}, "does not name a model"),
        (["a/b", "--from", "ftp://example.com"], {}, "is not a URL"),
        (["a/b"], {"STOKER_IMPORT_TOKEN": None}, "STOKER_IMPORT_TOKEN"),
        (["a/b"], {"STOKER_IMPORT_TOKEN": "r8_é"}, "STOKER_IMPORT_TOKEN"),
    ],
)
def test_wrong_calls(args: list[str], variables: dict[str, str | None], says: str, bring: Bring) -> None:
    done = bring(*args, **variables)
    assert (done.exit_code, says in done.stderr) == (2, True), done.output


def test_the_server_itself_is_no_source(bring: Bring, server: StokerServer) -> None:
    done = bring("a/b", "--from", f"{server.base_url}/v1")
    assert (done.exit_code, "the server itself" in done.stderr) == (2, True)


def test_a_source_that_is_away(bring: Bring, source: ScriptedSource, server: StokerServer) -> None:
    done = bring("a/b", "--from", "http://127.0.0.1:9")
    assert (done.exit_code, "does not answer" in done.stderr) == (1, True)
