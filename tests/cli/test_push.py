"""``stoker push`` against a server that is told what to answer."""

import hashlib
import json
import signal
import threading
from pathlib import Path

import pytest

from tests.cli.conftest import Invoke, Spawn
from tests.cli.fake_server import TOKEN, VERSION, CutOff, FakeServer

DONE = [
    ("progress", {"stage": "source", "message": "Reading cog.yaml", "done": 0, "total": 4}),
    ("log", "Resolved 3 packages\nInstalled 3 packages"),
    ("warning", {"message": "Python 3.9 is not here; 3.10 is used."}),
    ("done", {"version": VERSION, "cached": False}),
]


@pytest.fixture
def project(here: Path) -> Path:
    (here / "cog.yaml").write_text("predict: predict.py:Predictor\n")
    (here / "predict.py").write_text("class Predictor: ...\n")
    (here / "copy.py").write_text("class Predictor: ...\n")
    (here / "empty.txt").touch()
    return here


def test_a_new_model(fake: FakeServer, project: Path, invoke: Invoke) -> None:
    fake.build_events = list(DONE)
    result = invoke("push", "local/story")
    assert result.exit_code == 0, result.stderr
    assert result.stdout == f"{VERSION}\n"
    assert fake.asked("POST", "/v1/models")[0].json() == {
        "owner": "local",
        "name": "story",
        "visibility": "private",
        "hardware": "cpu",
    }
    assert sorted(fake.blobs.values()) == [
        b"",
        b"class Predictor: ...\n",
        b"predict: predict.py:Predictor\n",
    ]
    build = fake.asked("POST", "/v1/stoker/builds")[0].json()
    assert build["model"] == "local/story"
    assert build["strict"] is False
    assert [file["path"] for file in build["files"]] == ["cog.yaml", "copy.py", "empty.txt", "predict.py"]


def test_what_goes_on_is_told_in_plain_lines(fake: FakeServer, project: Path, invoke: Invoke) -> None:
    fake.build_events = list(DONE)
    lines = invoke("push", ".", "local/story").stderr.splitlines()
    assert "Created the private model local/story." in lines
    assert "Sent 3 files (51 B), 0 known to the server." in lines
    assert "Reading cog.yaml" in lines
    assert "Resolved 3 packages" in lines
    assert "Warning: Python 3.9 is not here; 3.10 is used." in lines


def test_only_what_is_missing_is_sent(fake: FakeServer, project: Path, invoke: Invoke) -> None:
    fake.build_events = list(DONE)
    invoke("push", "local/story")
    fake.requests.clear()
    (project / "predict.py").write_text("class Predictor: changed = True\n")
    result = invoke("push", "local/story")
    assert len(fake.asked("PUT", ".*")) == 1
    assert "Sent 1 file (32 B), 3 known to the server." in result.stderr
    assert fake.asked("POST", "/v1/models") == []


def test_as_json(fake: FakeServer, project: Path, invoke: Invoke) -> None:
    fake.build_events = [*DONE[:-1], ("done", {"version": VERSION, "cached": True})]
    told = json.loads(invoke("push", "local/story", "--json", "--strict", "--public").stdout)
    assert told == {
        "model": "local/story",
        "version": VERSION,
        "cached": True,
        "build": "b1",
        "warnings": ["Python 3.9 is not here; 3.10 is used."],
    }
    assert fake.asked("POST", "/v1/stoker/builds")[0].json()["strict"] is True
    assert fake.asked("POST", "/v1/models")[0].json()["visibility"] == "public"


def test_visibility_of_an_existing_model_is_left_alone(
    fake: FakeServer, project: Path, invoke: Invoke
) -> None:
    fake.add_model("local/story", None)
    fake.build_events = list(DONE)
    assert "local/story exists and stays private" in invoke("push", "local/story", "--public").stderr


def test_a_build_that_fails(fake: FakeServer, project: Path, invoke: Invoke) -> None:
    fake.build_events = [("log", "No solution found"), ("error", {"detail": "numpy==99 does not exist."})]
    result = invoke("push", "local/story")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.splitlines()[-2:] == [
        "Removed the empty model local/story again.",
        "Error: The build failed. numpy==99 does not exist.",
    ]
    assert len(fake.asked("DELETE", "/v1/models/local/story")) == 1


def test_a_build_that_fails_leaves_a_model_alone_that_was_there(
    fake: FakeServer, project: Path, invoke: Invoke
) -> None:
    fake.add_model("local/story", None)
    fake.build_events = [("error", {"detail": "numpy==99 does not exist."})]
    assert invoke("push", "local/story").exit_code == 1
    assert fake.asked("DELETE", ".*") == []


def test_a_public_model_stays_where_its_first_push_fails(
    fake: FakeServer, project: Path, invoke: Invoke
) -> None:
    fake.overrides["DELETE", "/v1/models/local/story"] = [(409, {"detail": "It is public.", "status": 409})]
    fake.build_events = [("error", {"detail": "numpy==99 does not exist."})]
    told = invoke("push", "local/story", "--public").stderr
    assert "The model local/story was created and has no version yet." in told


