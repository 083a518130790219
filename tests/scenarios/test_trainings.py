"""Trainings, really: a model is trained in an instance of its own, and what it learned becomes a version."""

import base64
import os
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import MODELS, StartServer
from tests.processes import with_variable
from tests.scenarios.api import Json, ended, run, when
from tests.scenarios.machine import YAML, project, until
from tests.servers import StokerServer
from tests.web_server import Web

TRAIN_YAML = YAML + "train: run.py:train\n"
INTERRUPTED = "Prediction interrupted; please retry (code: PA)"


def text(words: str) -> str:
    return "data:text/plain;base64," + base64.b64encode(words.encode()).decode()


def model(client: httpx.Client, name: str) -> str:
    wanted = {"owner": "local", "name": name, "visibility": "private", "hardware": "cpu"}
    assert client.post("/v1/models", json=wanted).status_code in (201, 409)
    return f"local/{name}"


def begin(client: httpx.Client, base: str, input: Json, *, destination: str = "tuned", **body: Any) -> Json:
    """A training of ``owner/name:id``, begun."""
    owner_name, _, id = base.partition(":")
    wanted = {"destination": model(client, destination), "input": input, **body}
    answer = client.post(f"/v1/models/{owner_name}/versions/{id}/trainings", json=wanted)
    assert answer.status_code == 201, answer.text
    return answer.json()


def train(client: httpx.Client, base: str, input: Json, **body: Any) -> Json:
    """A training, waited for."""
    return ended(client, begin(client, base, input, **body)["id"])


def at_work(training: Json) -> bool:
    """Logs are shown before they are stored, so both must hold."""
    return training["status"] == "processing" and "round 1" in training["logs"]


def instances(server: StokerServer) -> list[Json]:
    with server.client() as client:
        return client.get("/health").json()["instances"]


def pids(server: StokerServer) -> set[int]:
    return with_variable("STOKER_INSTANCE", of=server.data_dir)


@pytest.fixture
def trainer(server: StokerServer, pushed: Any) -> str:
    return f"local/training:{pushed('training')}"


def test_what_was_learned_is_a_version_that_runs_and_can_be_trained_again(server: StokerServer, trainer: str):
    with server.client() as client:
        first = train(client, trainer, {"text": text("ab"), "rounds": 2}, destination="chain")
        assert (first["status"], first["error"]) == ("succeeded", None)
        assert (first["model"], first["version"]) == tuple(trainer.split(":"))
        assert "round 1\nround 2\n" in first["logs"]
        assert first["metrics"]["letters"] == 4
        assert first["metrics"]["total_time"] >= first["metrics"]["predict_time"] > 0
        assert first["output"].keys() == {"version", "weights"}
        assert client.get(first["output"]["weights"], headers={}).text == "abab"
        owner_name, _, id = first["output"]["version"].partition(":")
        assert owner_name == "local/chain"
        assert client.get(f"/v1/models/{owner_name}").json()["latest_version"]["id"] == id
        assert run(client, id, {"text": "!"})["output"] == "learned.txtabab!"

        again = train(client, first["output"]["version"], {"text": text("c")}, destination="chain")
        second = again["output"]["version"].partition(":")[2]
        assert again["version"] == id != second
        assert run(client, second)["output"] == "learned.txtababc"
        assert run(client, trainer.partition(":")[2], {"text": "!"})["output"] == "!", "the base is as it was"


def test_the_same_training_makes_the_same_version(server: StokerServer, trainer: str):
    with server.client() as client:
        made = {
            train(client, trainer, {"text": text("x")}, destination="same")["output"]["version"]
            for _ in range(2)
        }
    assert len(made) == 1


def test_logs_are_live_and_the_instance_ends_with_the_training(server: StokerServer, trainer: str):
    with server.client() as client:
        id = begin(client, trainer, {"text": text("x"), "rounds": 10, "pause_s": 60})["id"]
        running = when(client, id, at_work)
        assert running["output"] is None
        canceled = client.post(f"/v1/trainings/{id}/cancel").json()
        assert (canceled["status"], canceled["output"]) == ("canceled", None)
    until(lambda: not [i for i in instances(server) if i["training"] == id], "its instance is gone")


