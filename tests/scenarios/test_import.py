"""A team moves: everything that one server has of it is copied to another, and the clients see the same."""

import json
import os
import subprocess
import sys
from typing import Any

import httpx
import pytest
import replicate

from tests.conftest import MODELS, StartServer
from tests.servers import TOKEN, StokerServer

TELLER, FILES = "local/teller", "local/files"
WEBHOOK = "https://hooks.example.com/done?a=b"


def bring(
    source: StokerServer, here: StokerServer, *args: str, **variables: str
) -> tuple[int, dict[str, Any], str]:
    """Runs the import; its status, what it counted, and what it said. The variables may name other tokens."""
    done = subprocess.run(
        [sys.executable, "-m", "stoker", "import", "--from", source.base_url, "--json", *args],
        env=os.environ | here.variables() | {"STOKER_IMPORT_TOKEN": TOKEN} | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode in (0, 1), done.stderr
    return done.returncode, json.loads(done.stdout), done.stderr


def run(client: httpx.Client, version: str, **body: Any) -> dict[str, Any]:
    answer = client.post(
        "/v1/predictions", json={"version": version, "input": {}} | body, headers={"prefer": "wait"}
    )
    assert answer.json()["status"] == "succeeded", answer.text
    return answer.json()


def fill(source: StokerServer) -> dict[str, str]:
    """Models, versions, a README, examples with files, a deployment, predictions; their ids by name."""
    teller = source.push(MODELS / "concatenate", TELLER)
    files = source.push(MODELS / "output_files", FILES)
    with source.client() as client:
        about = {"description": "Tells", "readme": "# Teller\n", "license_url": "https://example.com/l"}
        client.patch(f"/v1/models/{TELLER}", json=about).raise_for_status()
        told = run(client, teller, webhook=WEBHOOK, webhook_events_filter=["completed"])
        other = run(client, teller, input={"pieces": 2})
        made = run(client, files, input={"big_bytes": 1000})
        for model, id in ((TELLER, told["id"]), (TELLER, other["id"]), (FILES, made["id"])):
            default = {"prediction": id, "default": id == other["id"]}
            client.post(f"/v1/stoker/models/{model}/examples", json=default).raise_for_status()
        app = {"name": "app", "model": TELLER, "version": teller, "hardware": "cpu"}
        scale = {"min_instances": 0, "max_instances": 2}
        client.post("/v1/deployments", json=app | scale).raise_for_status()
        late = client.post(
            "/v1/deployments/local/app/predictions", json={"input": {}}, headers={"prefer": "wait"}
        )
    return {
        "teller": teller,
        "files": files,
        "told": told["id"],
        "made": made["id"],
        "late": late.json()["id"],
    }


def seen(server: StokerServer) -> dict[str, Any]:
    """What the published client sees of the team, but for addresses and what is the server's own."""
    client = replicate.Client(api_token=TOKEN, base_url=server.base_url)
    models = [client.models.get(ref) for ref in (TELLER, FILES)]
    runs = [client.predictions.get(one.id) for one in client.predictions.list().results]
    found = {
        "models": [model.dict() for model in models],
        "versions": [[version.dict() for version in model.versions.list()] for model in models],
        "predictions": [one.dict() for one in runs],
        "secret": client.webhooks.default.secret().key,
    }
    client._client.close()
    return cleaned(found)


def cleaned(value: Any) -> Any:
    if isinstance(value, dict):
        own = (
            "run_count",
            "urls",
            "url",
            "created_at_of_model",
            "imported_from",
            "imported_at",
            "deployment",
        )
        drops = (*own, "created_at") if "run_count" in value else own
        return {key: cleaned(item) for key, item in value.items() if key not in drops}
    if isinstance(value, list):
        return [cleaned(item) for item in value]
    return value.rpartition("/")[2] if isinstance(value, str) and "/delivery/" in value else value


def test_a_team_moves_and_its_clients_see_the_same(start_server: StartServer) -> None:
    source, here = start_server(), start_server()
    ids = fill(source)

    status, dry, _ = bring(source, here, "--account", "--dry-run")
    assert (status, dry["counts"]["prediction"]["new"], dry["counts"]["model"]["new"]) == (0, 4, 2)
    with here.client() as client:
        assert client.get("/v1/models").json()["results"] == []
        assert client.get("/v1/predictions").json()["results"] == []

    status, told, said = bring(source, here, "--account")
    assert (status, [left["kind"] for left in told["not_copied"]]) == (1, ["deployment"]), said
    assert "without its code" in said
    counts = told["counts"]
    assert {kind: counts[kind]["new"] for kind in counts} == {
        "prediction": 4, "model": 2, "version": 2, "example": 3, "file": 3, "deployment": 0,
        "webhook secret": 0,
    }  # fmt: skip
    assert counts["webhook secret"]["changed"] == 1
    assert seen(here) == seen(source)
    with here.client() as client:
        assert client.get(f"/v1/models/{TELLER}/readme").text == "# Teller\n"
        (example,) = client.get(f"/v1/models/{FILES}/examples").json()["results"]
        source.stop()  # the files are here now
        assert [len(httpx.get(url).content) for url in example["output"]] == [1000, 13, 14]
        refused = client.post("/v1/predictions", json={"version": ids["teller"], "input": {}})
        assert (refused.status_code, "without its code" in refused.text) == (422, True)
        assert client.get(f"/v1/models/{TELLER}").json()["run_count"] == 0
    source = start_server(data_dir=source.data_dir)

    assert here.push(MODELS / "concatenate", TELLER) == ids["teller"]
    status, again, _ = bring(source, here, "--account")
    assert (status, again["not_copied"]) == (0, [])
    assert sum(kind["new"] for kind in again["counts"].values()) == 1 == again["counts"]["deployment"]["new"]
    status, third, _ = bring(source, here, "--account", TELLER)
    assert (status, {kind["new"] + kind["changed"] for kind in third["counts"].values()}) == (0, {0})
    with here.client() as client:
        made = client.post(
            "/v1/deployments/local/app/predictions", json={"input": {}}, headers={"prefer": "wait"}
        )
        assert made.json()["status"] == "succeeded"
        assert len(client.get("/v1/predictions").json()["results"]) == 5


def test_a_changed_page_is_brought_up_to_date(start_server: StartServer) -> None:
    source, here = start_server(), start_server()
    with source.client() as client:
        new = {"owner": "local", "name": "kite", "visibility": "public", "hardware": "cpu"}
        client.post("/v1/models", json=new).raise_for_status()
        assert bring(source, here, "local/kite")[1]["counts"]["model"]["new"] == 1
        client.patch("/v1/models/local/kite", json={"description": "Flies", "readme": "# Kite"})
    assert bring(source, here, "local/kite")[1]["counts"]["model"]["changed"] == 1
    with here.client() as client:
        model = client.get("/v1/models/local/kite").json()
        assert (model["description"], model["visibility"]) == ("Flies", "public")
        assert client.get("/v1/models/local/kite/readme").text == "# Kite"
    assert bring(source, here, "local/kite")[1]["counts"]["model"]["here"] == 1


@pytest.mark.parametrize("args", [["--account"], ["local/kite"]])
def test_a_wrong_token_is_a_sentence_and_copies_nothing(start_server: StartServer, args: list[str]) -> None:
    source, here = start_server(), start_server()
    done = subprocess.run(
        [sys.executable, "-m", "stoker", "import", "--from", source.base_url, "--token-file", "-", *args],
        env=os.environ | here.variables(),
        input="r8_wrong\n",
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "does not accept the token" in done.stderr.splitlines()[-1]
    with here.client() as client:
        assert client.get("/v1/models").json()["results"] == []
