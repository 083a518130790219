"""A team moves to a server on which it has another name, and an organisation moves with its own token.

What is copied, what is not, and what is said about it. ``test_import`` has a move under the same name.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx
import pytest

from tests.conftest import MODELS, StartServer
from tests.scenarios.api import Json, ended, run
from tests.scenarios.test_import import bring
from tests.scenarios.test_trainings import text
from tests.servers import StokerServer

SCALE = {"hardware": "cpu", "min_instances": 0, "max_instances": 1}


class Team(NamedTuple):
    """What the account local and the organisation team have at the source."""

    server: StokerServer
    teams_token: str
    tune: str
    shared: str
    training: Json
    runs: list[str]
    teams_run: str


def post(client: httpx.Client, path: str, **body: Any) -> Any:
    return client.post(f"/v1{path}", json=body).raise_for_status().json()


def token_of(client: httpx.Client, account: str) -> str:
    return str(post(client, "/stoker/tokens", name="moving", account=account)["token"])


@pytest.fixture
def team(start_server: StartServer) -> Iterator[Team]:
    """The account ran its own model and the team's, trained one, and both have a deployment."""
    source = start_server()
    with source.client() as client:
        post(client, "/stoker/accounts", username="team", type="organization")
        client.put("/v1/stoker/accounts/team/members/local", json={"role": "admin"}).raise_for_status()
        model = {"visibility": "private", "hardware": "cpu"}
        post(client, "/models", owner="team", name="shared", **model)
        post(client, "/models", owner="local", name="tuned", **model)
        tune = source.push(MODELS / "training", "local/tune")
        shared = source.push(MODELS / "empty", "team/shared")
        given = {"destination": "local/tuned", "input": {"text": text("ab")}}
        training = post(client, f"/models/local/tune/versions/{tune}/trainings", **given)
        training = ended(client, training["id"])
        runs = [run(client, tune, {"text": "x"})["id"], run(client, shared, {"text": "y"})["id"]]
        for name, ref, version in (("own", "local/tune", tune), ("team/app", "team/shared", shared)):
            post(client, "/deployments", name=name, model=ref, version=version, **SCALE)
        token = token_of(client, "team")
        client.headers["authorization"] = f"Bearer {token}"
        teams_run = run(client, shared, {"text": "z"})["id"]
        yield Team(source, token, tune, shared, training, runs, teams_run)


def new(told: Json) -> dict[str, int]:
    return {kind: counts["new"] for kind, counts in told["counts"].items() if counts["new"]}


def left(told: Json) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in told["not_copied"]:
        found.setdefault(one["kind"], []).extend(one["names"])
    return found


def test_an_operator_of_another_name_gets_all_of_it_under_the_old_names(
    team: Team, start_server: StartServer
) -> None:
    here = start_server("--account", "studio")
    status, told, said = bring(team.server, here, "--account")
    assert (status, left(told)) == (1, {"deployment": ["studio/own"]}), said
    assert "without its code" in said
    assert new(told) == {"prediction": 2, "training": 1, "model": 2, "version": 2, "file": 2}
    with here.client() as client:
        names = {(one["owner"], one["name"]) for one in client.get("/v1/models").json()["results"]}
        assert names == {("local", "tune"), ("local", "tuned")}  # the team's is the team's, though it was run
        assert client.get("/v1/models/team/shared").status_code == 404
        runs = {one["id"]: one for one in client.get("/v1/predictions").json()["results"]}
        assert sorted(runs) == sorted(team.runs)
        assert [runs[id]["model"] for id in team.runs] == ["local/tune", "team/shared"]
        check_training(client, team)
        assert here.push(MODELS / "training", "local/tune") == team.tune
        status, told, said = bring(team.server, here, "--account")
        assert (status, new(told), left(told)) == (0, {"deployment": 1}, {}), said
        done = client.post("/v1/deployments/studio/own/predictions", json={"input": {"text": "z"}})
        assert ended(client, done.json()["id"])["output"] == "z"


def check_training(client: httpx.Client, team: Team) -> None:
    """As it was, and what it made is there: the weights' bytes here, the version without its code."""
    (listed,) = client.get("/v1/trainings").json()["results"]
    training = client.get(f"/v1/trainings/{listed['id']}").json()
    for key in ("id", "model", "version", "logs", "metrics", "status", "created_at", "completed_at"):
        assert training[key] == team.training[key], key
    assert training["output"]["version"] == team.training["output"]["version"]
    assert training["output"]["weights"].startswith(str(client.base_url))
    assert httpx.get(training["output"]["weights"]).text == "ab"
    ref, _, id = training["output"]["version"].partition(":")
    version = client.get(f"/v1/models/{ref}/versions/{id}").json()
    assert version["imported_from"] == team.server.base_url
    assert client.get(f"/v1/predictions/{training['id']}").json()["id"] == training["id"]


def test_an_organisations_things_come_with_its_own_token_and_go_to_its_namesake(
    team: Team, start_server: StartServer
) -> None:
    here = start_server("--account", "studio")
    with here.client() as client:
        post(client, "/stoker/accounts", username="team", type="organization")
        post(client, "/stoker/accounts", username="ann")
        client.put("/v1/stoker/accounts/team/members/ann", json={"role": "admin"}).raise_for_status()
        ann = token_of(client, "ann")
        tokens = {"REPLICATE_API_TOKEN": ann, "STOKER_IMPORT_TOKEN": team.teams_token}
        client.headers["authorization"] = f"Bearer {ann}"
        status, told, said = bring(team.server, here, "--account", **tokens)
        assert (status, left(told)) == (1, {"deployment": ["team/app"]}), said
        assert new(told) == {"prediction": 1, "model": 1, "version": 1}
        (made,) = client.get("/v1/predictions").json()["results"]
        assert (made["id"], made["output"]) == (team.teams_run, "z")
        shown = client.get("/v1/models/team/shared").json()
        assert (shown["owner"], shown["latest_version"]["id"]) == ("team", team.shared)
        pushed = here.stoker("push", str(MODELS / "empty"), "team/shared", REPLICATE_API_TOKEN=ann)
        assert pushed.returncode == 0, pushed.stderr
        status, told, said = bring(team.server, here, "--account", **tokens)
        assert (status, new(told)) == (0, {"deployment": 1}), said
        assert client.get("/v1/deployments/team/app").json()["current_release"]["version"] == team.shared


def test_an_ordinary_account_gets_the_runs_and_hears_why_it_gets_no_more(
    team: Team, start_server: StartServer
) -> None:
    here = start_server("--account", "studio")
    with here.client() as client:
        post(client, "/stoker/accounts", username="ann")
        ann = {"REPLICATE_API_TOKEN": token_of(client, "ann")}
        status, told, said = bring(team.server, here, "--account", **ann)
        assert (status, new(told)) == (1, {"prediction": 2, "training": 1, "file": 2})
        assert left(told) == {"model": ["local/tune", "local/tuned"], "deployment": ["ann/own"]}
        assert "Your account may not create models of local." in said
        assert client.get("/v1/predictions").json()["results"] == []  # the operator's: none of it is theirs
        status, again, _ = bring(team.server, here, "--account", **ann)
        assert (status, new(again), left(again)) == (1, {}, left(told))
        # Whoever comes second with the same runs is told that they are somebody's already.
        status, told, said = bring(team.server, here, "--account")
        assert sorted(left(told)["prediction"]) == sorted(team.runs)
        assert "Another prediction has this id." in said