def test_a_broken_connection_is_taken_up_again(fake: FakeServer, project: Path, invoke: Invoke) -> None:
    fake.build_events = [*DONE[:2], CutOff(), *DONE[2:]]
    result = invoke("push", "local/story")
    assert result.exit_code == 0
    assert result.stderr.count("Installed 3 packages") == 1
    asked = fake.asked("GET", ".*/events")
    assert [request.headers.get("last-event-id") for request in asked] == [None, "2"]


def test_a_build_that_the_server_no_longer_knows(fake: FakeServer, project: Path, invoke: Invoke) -> None:
    path = "/v1/stoker/builds/b1/events"
    fake.build_events = [DONE[0], CutOff()]
    fake.overrides["GET", path] = []
    fake.seen[path] = threading.Event()

    def forget() -> None:
        fake.seen[path].wait(20)
        fake.overrides["GET", path].append((404, {"detail": "There is no such build.", "status": 404}))

    thread = threading.Thread(target=forget)
    thread.start()
    result = invoke("push", "local/story")
    thread.join(20)
    assert result.exit_code == 1
    assert result.stderr.endswith("Error: There is no such build.\n")


def test_a_refused_build_is_one_sentence(fake: FakeServer, project: Path, invoke: Invoke) -> None:
    detail = "cog.yaml: python_version must include major and minor version"
    fake.overrides["POST", "/v1/stoker/builds"] = [
        (422, {"title": "Build failed", "detail": detail, "status": 422})
    ]
    result = invoke("push", "local/story")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == f"Error: {detail}."


def test_a_failed_upload_ends_the_push(fake: FakeServer, project: Path, invoke: Invoke) -> None:
    for name in "abcdef":
        (project / name).write_text(name * 100_000)
    path = f"/v1/stoker/blobs/{hashlib.sha256(b'a' * 100_000).hexdigest()}"
    fake.overrides["PUT", path] = [(507, {"detail": "The disk is full.", "status": 507})]
    result = invoke("push", "local/story")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == "Error: The disk is full."
    assert fake.asked("POST", "/v1/stoker/builds") == []


def test_a_throttled_request_is_made_again(fake: FakeServer, project: Path, invoke: Invoke) -> None:
    fake.build_events = list(DONE)
    throttled = {"detail": "Request was throttled.", "status": 429, "retry_after": 0}
    upload = f"/v1/stoker/blobs/{hashlib.sha256(b'class Predictor: ...').hexdigest()}"
    (project / "predict.py").write_text("class Predictor: ...")
    fake.overrides |= {("POST", "/v1/stoker/builds"): [(429, throttled)], ("PUT", upload): [(429, throttled)]}
    assert invoke("push", "local/story").exit_code == 0
    assert len(fake.asked("POST", "/v1/stoker/builds")) == 2
    assert [request.body for request in fake.asked("PUT", upload)] == [b"class Predictor: ..."] * 2


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        ((), "Missing argument"),
        (("story",), "'story' does not name a model"),
        (("local/story:" + VERSION,), "does not name a model"),
        ((".", "local/story", "more"), "Give a folder and OWNER/NAME"),
        (("local/a b",), "does not name a model"),
    ],
)
def test_wrong_usage(invoke: Invoke, args: tuple[str, ...], complaint: str) -> None:
    result = invoke("push", *args)
    assert result.exit_code == 2
    assert complaint in result.stderr


def test_no_project(fake: FakeServer, here: Path, invoke: Invoke) -> None:
    result = invoke("push", str(here), "local/story")
    assert result.exit_code == 1
    assert "no cog.yaml" in result.stderr
    assert fake.requests == []


def test_a_wrong_token(fake: FakeServer, project: Path, invoke: Invoke, variables: dict[str, str]) -> None:
    variables["REPLICATE_API_TOKEN"] = TOKEN + "x"
    result = invoke("push", "local/story")
    assert result.exit_code == 1
    assert "does not accept this token" in result.stderr


def test_no_server(project: Path, invoke: Invoke, variables: dict[str, str]) -> None:
    variables["REPLICATE_BASE_URL"] = "http://127.0.0.1:1"
    result = invoke("push", "local/story")
    assert result.exit_code == 1
    assert result.stderr == "Error: No server answers at http://127.0.0.1:1. Start one with 'stoker serve'.\n"


def test_ctrl_c_during_an_upload(fake: FakeServer, project: Path, spawn: Spawn) -> None:
    (project / "weights.bin").write_bytes(b"w" * 3_000_000)
    path = f"/v1/stoker/blobs/{hashlib.sha256(b'w' * 3_000_000).hexdigest()}"
    fake.hold[path], fake.seen[path] = threading.Event(), threading.Event()
    process = spawn("push", "local/story")
    assert fake.seen[path].wait(20)
    process.send_signal(signal.SIGINT)
    fake.hold[path].set()
    stdout, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    assert stdout == ""
    assert stderr.endswith("Interrupted.\n")
    assert "Traceback" not in stderr
    assert fake.asked("POST", "/v1/stoker/builds") == []


def test_a_folder_alone_does_not_name_a_model(fake: FakeServer, here: Path, invoke: Invoke) -> None:
    (here / "examples" / "story").mkdir(parents=True)
    (here / "examples" / "story" / "cog.yaml").touch()
    result = invoke("push", "examples/story")
    assert result.exit_code == 2
    assert "name the model, too, as in 'stoker push examples/story OWNER/NAME'." in result.stderr
    assert not fake.requests
