"""``stoker run`` against a server that is told what to answer."""

import json
import signal
import threading
from pathlib import Path
from typing import Any

import pytest

from stoker.cli.running import follow
from tests.cli.conftest import Invoke, Spawn
from tests.cli.fake_server import VERSION, CutOff, FakeServer
from tests.cli.schemas import FILE, TEXT_PIECES, openapi

STORY = openapi({"prompt": {"type": "string"}, "steps": {"type": "integer"}, "image": FILE})


@pytest.fixture
def story(fake: FakeServer) -> FakeServer:
    """A model with text, number and file inputs, and a prediction that succeeds with a text."""
    fake.add_model("local/story", STORY)
    states(
        fake,
        {"logs": "loading\n"},
        {"logs": "loading\nstep 1\n"},
        {"logs": "loading\nstep 1\nlast"},
        output="done",
    )
    return fake


def states(fake: FakeServer, *running: dict[str, Any], output: Any = None, **final: Any) -> None:
    """The next prediction: starting, each of the running states, then the end."""
    end = {
        "status": "succeeded",
        "output": output,
        "logs": running[-1].get("logs", "") if running else "",
    } | final
    fake.next_states = [
        fake.prediction("p1"),
        *(fake.prediction("p1", status="processing", **state) for state in running),
        fake.prediction("p1", **end),
    ]


def streams(fake: FakeServer, *events: Any, output: Any) -> None:
    states(fake, {}, output=output)
    for state in fake.next_states:
        state["urls"]["stream"] = f"{fake.public_url}/v1/streams/key"
    fake.stream_events = [*events]


def created(fake: FakeServer) -> Any:
    return fake.asked("POST", "/v1/predictions")[0].json()


def test_output_on_stdout_and_logs_on_stderr(story: FakeServer, invoke: Invoke) -> None:
    result = invoke("run", "local/story", "-i", "prompt=hi", "-i", "steps=5")
    assert result.exit_code == 0, result.stderr
    assert result.stdout == "done\n"
    lines = result.stderr.splitlines()
    assert [line for line in lines if line in ("loading", "step 1", "last")] == ["loading", "step 1", "last"]
    assert "Running" in lines
    assert created(story) == {"version": "local/story", "input": {"prompt": "hi", "steps": 5}}


def test_a_named_version(story: FakeServer, invoke: Invoke) -> None:
    assert invoke("run", f"local/story:{VERSION}").exit_code == 0
    assert created(story)["version"] == f"local/story:{VERSION}"


@pytest.mark.parametrize(
    ("output", "shape", "expected"),
    [
        ({"a": [1, "ü"]}, {"type": "object"}, '{\n  "a": [\n    1,\n    "ü"\n  ]\n}\n'),
        (["Once ", "upon"], TEXT_PIECES, "Once upon\n"),
        (["a", "b"], {"type": "array", "items": {"type": "string"}}, '[\n  "a",\n  "b"\n]\n'),
        (4.5, {"type": "number"}, "4.5\n"),
        (True, {"type": "boolean"}, "true\n"),
        (None, {"type": "string"}, ""),
        ("https://example.com/page", {"type": "string"}, "https://example.com/page\n"),
    ],
)
def test_values_are_printed(fake: FakeServer, invoke: Invoke, output: Any, shape: Any, expected: str) -> None:
    fake.add_model("local/story", openapi(output=shape))
    states(fake, output=output)
    assert invoke("run", "local/story").stdout == expected


def test_as_json(story: FakeServer, invoke: Invoke) -> None:
    told = json.loads(invoke("run", "local/story", "--json").stdout)
    assert (told["id"], told["status"], told["output"]) == ("p1", "succeeded", "done")


def test_text_into_a_file(story: FakeServer, here: Path, invoke: Invoke) -> None:
    assert invoke("run", "local/story", "-o", "out.txt").stdout == ""
    assert (here / "out.txt").read_text() == "done"


