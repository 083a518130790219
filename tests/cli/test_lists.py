"""The commands that show what the server has: models, versions, predictions, tokens."""

import json
import signal
import threading
from pathlib import Path

import pytest

from stoker.cli.server import credentials
from stoker.cli.server.credentials import Credentials
from tests.cli.conftest import Invoke, Spawn
from tests.cli.fake_server import VERSION, FakeServer
from tests.cli.schemas import openapi

LATEST = "2026-11-20 10:00:00"


@pytest.fixture
def filled(fake: FakeServer) -> FakeServer:
    """Five models, so that a list has three pages, and three predictions."""
    for name in ("a", "b", "c", "d"):
        fake.add_model(f"local/{name}", openapi())
    fake.add_model("local/empty", None, visibility="public")
    done = {
        "status": "succeeded",
        "metrics": {"predict_time": 1.234},
        "output": ["x", "y"],
        "logs": "one\ntwo\n",
    }
    fake.predictions = {
        "p1": [fake.prediction("p1", **done, input={"prompt": "ü"}, started_at="2026-11-20T10:00:01Z")],
        "p2": [fake.prediction("p2", status="failed", error="boom")],
        "p3": [fake.prediction("p3")],
    }
    return fake


def test_models_in_a_pipe(filled: FakeServer, invoke: Invoke) -> None:
    lines = invoke("models").stdout.splitlines()
    assert lines[0].split() == ["MODEL", "VISIBILITY", "RUNS", "LATEST", "VERSION", "UPDATED", "(UTC)"]
    assert lines[1].split() == ["local/a", "private", "3", VERSION[:12], *LATEST.split()]
    assert lines[5].split() == ["local/empty", "public", "3", "-", "2026-11-19", "10:00:00"]
    assert len(lines) == 6


def test_models_that_fail_to_start_are_told_of(filled: FakeServer, invoke: Invoke) -> None:
    broken = {"model": "local/b", "version": VERSION, "failures": 3, "error": "no weights", "next_try_s": 3.6}
    filled.paused = [broken, broken | {"next_try_s": 0.0}]
    result = invoke("models")
    fails = f"local/b ({VERSION[:12]}) fails to start, 3 in a row"
    assert result.stderr.splitlines() == [
        f"{fails}, next try in 4 s, or after 'stoker scale local/b --resume' once it is mended: no weights",
        f"{fails}, tried again by its next prediction: no weights",
    ]
    assert "no weights" not in result.stdout


def test_only_the_pages_that_are_needed(filled: FakeServer, invoke: Invoke) -> None:
    assert len(json.loads(invoke("models", "--limit", "3", "--json").stdout)) == 3
    assert [request.path for request in filled.asked("GET", "/v1/models.*")] == [
        "/v1/models",
        "/v1/models?cursor=2",
    ]


def test_pages_of_a_server_behind_a_proxy(filled: FakeServer, invoke: Invoke) -> None:
    filled.public_url = "https://models.example.com"
    assert len(json.loads(invoke("models", "--json").stdout)) == 5


def test_an_empty_list_has_its_head(fake: FakeServer, invoke: Invoke) -> None:
    result = invoke("models")
    assert result.stdout.startswith("MODEL  VISIBILITY")
    assert result.stderr.startswith("No models yet. Make one with 'stoker push DIR OWNER/NAME'")
    assert invoke("models", "--json").stderr == ""
    assert invoke("predictions", "list").stderr.startswith("No predictions yet.")
    assert invoke("boots").stderr == "No boot of any model is remembered.\n"


def test_versions_are_shown_whole(filled: FakeServer, invoke: Invoke) -> None:
    assert invoke("versions", "local/a").stdout.splitlines()[1].split() == [
        VERSION,
        *LATEST.split(),
        "0.23.1",
    ]
    assert (
        json.loads(invoke("versions", "local/a", "--json").stdout)[0]["openapi_schema"]["openapi"] == "3.0.2"
    )


def test_predictions_list(filled: FakeServer, invoke: Invoke) -> None:
    lines = invoke("predictions", "list").stdout.splitlines()
    assert lines[1].split() == ["p1", "local/story", "succeeded", *LATEST.split(), "1.23", "s"]
    assert lines[3].split() == ["p3", "local/story", "starting", *LATEST.split(), "-"]


def test_predictions_show_tells_why_one_waits(filled: FakeServer, invoke: Invoke) -> None:
    filled.waits["p3"] = {"reason": "queue", "message": "2 predictions are before it."}
    assert "waits      2 predictions are before it.\n" in invoke("predictions", "show", "p3").stdout
    filled.waits.clear()
    assert "waits" not in invoke("predictions", "show", "p3").stdout


