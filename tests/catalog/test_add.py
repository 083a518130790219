"""``stoker catalog add`` against a real server: what it makes, what runs, and that again is quick."""

import json
import subprocess
from pathlib import Path

import httpx

from tests.catalog import weights
from tests.conftest import StartServer
from tests.scenarios import api
from tests.scenarios.machine import until
from tests.servers import StokerServer

PUBLISHED = "5ca1e" + "0" * 59


def add(server: StokerServer, entries: Path, *more: str, name: str = "acme/scale") -> str:
    """The version id."""
    done = attempt(server, entries, *more, name=name)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()[-1]


def attempt(
    server: StokerServer, entries: Path, *more: str, name: str = "acme/scale"
) -> subprocess.CompletedProcess[str]:
    return server.stoker("catalog", "add", name, "--from", str(entries), *more)


def checkpoints(client: httpx.Client) -> list[api.Json]:
    answer = client.get("/v1/stoker/checkpoints")
    assert answer.status_code == 200, answer.text
    return answer.json()["results"]


def test_a_model_runs_with_the_weights_of_a_folder(
    start_server: StartServer, entries: Path, tmp_path: Path
) -> None:
    server, folder = start_server(), weights.checkpoint(tmp_path / "weights", factor=3)
    version = add(server, entries, "--weights", str(folder))
    with server.client() as client:
        assert api.run(client, version, {"number": 5})["output"] == 15
        model = client.get("/v1/models/acme/scale").json()
        assert model["description"] == "Multiplies by the number in its weights."
        assert (model["visibility"], model["license_url"]) == ("public", "https://example.org/licence")
        assert client.get("/v1/models/acme/scale/readme").text == "# Scale\n"
        (kept,) = checkpoints(client)
        assert kept["source"] == str(folder)
        assert kept["versions"] == [f"acme/scale:{version}"]


def test_published_ids_work_under_every_name_they_have(
    start_server: StartServer, entries: Path, tmp_path: Path
) -> None:
    server = start_server()
    first = add(server, entries, "--weights", str(weights.checkpoint(tmp_path / "one", factor=3)))
    second = add(server, entries, "--weights", str(weights.checkpoint(tmp_path / "two", factor=4)))
    assert first != second
    with server.client() as client:
        for name in (PUBLISHED, f"acme/scale:{PUBLISHED}", f"published/scale:{PUBLISHED}"):
            made = api.run(client, name, {"number": 2})
            assert (made["version"], made["output"]) == (second, 8)
        assert api.run(client, first, {"number": 2})["output"] == 6


def test_again_changes_nothing_and_keeps_the_weights(
    start_server: StartServer, entries: Path, tmp_path: Path
) -> None:
    server, folder = start_server(), weights.checkpoint(tmp_path / "weights")
    first = json.loads(attempt(server, entries, "--weights", str(folder), "--json").stdout)
    again = attempt(server, entries, "--weights", str(folder), "--json")
    assert json.loads(again.stdout) == {**first, "cached": True}
    assert "were here already" in again.stderr
    kept = attempt(server, entries, "--json")
    assert json.loads(kept.stdout) == {**first, "cached": True}
    assert f"Keeping the weights from {folder}" in kept.stderr


def test_a_training_sees_the_weights_and_so_does_what_it_makes(
    start_server: StartServer, entries: Path, tmp_path: Path
) -> None:
    server = start_server()
    base = add(server, entries, "--weights", str(weights.checkpoint(tmp_path / "weights", factor=3)))
    with server.client() as client:
        new = {"owner": "local", "name": "mine", "visibility": "private", "hardware": "cpu"}
        assert client.post("/v1/models", json=new).status_code == 201
        path = f"/v1/models/acme/scale/versions/{base}/trainings"
        made = client.post(path, json={"destination": "local/mine", "input": {"offset": 7}})
        assert made.status_code == 201, made.text
        url = f"/v1/trainings/{made.json()['id']}"
        until(lambda: client.get(url).json()["status"] in api.FINAL, "the training is over")
        training = client.get(url).json()
        assert training["status"] == "succeeded", training["error"]
        trained = training["output"]["version"]
        assert api.run(client, trained, {"number": 2})["output"] == 2 * 3 + 7 * 3
        (kept,) = checkpoints(client)
        assert set(kept["versions"]) == {f"acme/scale:{base}", trained}