def test_text_and_values_into_a_folder(fake: FakeServer, here: Path, invoke: Invoke) -> None:
    fake.add_model("local/story", openapi(output=TEXT_PIECES))
    states(fake, output=["Once ", "upon"])
    assert [invoke("run", "local/story", "-o", "new/").stderr.splitlines()[-1] for _ in "ab"] == [
        "Saved new/output.txt",
        "Saved new/output-2.txt",
    ]
    assert (here / "new" / "output.txt").read_text() == "Once upon"
    fake.add_model("local/story", openapi(output={"type": "object"}))
    states(fake, output={"a": 1})
    assert invoke("run", "local/story", "-o", "new").stderr.splitlines()[-1] == "Saved new/output.json"


@pytest.mark.parametrize("target", ["nowhere/out.txt", "file/out.txt", "file/", "file/folder/"])
def test_nothing_runs_whose_output_has_no_place(
    story: FakeServer, here: Path, invoke: Invoke, target: str
) -> None:
    (here / "file").write_text("")
    result = invoke("run", "local/story", "-o", target)
    assert (result.exit_code, f"{target} cannot be written" in result.stderr) == (2, True)
    assert not story.requests


def test_an_input_that_is_missing(fake: FakeServer, here: Path, invoke: Invoke) -> None:
    schema = openapi({"prompt": {"type": "string"}, "image": FILE})
    schema["components"]["schemas"]["Input"]["required"] = ["prompt", "image"]
    fake.add_model("local/story", schema)
    (here / "photo.jpg").write_bytes(b"x")
    result = invoke("run", "local/story", "-i", "image=@photo.jpg")
    assert (result.exit_code, fake.files) == (2, {})
    assert "local/story needs prompt. It takes: prompt (string), image (file)." in result.stderr


def test_tokens_as_they_come(fake: FakeServer, invoke: Invoke) -> None:
    fake.add_model("local/story", openapi(output=TEXT_PIECES))
    pieces = ("output", "Once"), ("output", " upon\na"), CutOff(), ("output", " time")
    streams(fake, *pieces, ("done", {}), output=["Once", " upon\na", " time"])
    result = invoke("run", "local/story", "--stream")
    assert result.exit_code == 0, result.stderr
    assert result.stdout == "Once upon\na time\n"
    asked = fake.asked("GET", "/v1/streams/key")
    assert [request.headers.get("last-event-id") for request in asked] == [None, "2"]
    assert all("authorization" not in request.headers for request in asked)


def test_nothing_old_is_told_after_the_tokens(
    fake: FakeServer, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "_LONGEST_PAUSE_S", 60.0)
    fake.add_model("local/story", openapi(output=TEXT_PIECES))
    streams(fake, ("output", "Once"), ("done", {}), output=["Once"])
    result = invoke("run", "local/story", "--stream")
    assert result.stdout == "Once\n"
    assert "Running" not in result.stderr


def test_other_values_stream_line_by_line(fake: FakeServer, invoke: Invoke) -> None:
    fake.add_model("local/story", openapi(output={"type": "array", "items": {"type": "integer"}}))
    streams(fake, ("output", "1"), ("output", "2"), ("done", {}), output=[1, 2])
    assert invoke("run", "local/story", "--stream").stdout == "1\n2\n"


def test_json_lines(fake: FakeServer, invoke: Invoke) -> None:
    fake.add_model("local/story", openapi(output=TEXT_PIECES))
    streams(fake, ("output", "a"), ("output", "b\n"), ("done", {}), output=["a", "b\n"])
    lines = [
        json.loads(line) for line in invoke("run", "local/story", "--stream", "--json").stdout.splitlines()
    ]
    assert lines[:2] == [{"output": "a"}, {"output": "b\n"}]
    assert lines[2]["output"] == ["a", "b\n"]


def test_a_model_that_does_not_stream(story: FakeServer, invoke: Invoke) -> None:
    result = invoke("run", "local/story", "--stream")
    assert result.stdout == "done\n"
    assert "does not stream" in result.stderr


