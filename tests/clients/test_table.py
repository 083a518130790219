"""Appendix A of the contract, cell by cell: what each published client calls, and which step calls it here.

A step is the beginning of a call in a story of that client; the client, unmodified, then makes the request.
"""

import ast
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

HERE = Path(__file__).parent
REFERENCE = HERE.parents[2] / "shared" / "reference" / "replicate-http-api.md"

Step = tuple[str, str]
"""The story, and what stands in it."""

PYTHON1: dict[str, list[Step]] = {
    "GET /account": [("test_models_versions_account_hardware_and_secret", "client.accounts.current()")],
    "GET /collections, /collections/{s}": [
        ("test_collections_search_examples_and_published_ids", "client.collections.list()"),
        ("test_collections_search_examples_and_published_ids", 'client.collections.get("images")'),
    ],
    "GET /hardware": [("test_models_versions_account_hardware_and_secret", "client.hardware.list()")],
    "GET /models": [("test_collections_search_examples_and_published_ids", "client.models.list()")],
    "QUERY /models": [("test_collections_search_examples_and_published_ids", "client.models.search(")],
    "POST /models": [("test_trainings", "client.models.create(")],
    "GET /models/O/N": [("test_models_versions_account_hardware_and_secret", "client.models.get(")],
    "DELETE /models/O/N": [("test_a_model_of_ones_own_is_deleted", "assert client.models.delete(")],
    "GET …/versions": [("test_models_versions_account_hardware_and_secret", "model.versions.list()")],
    "GET …/versions/{id}": [
        ("test_models_versions_account_hardware_and_secret", "model.versions.get(version)"),
        ("test_run_by_name_and_version", 'client.run(f"local/empty:{version}"'),
    ],
    "DELETE …/versions/{id}": [("test_a_model_of_ones_own_is_deleted", "model.versions.delete(version)")],
    "POST /models/O/N/predictions": [("test_run_by_name_alone", 'client.run("local/empty"')],
    "POST /predictions": [("test_background_reload_and_wait", "client.predictions.create(version=")],
    "POST /deployments/O/N/predictions": [
        ("test_deployments", "made.predictions.create("),
        ("test_deployments", "client.deployments.predictions.create("),
    ],
    "GET /predictions (list)": [
        ("test_pages", "replicate.paginate(client.predictions.list)"),
        ("test_pages", "client.predictions.list(pages[1].previous)"),
    ],
    "GET /predictions/{id}": [("test_background_reload_and_wait", "client.predictions.get(prediction.id)")],
    "POST /predictions/{id}/cancel": [("test_cancel", "prediction.cancel()")],
    "SSE urls.stream": [
        ("test_stream", "client.stream("),
        ("test_async_run_stream_and_create", "async_stream("),
    ],
    "GET/POST/PATCH/DELETE /deployments": [
        ("test_deployments", "client.deployments.list()"),
        ("test_deployments", "client.deployments.get("),
        ("test_deployments", "client.deployments.create("),
        ("test_deployments", "client.deployments.update("),
        ("test_deployments", "assert client.deployments.delete("),
    ],
    "POST …/trainings; GET /trainings[/id]; cancel": [
        ("test_trainings", "client.trainings.create("),
        ("test_trainings", "client.trainings.list()"),
        ("test_trainings", "client.trainings.get(slow.id)"),
        ("test_trainings", "slow.cancel()"),
    ],
    "POST/GET/DELETE /files": [
        ("test_files_api", "client.files.create("),
        ("test_files_api", "client.files.get("),
        ("test_files_api", "client.files.list()"),
        ("test_files_api", "client.files.delete("),
    ],
    "GET /webhooks/default/secret": [
        ("test_models_versions_account_hardware_and_secret", "client.webhooks.default.secret()")
    ],
}

PYTHON2: dict[str, list[Step]] = {
    "GET /account": [("account", "replicate.account.get()")],
    "GET /collections, /collections/{s}": [
        ("catalogue", "replicate.collections.list()"),
        ("catalogue", "replicate.collections.get("),
    ],
    "GET /hardware": [("catalogue", "replicate.hardware.list()")],
    "GET /models": [("catalogue", "models.list(**order)")],
    "QUERY /models": [("catalogue", "models.search(body=")],
    "POST /models": [("trainings", "replicate.models.create(")],
    "GET /models/O/N": [("catalogue", "models.get(")],
    "PATCH /models/O/N": [("own_models", "replicate.models.update(")],
    "DELETE /models/O/N": [("own_models", "replicate.models.delete(")],
    "GET …/readme, …/examples": [("catalogue", "models.readme.get("), ("catalogue", "models.examples.list(")],
    "GET …/versions": [
        ("own_models", "replicate.models.versions.list("),
        ("use", 'replicate.use("local/empty")'),
    ],
    "GET …/versions/{id}": [
        ("catalogue", "models.versions.get("),
        ("own_models", 'replicate.use(f"local/discarded-by-python2:'),
    ],
    "DELETE …/versions/{id}": [("own_models", "replicate.models.versions.delete(")],
    "POST /models/O/N/predictions": [("run", 'replicate.run("local/empty"')],
    "POST /predictions": [("background", "replicate.predictions.create(version=")],
    "POST /deployments/O/N/predictions": [("deployments", "replicate.deployments.predictions.create(")],
    "GET /predictions (list)": [
        ("pages", "replicate.predictions.list()"),
        ("pages", "replicate.predictions.list(created_before="),
        ("pages", "replicate.predictions.list(created_after="),
    ],
    "GET /predictions/{id}": [("background", "replicate.predictions.get(")],
    "POST /predictions/{id}/cancel": [("cancel", "replicate.predictions.cancel(")],
    "GET/POST/PATCH/DELETE /deployments": [
        ("deployments", "replicate.deployments.list()"),
        ("deployments", "replicate.deployments.get("),
        ("deployments", "replicate.deployments.create("),
        ("deployments", "replicate.deployments.update("),
        ("deployments", "replicate.deployments.delete("),
    ],
    "POST …/trainings; GET /trainings[/id]; cancel": [
        ("trainings", "replicate.trainings.create("),
        ("trainings", "replicate.trainings.list()"),
        ("trainings", "replicate.trainings.get("),
        ("trainings", "replicate.trainings.cancel("),
    ],
    "POST/GET/DELETE /files": [
        ("files_api", "replicate.files.create("),
        ("files_api", "replicate.files.get("),
        ("download", "replicate.files.list()"),
        ("files_api", "replicate.files.delete("),
    ],
    "GET /files/{id}/download": [("download", "replicate.files.download(")],
    "GET /webhooks/default/secret": [("account", "replicate.webhooks.default.secret.get()")],
    "GET /search": [("catalogue", "search(query=")],
}