def test_predictions_show(filled: FakeServer, invoke: Invoke) -> None:
    shown = invoke("predictions", "show", "p1").stdout
    assert "status     succeeded\n" in shown
    assert '"prompt": "ü"' in shown
    assert "ran for    1.23 s\n" in shown
    assert "error" not in shown
    assert "error      boom\n" in invoke("predictions", "show", "p2").stdout
    assert json.loads(invoke("predictions", "show", "p1", "--json").stdout)["id"] == "p1"


def test_a_prediction_that_does_not_exist(filled: FakeServer, invoke: Invoke) -> None:
    result = invoke("predictions", "show", "nothing")
    assert result.exit_code == 1
    assert result.stderr == "Error: There is no prediction nothing, or it is not yours to see.\n"


@pytest.mark.parametrize(
    ("args", "thing"),
    [
        (["versions", "local/nothing"], "model local/nothing"),
        (["predictions", "cancel", "p9/x"], "prediction p9/x"),
        (["scale", "local/nothing"], "model local/nothing"),
        (["scale", f"local/nothing:{VERSION}"], f"version {VERSION} of local/nothing"),
        (["scale", "local/nothing", "--resume"], "model local/nothing"),
        (["scale", "local/nothing", "--deployment"], "deployment local/nothing"),
        (["scale", "nobody"], "account nobody"),
        (["account", "members", "nobody"], "account nobody"),
        (["account", "members", "team", "--remove", "ann"], "member ann of team"),
        (["token", "list", "--account", "nobody"], "account of that name"),
        (["token", "revoke", "t9"], "token t9"),
    ],
)
def test_what_does_not_exist_is_named(fake: FakeServer, invoke: Invoke, args: list[str], thing: str) -> None:
    nothing = (404, {"detail": "The requested resource could not be found.", "status": 404})
    fake.overrides["GET", "/v1/stoker/tokens"] = [nothing]
    fake.overrides["GET", "/v1/models/local/nothing/versions"] = [nothing]
    result = invoke(*args)
    assert result.exit_code == 1
    assert result.stderr == f"Error: There is no {thing}, or it is not yours to see.\n"


def test_an_id_is_one_part_of_a_path(filled: FakeServer, invoke: Invoke) -> None:
    invoke("predictions", "show", "../models")
    assert filled.requests[-1].path == "/v1/predictions/..%2Fmodels"


def test_logs(filled: FakeServer, invoke: Invoke) -> None:
    assert invoke("predictions", "logs", "p1").stdout == "one\ntwo\n"
    assert invoke("predictions", "logs", "p3").stdout == ""


def test_logs_are_followed_to_the_end(fake: FakeServer, invoke: Invoke) -> None:
    running = [fake.prediction("p1", status="processing", logs=text) for text in ("", "one\n", "one\ntwo")]
    fake.predictions["p1"] = [*running, fake.prediction("p1", status="succeeded", logs="one\ntwo\n")]
    assert invoke("predictions", "logs", "-f", "p1").stdout == "one\ntwo\n"


def test_ctrl_c_ends_the_following_and_not_the_prediction(fake: FakeServer, spawn: Spawn) -> None:
    fake.predictions["p1"] = [fake.prediction("p1", status="processing", logs="one\n")]
    fake.seen["/v1/predictions/p1"] = threading.Event()
    process = spawn("predictions", "logs", "-f", "p1")
    assert fake.seen["/v1/predictions/p1"].wait(20)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=30)
    assert (process.returncode, stderr) == (130, "Interrupted.\n")
    assert fake.predictions["p1"][-1]["status"] == "processing"


def test_cancel(filled: FakeServer, invoke: Invoke) -> None:
    assert invoke("predictions", "cancel", "p3", "p1").stdout == "p3 canceled\np1 succeeded\n"
    assert json.loads(invoke("predictions", "cancel", "p3", "--json").stdout)[0]["status"] == "canceled"


def test_tokens(fake: FakeServer, invoke: Invoke) -> None:
    lines = invoke("token", "list").stdout.splitlines()
    assert lines[1].split() == ["t1", "laptop", "r8_Hw***", "run", *LATEST.split(), "-", "-", "-"]
    assert json.loads(invoke("token", "list", "--json").stdout)[1]["name"] == "ci"


def test_a_new_token_is_alone_on_stdout(fake: FakeServer, invoke: Invoke) -> None:
    result = invoke("token", "create", "ci")
    assert result.stdout == "r8_" + "n" * 37 + "\n"
    assert "not shown again" in result.stderr
    assert fake.asked("POST", "/v1/stoker/tokens")[0].json() == {"name": "ci"}
    assert json.loads(invoke("token", "create", "--json").stdout)["id"] == "t3"