def test_predictions_run_beside_a_training_of_the_same_version(server: StokerServer, trainer: str):
    with server.client() as client:
        id = begin(client, trainer, {"text": text("x"), "pause_s": 60})["id"]
        when(client, id, at_work)
        assert run(client, trainer.partition(":")[2], {"text": "beside"})["output"] == "beside"
        client.post(f"/v1/predictions/{id}/cancel")


def test_a_failing_training_makes_no_version(server: StokerServer, trainer: str):
    with server.client() as client:
        failed = train(client, trainer, {"text": text("x"), "fail": True}, destination="fruitless")
        assert (failed["status"], failed["error"]) == ("failed", "nothing was learned")
        assert failed["output"] is None
        assert "Traceback" in failed["logs"]
        assert client.get("/v1/models/local/fruitless/versions").json()["results"] == []


def test_webhooks_tell_of_a_training(server: StokerServer, trainer: str):
    with Web() as web, server.client() as client:
        done = train(client, trainer, {"text": text("x")}, webhook=f"{web.url}/hook",
                     webhook_events_filter=["start", "completed"])  # fmt: skip
        start, completed = sorted(web.await_posts(2), key=lambda post: b"succeeded" in post.body)
        assert b'"status":"processing"' in start.body
        assert completed.body == client.get(f"/v1/trainings/{done['id']}").content
        assert done["output"]["version"].encode() in completed.body


def test_a_worker_killed_from_outside_fails_the_training(start_server: StartServer):
    server = start_server()
    trainer = f"local/training:{server.push(MODELS / 'training', 'local/training')}"
    with server.client() as client:
        id = begin(client, trainer, {"text": text("x"), "pause_s": 60})["id"]
        when(client, id, at_work)
        for pid in pids(server):
            os.kill(pid, signal.SIGKILL)
        died = ended(client, id)
        assert died["status"] == "failed"
        assert "SIGKILL" in died["error"]


def test_killed_while_one_trains_and_after_one_has(start_server: StartServer):
    """What trained is interrupted; what had been trained is there, weights and all."""
    server = start_server()
    trainer = f"local/training:{server.push(MODELS / 'training', 'local/training')}"
    with Web() as web:
        with server.client() as client:
            tuned = train(client, trainer, {"text": text("kept")})["output"]["version"].partition(":")[2]
            id = begin(client, trainer, {"text": text("x"), "pause_s": 60})["id"]
            when(client, id, at_work)
        before = pids(server)
        server.kill()
        server.start()
        assert not before & pids(server)
        with server.client() as client:
            interrupted = client.get(f"/v1/trainings/{id}").json()
            assert (interrupted["status"], interrupted["error"]) == ("failed", INTERRUPTED)
            assert run(client, tuned)["output"] == "learned.txtkept"
        assert web.posted == []


def test_the_run_time_limit_of_trainings_is_their_own(start_server: StartServer):
    server = start_server(STOKER_TRAIN_TIMEOUT_S="1", STOKER_RUN_TIMEOUT_S="600")
    trainer = f"local/training:{server.push(MODELS / 'training', 'local/training')}"
    with server.client() as client:
        late = train(client, trainer, {"text": text("x"), "pause_s": 60})
        assert (late["status"], late["error"]) == ("failed", "Training timed out after 1 seconds (E6716)")


WAYS = """
import os
from cog import BaseModel, BaseRunner, Input, Path

def weights(name):
    with open(name, "w") as file:
        file.write(name)
    return Path(name)

class Both(BaseModel):
    weights: Path
    notes: str

def train(way: str = Input(default="path"), link: str = "") -> Path:
    if way == "path":
        return weights("w.safetensors")
    if way == "object":
        return Both(weights=weights("in an object.bin"), notes="ignored")
    if way == "dict":
        return {"weights": weights("in a dict.bin")}
    if way == "link":
        return link

class Runner(BaseRunner):
    def setup(self, weights):
        self.weights = weights

    def run(self) -> str:
        assert self.weights == os.environ.get("COG_WEIGHTS")
        return self.weights and os.path.basename(self.weights)
"""