JAVASCRIPT: dict[str, list[Step]] = {
    "GET /account": [("account", "replicate.accounts.current()")],
    "GET /collections, /collections/{s}": [
        ("catalogue", "replicate.collections.list()"),
        ("catalogue", "replicate.collections.get("),
    ],
    "GET /hardware": [("catalogue", "replicate.hardware.list()")],
    "GET /models": [("catalogue", "replicate.models.list()")],
    "QUERY /models": [("catalogue", "replicate.models.search(")],
    "POST /models": [("trainings", "replicate.models.create(")],
    "GET /models/O/N": [("catalogue", "replicate.models.get(")],
    "GET …/versions": [("account", "replicate.models.versions.list(")],
    "GET …/versions/{id}": [("catalogue", "replicate.models.versions.get(")],
    "POST /models/O/N/predictions": [("run", 'replicate.run("local/empty"')],
    "POST /predictions": [("background", "replicate.predictions.create({ version")],
    "POST /deployments/O/N/predictions": [("deployments", "deployments.predictions.create(")],
    "GET /predictions (list)": [
        ("background", "replicate.predictions.list()"),
        ("pages", "replicate.paginate(replicate.predictions.list)"),
    ],
    "GET /predictions/{id}": [("abort", "replicate.predictions.get(")],
    "POST /predictions/{id}/cancel": [("cancel", "replicate.predictions.cancel(")],
    "SSE urls.stream": [("stream", "replicate.stream(")],
    "GET/POST/PATCH/DELETE /deployments": [
        ("deployments", "deployments.list()"),
        ("deployments", "deployments.get("),
        ("deployments", "deployments.create("),
        ("deployments", "deployments.update("),
        ("deployments", "deployments.delete("),
    ],
    "POST …/trainings; GET /trainings[/id]; cancel": [
        ("trainings", "replicate.trainings.create("),
        ("trainings", "replicate.trainings.list()"),
        ("trainings", "replicate.trainings.get("),
        ("trainings", "replicate.trainings.cancel("),
    ],
    "POST/GET/DELETE /files": [
        ("filesApi", "replicate.files.create("),
        ("filesApi", "replicate.files.get("),
        ("filesApi", "replicate.files.list()"),
        ("filesApi", "replicate.files.delete("),
    ],
    "GET /webhooks/default/secret": [("account", "replicate.webhooks.default.secret.get()")],
}

CLIENTS = {"Py 1.0.7": PYTHON1, "Py 2.0.0b4": PYTHON2, "JS 1.4.0": JAVASCRIPT}


def cells() -> dict[str, set[str]]:
    """Client -> the operations that the reference says it calls."""
    table = REFERENCE.read_text().partition("## Appendix A")[2].partition("Inside the high-level")[0]
    head, _, *rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in table.splitlines()
        if line.startswith("|")
    ]
    return {
        client: {row[0] for row in rows if row[column].startswith("●")}
        for column, client in enumerate(head)
        if client in CLIENTS
    }


def python_stories(name: str) -> dict[str, str]:
    text = (HERE / name).read_text()
    functions = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef))
    return {function.name: ast.get_source_segment(text, function) or "" for function in functions}


def javascript_stories() -> dict[str, str]:
    found = re.findall(
        r"^  async (\w+)\(\) \{\n(.*?)^  \},$", (HERE / "javascript_story.mjs").read_text(), re.M | re.S
    )
    return dict(found)


def missing(steps: Mapping[str, list[Step]], stories: Mapping[str, str]) -> list[Step]:
    return [step for listed in steps.values() for step in listed if step[1] not in stories.get(step[0], "")]


@pytest.mark.skipif(not REFERENCE.exists(), reason="the reference is not beside this checkout")
@pytest.mark.parametrize("client", CLIENTS)
def test_each_cell_names_a_step(client: str) -> None:
    assert CLIENTS[client].keys() == cells()[client]


def test_the_steps_are_in_the_stories() -> None:
    assert missing(PYTHON1, python_stories("test_python1.py")) == []
    assert missing(PYTHON2, python_stories("python2_story.py")) == []
    assert missing(JAVASCRIPT, javascript_stories()) == []


@pytest.mark.parametrize(
    ("steps", "test"), [(PYTHON2, "test_python2.py"), (JAVASCRIPT, "test_javascript.py")], ids=["2", "js"]
)
def test_the_stories_are_played(steps: Mapping[str, list[Step]], test: str) -> None:
    played = set(re.findall(r'"(\w+)"', (HERE / test).read_text()))
    assert {story for listed in steps.values() for story, _ in listed} <= played