def test_a_new_token_for_less(fake: FakeServer, invoke: Invoke) -> None:
    invoke("token", "create", "ci", "--scope", "run", "--expires", "30d", "--account", "team")
    wanted = {"name": "ci", "scope": "run", "expires_in_s": 30 * 86400, "account": "team"}
    assert fake.asked("POST", "/v1/stoker/tokens")[0].json() == wanted
    wrong = invoke("token", "create", "ci", "--expires", "soon")
    assert (wrong.exit_code, "90s, 30m, 12h or 30d" in wrong.stderr) == (2, True)


def test_a_token_is_revoked(fake: FakeServer, invoke: Invoke) -> None:
    assert invoke("token", "revoke", "t1").stderr == "Token t1 is revoked.\n"
    assert invoke("token", "revoke", "t9").exit_code == 1


@pytest.mark.parametrize(
    "args", [("models", "--limit", "0"), ("versions", "story"), ("predictions", "cancel")]
)
def test_wrong_usage(invoke: Invoke, args: tuple[str, ...]) -> None:
    assert invoke(*args).exit_code == 2


def test_an_answer_that_is_not_json(fake: FakeServer, invoke: Invoke) -> None:
    fake.overrides["GET", "/v1/models"] = [(200, b"<html>")]
    assert "is not a Stoker server" in invoke("models").stderr


def test_a_path_that_another_server_does_not_have(fake: FakeServer, invoke: Invoke) -> None:
    fake.overrides["GET", "/v1/models"] = [(404, b"<html>")]
    assert "Is that a Stoker server?" in invoke("models").stderr


def test_https_where_http_is_spoken(fake: FakeServer, invoke: Invoke, variables: dict[str, str]) -> None:
    variables["REPLICATE_BASE_URL"] = fake.base_url.replace("http", "https")
    assert f"does not speak https. Is it {fake.base_url}?" in invoke("models").stderr


@pytest.mark.parametrize("token", ["r8_ü", "r8 a", "r8_a\nb"])
def test_a_token_that_is_none(
    fake: FakeServer, invoke: Invoke, variables: dict[str, str], token: str
) -> None:
    variables["REPLICATE_API_TOKEN"] = token
    result = invoke("models")
    assert result.stderr.startswith("Error: REPLICATE_API_TOKEN is no token")
    assert token not in result.stderr
    assert not fake.requests


def test_a_stored_token_that_is_revoked(fake: FakeServer, invoke: Invoke, variables: dict[str, str]) -> None:
    credentials.save(Path(variables["STOKER_HOME"]), Credentials(fake.base_url, "r8_old"))
    variables["REPLICATE_API_TOKEN"] = "r8_bad"
    assert "unset it" in invoke("models").stderr
    variables["REPLICATE_API_TOKEN"] = ""
    assert "the token that is stored here" in invoke("models").stderr


def test_bytes_that_are_no_text(fake: FakeServer, invoke: Invoke) -> None:
    result = invoke("token", "create", b"\xff".decode("utf-8", "surrogateescape"))
    assert result.stderr == "Error: What is to be sent is not UTF-8 text.\n"


def test_an_error_without_words(fake: FakeServer, invoke: Invoke) -> None:
    fake.overrides["GET", "/v1/models"] = [(502, b"<html>")]
    assert invoke("models").stderr == "Error: GET /v1/models: the server answered with status 502.\n"


@pytest.mark.parametrize("url", ["127.0.0.1:8080", "ftp://127.0.0.1", "http://"])
def test_a_base_url_that_is_none(invoke: Invoke, variables: dict[str, str], url: str) -> None:
    variables["REPLICATE_BASE_URL"] = url
    assert "is not a URL like" in invoke("models").stderr


def test_boots(fake: FakeServer, invoke: Invoke) -> None:
    boot = {
        "model": "local/a",
        "wanted_at": "2026-11-20T10:00:00.000000Z",
        "start": "forked",
        "stage": "ready",
        "seconds": {"queue": 0.0, "environment": 0.001, "process": 0.02, "imports": 0.1, "setup": 1.5},
    }
    fake.boots = [boot, boot | {"model": "local/b", "start": None, "stage": "environment", "seconds": {}}]
    lines = invoke("boots").stdout.splitlines()
    assert lines[0].split()[-5:] == ["PROCESS", "IMPORTS", "SETUP", "FIRST", "RUN"]
    assert lines[1].split() == [
        "local/a",
        *LATEST.split(),
        "forked",
        "ready",
        "0.00",
        "0.00",
        "0.02",
        "0.10",
        "1.50",
        "-",
    ]
    assert lines[2].split() == ["local/b", *LATEST.split(), "-", "environment", *"------"]
    assert json.loads(invoke("boots", "local/a", "--json").stdout) == [boot]
    assert len(invoke("boots", "--limit", "1").stdout.splitlines()) == 2
    assert "no model local/nothing" in invoke("boots", "local/nothing").stderr
