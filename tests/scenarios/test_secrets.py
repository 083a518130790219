"""Secret inputs: the model gets them, nobody else ever sees them again."""

import secrets

from tests.conftest import MODELS, StartServer
from tests.scenarios.api import create, ended, get, run, when
from tests.scenarios.machine import project
from tests.servers import StokerServer
from tests.web_server import Web

LATE = """
from cog import BaseRunner, Secret
import time

class Runner(BaseRunner):
    def run(self, key: Secret, wait_s: float = 0) -> int:
        print("got", key)
        time.sleep(wait_s)
        if wait_s < 0:
            raise ValueError(f"cannot use {key!r}")
        return len(key.get_secret_value())
"""


def a_secret() -> str:
    return f"hush-{secrets.token_hex(16)}"


def found_in(server: StokerServer, secret: str) -> list[str]:
    """The files of the server, its log too, that hold the secret."""
    files = [path for path in server.data_dir.rglob("*") if path.is_file()]
    return [str(path) for path in [*files, server.log_path] if secret.encode() in path.read_bytes()]


def everything(server: StokerServer, id: str) -> str:
    """All that the API and the command line say of a prediction."""
    with server.client() as client:
        told = [client.get(f"/v1/predictions/{id}").text, client.get("/v1/predictions").text]
    for command in (["show", id], ["logs", id], ["list", "--json"]):
        done = server.stoker("predictions", *command)
        told += [done.stdout, done.stderr]
    return "\n".join(told)


def test_a_secret_reaches_the_model_and_nothing_else(start_server: StartServer):
    with Web() as web:
        server = start_server("--allow-net", "127.0.0.0/8", "--verbose")
        version = server.push(MODELS / "secrets", "local/secrets")
        key, spare = a_secret(), a_secret()
        with server.client() as client:
            filter = ["start", "output", "logs", "completed"]
            given = {"key": key, "spare": spare}
            body = {"version": version, "input": given, "webhook": web.url, "webhook_events_filter": filter}
            answer = client.post("/v1/predictions", json=body)
            assert answer.json()["input"] == {"key": "[REDACTED]", "spare": "[REDACTED]"}
            done = ended(client, answer.json()["id"])
            assert done["output"]["length"] == len(key)
        posts = web.await_that(lambda posts: any(b'"succeeded"' in post.body for post in posts))
        bodies = [post.body.decode() for post in posts]
        seen = "\n".join([answer.text, everything(server, done["id"]), *bodies])
    for secret in (key, spare):
        assert secret not in seen
        assert found_in(server, secret) == []
    assert server.stop() == 0
    assert found_in(server, key) == []


def test_a_secret_that_had_to_wait_is_forgotten_once_the_run_has_it(start_server: StartServer):
    server = start_server()
    version = server.push(project(server.data_dir.parent / "late", LATE), "local/late")
    key = a_secret()
    with server.client() as client:
        busy = create(client, version, {"key": "k", "wait_s": 600})["id"]
        when(client, busy, lambda p: "got" in p["logs"])
        waiting = create(client, version, {"key": key, "wait_s": 600})["id"]
        assert get(client, waiting)["input"]["key"] == "[REDACTED]"
        client.post(f"/v1/predictions/{busy}/cancel")
        when(client, waiting, lambda p: "got" in p["logs"] and p["status"] == "processing")
        assert found_in(server, key) == []
        client.post(f"/v1/predictions/{waiting}/cancel")


def test_a_secret_that_waits_survives_a_crash(start_server: StartServer):
    server = start_server()
    version = server.push(project(server.data_dir.parent / "late", LATE), "local/late")
    key = a_secret()
    with server.client() as client:
        busy = create(client, version, {"key": "k", "wait_s": 600})["id"]
        when(client, busy, lambda p: "got" in p["logs"])
        waiting = create(client, version, {"key": key})["id"]
    server.kill()
    server.start()
    with server.client() as client:
        assert ended(client, waiting)["output"] == len(key)
    assert found_in(server, key) == []


def test_errors_do_not_tell_a_secret(start_server: StartServer):
    server = start_server("--verbose")
    version = server.push(project(server.data_dir.parent / "late", LATE), "local/late")
    key = a_secret()
    with server.client() as client:
        for given in ({"key": [key]}, {"key": {"a": key}}, {"key": key, "wait_s": key}, {"key": None}):
            body = {"version": version, "input": given}
            refused = client.post("/v1/predictions", json=body)
            assert refused.status_code == 422, given
            assert key not in refused.text
        failed = run(client, version, {"key": key, "wait_s": -1})
        assert failed["status"] == "failed"
        assert key not in everything(server, failed["id"])
    assert found_in(server, key) == []


TALKER = """
import sys
from cog import BaseRunner, Secret

class Runner(BaseRunner):
    def run(self, key: Secret, fail: bool = False) -> int:
        value = key.get_secret_value()
        print("calling with", value, flush=True)
        sys.stdout.write("half " + value[:10])
        sys.stdout.flush()
        sys.stdout.write(value[10:] + " whole")
        sys.stdout.flush()
        if fail:
            raise ValueError(f"{value} was refused")
        return len(value)
"""


def test_a_secret_that_the_model_prints_is_not_shown_nor_kept(start_server: StartServer):
    with Web() as web:
        server = start_server("--allow-net", "127.0.0.0/8", "--verbose")
        version = server.push(project(server.data_dir.parent / "talker", TALKER), "local/talker")
        key, hook = a_secret(), {"webhook": web.url, "webhook_events_filter": ["logs", "completed"]}
        with server.client() as client:
            done = run(client, version, {"key": key}, **hook)
            assert done["logs"] == "calling with [REDACTED]\nhalf [REDACTED] whole"
            failed = run(client, version, {"key": key, "fail": True}, **hook)
            assert failed["error"] == "[REDACTED] was refused"
            assert failed["logs"].endswith("ValueError: [REDACTED] was refused\n")
        posts = web.await_that(lambda posts: sum(b'"completed_at":"' in post.body for post in posts) == 2)
        assert not any(key.encode() in post.body for post in posts)
        assert key not in everything(server, failed["id"])
    assert found_in(server, key) == []