def test_a_stream_that_fails(fake: FakeServer, invoke: Invoke) -> None:
    fake.add_model("local/story", openapi(output=TEXT_PIECES))
    streams(
        fake,
        ("output", "Once"),
        ("error", {"detail": "boom"}),
        ("done", {"reason": "error"}),
        output=["Once"],
    )
    fake.next_states[-1] |= {"status": "failed", "error": "boom"}
    result = invoke("run", "local/story", "--stream")
    assert result.exit_code == 1
    assert result.stdout == "Once\n"
    assert result.stderr.splitlines()[-1] == "Error: the prediction p1 failed: boom"


def test_a_file_goes_in(story: FakeServer, here: Path, invoke: Invoke) -> None:
    (here / "photo.jpg").write_bytes(b"\xff\xd8" * 1000)
    assert invoke("run", "local/story", "-i", "image=@photo.jpg").exit_code == 0
    assert story.files["f0"] == b"\xff\xd8" * 1000
    assert created(story)["input"] == {"image": f"{story.base_url}/v1/files/f0"}


def test_stdin_goes_in(story: FakeServer, invoke: Invoke) -> None:
    invoke("run", "local/story", "-i", "prompt=@-", input="from a pipe")
    assert created(story)["input"] == {"prompt": "from a pipe"}


def test_files_come_out(fake: FakeServer, here: Path, invoke: Invoke) -> None:
    fake.add_model("local/sketch", openapi(output={"type": "array", "items": FILE}))
    fake.files |= {"a.png": b"first", "b.png": b"second"}
    urls = [f"{fake.base_url}/delivery/a.png", f"{fake.base_url}/delivery/b.png"]
    states(fake, output=urls)
    (here / "b.png").write_text("mine")
    result = invoke("run", "local/sketch")
    assert result.stdout.splitlines() == ["a.png", "b-2.png"]
    assert "Saved a.png (5 B)" in result.stderr
    assert (here / "a.png").read_bytes() == b"first"
    assert (here / "b-2.png").read_bytes() == b"second"
    assert (here / "b.png").read_text() == "mine"
    assert all("authorization" not in request.headers for request in fake.asked("GET", "/delivery/.*"))


def test_files_go_where_they_are_told(fake: FakeServer, here: Path, invoke: Invoke) -> None:
    fake.add_model("local/sketch", openapi(output={"type": "array", "items": FILE}))
    fake.files |= {"a.png": b"first", "b.png": b"second"}
    states(fake, output=[f"{fake.base_url}/delivery/{name}" for name in ("a.png", "b.png")])
    assert invoke("run", "local/sketch", "-o", "out.png").stdout.splitlines() == ["out-1.png", "out-2.png"]
    assert invoke("run", "local/sketch", "-o", "folder/").stdout.splitlines() == [
        "folder/a.png",
        "folder/b.png",
    ]
    assert (here / "folder" / "b.png").read_bytes() == b"second"


def test_one_file_goes_to_stdout(fake: FakeServer, invoke: Invoke) -> None:
    fake.add_model("local/sketch", openapi(output=FILE))
    fake.files["a.png"] = b"\x89PNG\xff"
    states(fake, output=f"{fake.base_url}/delivery/a.png")
    assert invoke("run", "local/sketch", "-o", "-").stdout_bytes == b"\x89PNG\xff"


def test_files_inside_an_object(fake: FakeServer, here: Path, invoke: Invoke) -> None:
    """Where the schema says nothing, what the server delivers is a file and other addresses are text."""
    fake.add_model("local/sketch", openapi(output={"type": "object"}))
    fake.files["a.png"] = b"first"
    states(fake, output={"picture": f"{fake.base_url}/delivery/a.png", "source": "https://example.com/x.png"})
    told = json.loads(invoke("run", "local/sketch").stdout)
    assert told == {"picture": "a.png", "source": "https://example.com/x.png"}
    assert (here / "a.png").read_bytes() == b"first"