def test_the_ways_of_giving_weights(server: StokerServer, tmp_path: Path):
    base = f"local/ways:{server.push(project(tmp_path / 'ways', WAYS, yaml=TRAIN_YAML), 'local/ways')}"
    names = {"path": "w.safetensors", "object": "in an object.bin", "dict": "in a dict.bin"}
    with server.client() as client:
        for way, name in names.items():
            version = train(client, base, {"way": way})["output"]["version"].partition(":")[2]
            assert run(client, version)["output"] == name


def test_no_weights_or_those_of_another_are_a_failure(server: StokerServer, tmp_path: Path):
    base = f"local/ways:{server.push(project(tmp_path / 'ways', WAYS, yaml=TRAIN_YAML), 'local/ways')}"
    with server.client() as client:
        strange = train(client, base, {"way": "path"})["output"]["weights"]
        for input in ({"way": "nothing"}, {"way": "link", "link": strange}):
            failed = train(client, base, input)
            assert failed["status"] == "failed"
            assert "no weights" in failed["error"]


CLASS = """
import os
from cog import BaseRunner, Path

class Runner(BaseRunner):
    def setup(self, weights: Path | None):
        self.count = int(open(weights).read()) if weights else 0

    def train(self) -> Path:
        with open("count", "w") as file:
            file.write(str(self.count + 1))
        return Path("count")

    def run(self) -> int:
        return self.count
"""


def test_a_class_is_set_up_with_the_weights_and_trains_on(server: StokerServer, tmp_path: Path):
    yaml = YAML + "train: run.py:Runner\n"
    version = f"local/counts:{server.push(project(tmp_path / 'counts', CLASS, yaml=yaml), 'local/counts')}"
    with server.client() as client:
        for _ in range(3):
            version = train(client, version, {}, destination="counted")["output"]["version"]
        assert run(client, version.partition(":")[2])["output"] == 3


BROKEN = """
from cog import BaseRunner, Path

class Runner(BaseRunner):
    def setup(self):
        print("looking for the data")
        raise OSError("no data here")

    def train(self) -> Path: ...

    def run(self) -> int: ...
"""


def test_a_training_whose_set_up_fails_says_so(server: StokerServer, tmp_path: Path):
    yaml = YAML + "train: run.py:Runner\n"
    base = f"local/broken:{server.push(project(tmp_path / 'broken', BROKEN, yaml=yaml), 'local/broken')}"
    with server.client() as client:
        failed = train(client, base, {})
        assert (failed["status"], failed["started_at"]) == ("failed", None)
        assert "no data here" in failed["error"]
        assert "looking for the data" in failed["logs"]
    until(lambda: not [i for i in instances(server) if i["training"] == failed["id"]], "its instance is gone")


ALONE = """
import os
from cog import Path

def train(word: str) -> Path:
    known = os.environ.get("COG_WEIGHTS")
    text = Path(known).read_text() if known else ""
    Path("words.txt").write_text(text + word)
    return Path("words.txt")
"""


def test_a_project_that_can_only_be_trained(server: StokerServer, tmp_path: Path):
    yaml = TRAIN_YAML.replace("run: run.py:Runner\n", "", 1)
    base = f"local/alone:{server.push(project(tmp_path / 'alone', ALONE, yaml=yaml), 'local/alone')}"
    with server.client() as client:
        first = train(client, base, {"word": "one "}, destination="grown")["output"]["version"]
        second = train(client, first, {"word": "two"}, destination="grown")["output"]
        assert client.get(second["weights"]).text == "one two"
        wanted = {"version": second["version"], "input": {}}
        assert client.post("/v1/predictions", json=wanted).status_code == 422
