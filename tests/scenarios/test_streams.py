"""Streams of real models: replayed, resumed, kept apart from slow readers."""

import socket
from urllib.parse import urlsplit

from tests.conftest import Pushed
from tests.scenarios.api import Event, create, ended, events, run
from tests.servers import StokerServer

PIECES = ["Once", " upon", " a", " time\n", "", "\n", "there"]


def data(found: list[Event]) -> list[str]:
    return [event["data"] for event in found if event["event"] == "output"]


def test_a_live_stream_gives_every_piece_as_it_was(server: StokerServer, pushed: Pushed):
    with server.client() as client:
        made = create(client, pushed("concatenate"), {"pieces": 7, "pause_s": 0.02})
        found = events(client, made["urls"]["stream"])
    assert data(found) == PIECES
    assert found[-1]["event"] == "done"
    assert all(event["id"] for event in found)


def test_a_finished_prediction_streams_the_same_events_again(server: StokerServer, pushed: Pushed):
    with server.client() as client:
        made = create(client, pushed("concatenate"), {"pieces": 7, "pause_s": 0.02})
        live = events(client, made["urls"]["stream"])
        ended(client, made["id"])
        assert events(client, made["urls"]["stream"]) == live


def test_a_reader_resumes_after_the_last_event_it_has(server: StokerServer, pushed: Pushed):
    with server.client() as client:
        made = create(client, pushed("concatenate"), {"pieces": 7, "pause_s": 0.05})
        first = events(client, made["urls"]["stream"], most=3)
        rest = events(client, made["urls"]["stream"], after=first[-1]["id"])
    assert data(first) + data(rest) == PIECES


def test_a_failure_is_an_error_event_and_then_done(server: StokerServer, pushed: Pushed):
    with server.client() as client:
        made = create(client, pushed("concatenate"), {"pieces": 2, "fail": True})
        found = events(client, made["urls"]["stream"])
    assert [event["event"] for event in found] == ["output", "output", "error", "done"]
    assert found[-2]["data"] == '{"detail":"out of words"}'
    assert found[-1]["data"] == '{"reason":"error"}'


def test_a_slow_reader_slows_nobody_down(server: StokerServer, pushed: Pushed):
    """One reader never reads; the stream of a model that never ends still reaches another."""
    with server.client() as client:
        made = create(client, pushed("endless"))
        url = urlsplit(made["urls"]["stream"])
        with socket.create_connection((url.hostname or "", url.port or 80)) as stuck:
            stuck.sendall(f"GET {url.path} HTTP/1.1\r\nHost: {url.netloc}\r\n\r\n".encode())
            assert len(events(client, made["urls"]["stream"], most=5000)) == 5000
            canceled = client.post(f"/v1/predictions/{made['id']}/cancel").json()
        assert canceled["status"] == "canceled"
        again = run(client, pushed("concatenate"), {"pieces": 1})
        assert again["output"] == ["Once"]


def test_a_cancelled_stream_says_so(server: StokerServer, pushed: Pushed):
    with server.client() as client:
        made = create(client, pushed("endless"))
        events(client, made["urls"]["stream"], most=3)
        client.post(f"/v1/predictions/{made['id']}/cancel")
        last = events(client, made["urls"]["stream"], most=10**9)[-1]
    assert last["data"] == '{"reason":"canceled"}'