def test_a_data_url_is_a_file(fake: FakeServer, here: Path, invoke: Invoke) -> None:
    fake.add_model("local/sketch", openapi(output=FILE))
    states(fake, output="data:text/plain;base64,aGVsbG8=")
    assert invoke("run", "local/sketch").stdout == "output.txt\n"
    assert (here / "output.txt").read_text() == "hello"


def test_files_behind_a_proxy_are_fetched_from_where_we_are(
    fake: FakeServer, here: Path, invoke: Invoke
) -> None:
    fake.public_url = "https://models.example.com/stoker"
    fake.add_model("local/sketch", openapi(output=FILE))
    fake.files["a.png"] = b"first"
    states(fake, output="https://models.example.com/stoker/delivery/a.png")
    assert invoke("run", "local/sketch").exit_code == 0
    assert (here / "a.png").read_bytes() == b"first"


def test_a_file_that_is_gone(fake: FakeServer, here: Path, invoke: Invoke) -> None:
    fake.add_model("local/sketch", openapi(output=FILE))
    states(fake, output=f"{fake.base_url}/delivery/a.png")
    result = invoke("run", "local/sketch")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == "Error: It has expired."
    assert list(here.iterdir()) == []


def test_a_failed_prediction(story: FakeServer, invoke: Invoke) -> None:
    states(story, {"logs": "Traceback\n"}, status="failed", error="boom")
    result = invoke("run", "local/story")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.splitlines()[-1] == "Error: the prediction p1 failed: boom"


