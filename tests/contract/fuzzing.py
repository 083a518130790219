"""Schemathesis against a real server, by our own OpenAPI document: no 5xx, no answer outside the document.

``test_fuzz`` runs it briefly, ``make fuzz`` for longer. What it would not guess stands as examples in the
document that it gets: a model that runs, a prediction, a file and so on. It gets it as OpenAPI 3.2, which
knows QUERY.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import httpx

from stoker.api.openapi.document import document, operations, resolved
from stoker.api.resources.files import sign
from stoker.core.permissions import SCOPES
from tests.servers import StokerServer

MODEL = Path(__file__).parents[1] / "models" / "concatenate"
NAME = "local/fuzzed"
NEVER_EXPIRES = "99999999999"
NOWHERE = {
    "type": ["string", "null"],
    "pattern": "^http://127\\.0\\.0\\.1:9/",
    "examples": ["http://127.0.0.1:9/"],
}
"""Webhooks of the fuzzing: an address that the server refuses to call, and that nobody answers."""
NOT_THERE = {"type": "string", "pattern": "^/nowhere/[a-z]+$"}
"""Weights to fetch: a folder that does not exist."""
NOT_SAID = "positive_data_acceptance"
"""The one check that is left out: whether a version, a blob or a member exists is not in a schema."""

Node = dict[str, Any]
Values = dict[str, str]


class Fuzzed:
    """A server with something of everything, and a token of each scope."""

    def __init__(self, server: StokerServer, folder: Path):
        self._server = server
        self._folder = folder
        with server.client() as client:
            self._tokens = {
                scope: _made(client, "tokens", name=scope, scope=scope)["token"] for scope in SCOPES
            }
            self._document = _with_examples(server.base_url, *_things(server, client))

    def run(self, scope: str, *args: str) -> subprocess.CompletedProcess[str]:
        """One run of ``st run`` with a token of that scope; its exit status is 0 where nothing was found."""
        (self._folder / "document.json").write_text(json.dumps(self._document))
        command = [str(Path(sys.executable).parent / "st"), "--no-color", "run", "document.json"]
        command += ["--url", f"{self._server.base_url}/v1"]
        command += ["--header", f"Authorization: Bearer {self._tokens[scope]}"]
        command += [
            "--checks",
            "all",
            "--exclude-checks",
            NOT_SAID,
            "--continue-on-failure",
            "--warnings",
            "off",
        ]
        # It leaves files where it runs.
        return subprocess.run([*command, *args], cwd=self._folder, capture_output=True, text=True)


@contextmanager
def fuzzed(folder: Path) -> Iterator[Fuzzed]:
    """The server is new, and ends with the block."""
    server = StokerServer(folder / "data").start()
    try:
        yield Fuzzed(server, folder)
    finally:
        server.stop()


def _things(server: StokerServer, client: httpx.Client) -> tuple[Values, list[tuple[str, Values]]]:
    """Examples by name for everywhere, and by name for the paths that begin in some way."""
    owner, name = NAME.split("/")
    new = {"owner": owner, "name": name, "visibility": "public", "hardware": "cpu"}
    client.post("/v1/models", json=new).raise_for_status()
    version = server.push(MODEL, NAME)
    wait = {"prefer": "wait"}
    body = {"version": version, "input": {}}
    run = client.post("/v1/predictions", json=body, headers=wait).raise_for_status().json()
    file = client.post("/v1/files", files={"content": b"bytes"}).raise_for_status().json()
    deployed = {"name": "app", "model": NAME, "version": version, "hardware": "cpu"}
    deployed |= {"min_instances": 0, "max_instances": 1}
    client.post("/v1/deployments", json=deployed).raise_for_status()
    _made(client, "collections", slug="all", name="All")
    _made(client, "accounts", username="team", type="organization")
    _made(client, "accounts", username="mia")
    key = client.get("/v1/stoker/files-secret").json()["key"]
    signed = {
        "owner": owner,
        "expiry": NEVER_EXPIRES,
        "signature": sign(key, owner, file["id"], NEVER_EXPIRES),
    }
    everywhere = {
        "owner": owner,
        "name": name,
        "slug": "all",
        "key": run["urls"]["stream"].rpartition("/")[2],
    }
    by_path = [
        ("/predictions/", {"id": run["id"]}),
        ("/files/{id}/download", {"id": file["id"], **signed}),
        ("/files/", {"id": file["id"]}),
        ("/deployments/", {"name": "app"}),
        ("/stoker/tokens/", {"id": _made(client, "tokens", name="spare")["id"]}),
        ("/stoker/accounts/", {"name": "team", "member": "mia"}),
        ("/stoker/models/{owner}/{name}/examples/", {"id": run["id"]}),
        ("/", {"id": version, "sha256": version}),
    ]
    return everywhere, by_path


def _made(client: httpx.Client, what: str, **fields: Any) -> Any:
    return client.post(f"/v1/stoker/{what}", json=fields).raise_for_status().json()


def _with_examples(base: str, everywhere: Values, by_path: list[tuple[str, Values]]) -> Node:
    """The document, with things that exist as its examples."""
    made = document(base=base, version="0")
    for path, item in made["paths"].items():
        here = everywhere | next(values for start, values in by_path if path.startswith(start))
        for node in [item, *(found.node for found in operations(made) if found.path == path)]:
            parameters = [resolved(made, parameter) for parameter in node.pop("parameters", [])]
            node["parameters"] = [_with_example(parameter, here) for parameter in parameters]
    schemas = made["components"]["schemas"]
    schemas["Sha256"]["examples"] = [next(values["sha256"] for _, values in by_path if "sha256" in values)]
    schemas["ModelRef"]["examples"] = [NAME]
    schemas["NewPrediction"]["properties"]["version"]["examples"] = [NAME]
    schemas["NewCheckpoint"]["properties"]["source"] = NOT_THERE
    schemas["Webhook"] = schemas["WebhookCompleted"] = NOWHERE
    return _as_openapi_3_2(made)


def _as_openapi_3_2(made: Node) -> Node:
    """What that version knows is no extension any more."""
    made["openapi"] = "3.2.0"
    made["paths"]["/models"]["query"] = made["paths"]["/models"].pop("x-query")
    for found in operations(made):
        for response in found.node["responses"].values():
            events = resolved(made, response).get("content", {}).get("text/event-stream", {})
            if "x-itemSchema" in events:
                events["itemSchema"] = events.pop("x-itemSchema")
                del events["schema"]
    return made


def _with_example(parameter: Node, values: Values) -> Node:
    if parameter["name"] not in values or parameter["in"] == "header":
        return parameter
    return parameter | {"schema": parameter["schema"] | {"examples": [values[parameter["name"]]]}}


@click.command()
@click.option("--examples", default=100, show_default=True, help="Most cases of each kind for an operation.")
@click.option("--seed", type=int, help="That of an earlier run, to have it again.")
def main(examples: int, seed: int | None) -> None:
    """Fuzz a new server with a token of each scope."""
    again = [] if seed is None else ["--seed", str(seed)]
    worst = 0
    with tempfile.TemporaryDirectory() as folder, fuzzed(Path(folder)) as world:
        for scope in SCOPES:
            click.echo(f"With a token of the scope {scope}:")
            done = world.run(scope, "--max-examples", str(examples), *again)
            click.echo(done.stdout + done.stderr)
            worst = max(worst, done.returncode)
    sys.exit(worst)


if __name__ == "__main__":
    main()