def test_a_prediction_that_somebody_canceled(story: FakeServer, invoke: Invoke) -> None:
    states(story, {}, status="canceled")
    result = invoke("run", "local/story", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["status"] == "canceled"
    assert result.stderr.splitlines()[-1] == "Error: the prediction p1 was canceled."


def test_refused_input_is_one_sentence(story: FakeServer, invoke: Invoke) -> None:
    problem = {
        "title": "Input validation failed",
        "detail": "- input: prompt is required\n- input.steps: Must be less than or equal to 4\n",
        "status": 422,
        "invalid_fields": [
            {"type": "required", "field": "input", "description": "prompt is required"},
            {"type": "number_lte", "field": "input.steps", "description": "Must be less than or equal to 4"},
            {"type": "enum", "field": "input.kind", "description": 'input.kind must be one of these: "a"'},
        ],
    }
    story.overrides["POST", "/v1/predictions"] = [(422, problem)]
    result = invoke("run", "local/story", "-i", "steps=9")
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == (
        "Error: Input validation failed: prompt is required; steps: Must be less than or equal to 4; "
        'kind: must be one of these: "a".'
    )


def test_an_unknown_input(story: FakeServer, invoke: Invoke) -> None:
    result = invoke("run", "local/story", "-i", "promt=x")
    assert result.exit_code == 2
    assert "Did you mean 'prompt'? It takes: prompt (string), steps (integer), image (file)." in result.stderr
    assert story.asked("POST", "/v1/predictions") == []


def test_an_unknown_model_and_an_empty_one(fake: FakeServer, invoke: Invoke) -> None:
    assert "There is no model local/nothing." in invoke("run", "local/nothing").stderr
    fake.add_model("local/empty", None)
    assert "Make one with 'stoker push DIR local/empty'" in invoke("run", "local/empty").stderr
    fake.add_model("local/story", STORY)
    other = "cd" * 32
    assert f"local/story has no version {other}" in invoke("run", f"local/story:{other}").stderr


def test_the_server_may_be_away_for_a_moment(story: FakeServer, invoke: Invoke) -> None:
    story.overrides["GET", "/v1/predictions/p1"] = [
        (503, {"detail": "The server is stopping.", "status": 503})
    ]
    assert invoke("run", "local/story").stdout == "done\n"


def test_ctrl_c_cancels(fake: FakeServer, spawn: Spawn) -> None:
    fake.add_model("local/story", STORY)
    fake.next_states = [fake.prediction("p1"), fake.prediction("p1", status="processing", logs="working\n")]
    fake.seen["/v1/predictions/p1"] = threading.Event()
    process = spawn("run", "local/story")
    assert fake.seen["/v1/predictions/p1"].wait(20)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    assert fake.predictions["p1"][-1]["status"] == "canceled"
    assert stderr.endswith("Canceling p1.\n")
    assert "Traceback" not in stderr


def test_ctrl_c_cancels_a_stream(fake: FakeServer, spawn: Spawn) -> None:
    fake.add_model("local/story", openapi(output=TEXT_PIECES))
    streams(fake, ("output", "Once"), output=None)
    for state in fake.next_states:
        state["status"] = "processing"
    fake.seen["/v1/streams/key"] = threading.Event()
    process = spawn("run", "local/story", "--stream")
    assert fake.seen["/v1/streams/key"].wait(20)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert fake.predictions["p1"][-1]["status"] == "canceled"


def test_a_reader_that_goes_away_cancels_a_stream(fake: FakeServer, spawn: Spawn) -> None:
    fake.add_model("local/story", openapi(output=TEXT_PIECES))
    streams(fake, ("output", "Once"), output=None)
    for state in fake.next_states:
        state["status"] = "processing"
    path = "/v1/streams/key"
    fake.seen[path], fake.hold[path] = threading.Event(), threading.Event()
    process = spawn("run", "local/story", "--stream")
    assert fake.seen[path].wait(20)
    assert process.stdout is not None
    process.stdout.close()
    fake.hold[path].set()
    assert process.wait(30) == 1
    assert fake.predictions["p1"][-1]["status"] == "canceled"


def test_nothing_but_text_in_a_pipe(story: FakeServer, spawn: Spawn) -> None:
    """No colours, no moving line: what a log file gets can be read."""
    process = spawn("run", "local/story")
    stdout, stderr = process.communicate(timeout=30)
    assert stdout == "done\n"
    assert "\x1b" not in stderr
    assert "\r" not in stderr


def test_each_reason_to_wait_is_one_line_in_a_pipe(fake: FakeServer, invoke: Invoke) -> None:
    fake.add_model("local/story", openapi())
    path = "/v1/stoker/predictions/p1/wait"
    waits: list[dict[str, Any] | None] = [
        {"reason": "files", "message": "x", "position": None, "estimate_s": None},
        {"reason": "queue", "message": "x", "position": 4, "estimate_s": 12.2},
        {"reason": "queue", "message": "x", "position": 3, "estimate_s": 8.2},
        {"reason": "paused", "message": "x", "position": 1, "estimate_s": None, "error": "no weights"},
        {"reason": "news to this client", "message": "What the server says.", "estimate_s": None},
        None,
    ]
    fake.overrides["GET", path] = [(200, {"id": "p1", "status": "starting", "wait": wait}) for wait in waits]
    starting = [fake.prediction("p1")] * (len(waits) + 1)
    fake.next_states = [*starting, fake.prediction("p1", status="succeeded", output="done")]
    result = invoke("run", "local/story")
    assert result.stdout == "done\n"
    assert result.stderr.splitlines() == [
        "Sending",
        "Waiting for the model to start",
        "Fetching input files",
        "Waiting in the queue, 3 before it (about 12 s)",
        "Waiting to start the model again: no weights",
        "What the server says.",
    ]


def test_a_priority_goes_as_a_header_and_only_where_one_is_given(story: FakeServer, invoke: Invoke) -> None:
    assert invoke("run", "local/story", "-i", "prompt=hi", "--priority", "low").exit_code == 0
    states(story, {}, output="done")
    assert invoke("run", "local/story", "-i", "prompt=hi").exit_code == 0
    sent = [request.headers.get("stoker-priority") for request in story.asked("POST", "/v1/predictions")]
    assert sent == ["low", None]
    refused = invoke("run", "local/story", "--priority", "urgent")
    assert refused.exit_code == 2
    assert "'high', 'normal', 'low'" in refused.stderr
