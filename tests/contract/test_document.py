"""The OpenAPI document: valid, complete, served, and as strict as what it describes."""

import json
import re
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest
import schemathesis
from starlette.routing import Route

from stoker.api.creation import ModelBody, TrainingBody, VersionBody
from stoker.api.endpoint import READING, Endpoint
from stoker.api.imported import DescribedVersion, PastExample, PastRun
from stoker.api.openapi.document import document, operations, resolved
from stoker.api.resources import (
    accounts,
    aliases,
    builds,
    collections,
    deployments,
    examples,
    imports,
    lifetimes,
    members,
    models,
    scales,
    sources,
    tokens,
)
from stoker.api.routes import routes
from stoker.core.checkpoints import Wanted
from stoker.core.permissions import NEEDS
from tests.contract.platform import TOKEN, Platform
from tests.contract.shapes import RECORDINGS, Recordings
from tests.contract.story import story
from tests.documented import DOCUMENT, OPERATIONS, misfits, plain, problems

CONTRACT = Path(__file__).parents[3] / "shared" / "reference" / "replicate-http-api.md"
HOW = (
    "A route is described under `paths` of the YAML file of its resource in src/stoker/api/openapi (a new "
    "file is found by itself), in the spelling of api/routes.py, a QUERY as `x-query`. 401, 429, 500 and the "
    "headers of limits are added by themselves; every other status, and the scope where it is not `read`, is "
    "yours to write; tests/contract/statuses.py brings each about. docs/architecture/extensions.md says more."
)
BODIES: dict[str, type[msgspec.Struct]] = {
    "predictions.create": VersionBody,
    "models.predictions.create": ModelBody,
    "deployments.predictions.create": ModelBody,
    "trainings.create": TrainingBody,
    "models.create": models.NewModel,
    "models.update": models.ModelChange,
    "deployments.create": deployments.NewDeployment,
    "deployments.update": deployments.DeploymentChange,
    "stoker.aliases.put": aliases.NewAliases,
    "stoker.examples.create": examples.NewExample,
    "stoker.collections.create": collections.NewCollection,
    "stoker.collections.update": collections.CollectionChange,
    "stoker.accounts.scale.update": scales.ScaleChange,
    "stoker.models.scale.update": scales.ScaleChange,
    "stoker.versions.scale.update": scales.ScaleChange,
    "stoker.deployments.scale.update": scales.ScaleChange,
    "stoker.blobs.missing": sources.Asked,
    "stoker.builds.create": builds.NewBuild,
    "stoker.checkpoints.create": Wanted,
    "stoker.accounts.create": accounts.NewAccount,
    "stoker.accounts.update": accounts.AccountChange,
    "stoker.members.put": members.NewMember,
    "stoker.cache.put": lifetimes.NewLifetime,
    "stoker.tokens.create": tokens.NewToken,
    "stoker.versions.put": DescribedVersion,
    "stoker.predictions.missing": imports.Asked,
    "stoker.predictions.put": PastRun,
    "stoker.trainings.put": PastRun,
    "stoker.examples.put": PastExample,
    "stoker.accounts.webhook.secret.put": accounts.WebhookSecret,
}
"""What each operation's JSON body is read as; ``models.search`` reads text, OpenAI's what a model has."""

Node = dict[str, Any]


def served() -> dict[tuple[str, str], Endpoint]:
    found: dict[tuple[str, str], Endpoint] = {}
    for route in routes(None):  # type: ignore[arg-type]
        assert isinstance(route, Route) and isinstance(route.app, Endpoint)
        found |= {(method, plain(route.path)): route.app for method in route.app.methods}
    return found


def references(node: Any) -> Iterator[str]:
    """Everything that is referred to."""
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for member in node.values():
            yield from references(member)
    elif isinstance(node, list):
        for member in node:
            yield from references(member)


def schema_of(operation_id: str) -> Node:
    """Of an operation's JSON body."""
    (node,) = (node for node in OPERATIONS.values() if node["operationId"] == operation_id)
    return resolved(DOCUMENT, node["requestBody"]["content"]["application/json"]["schema"])


def test_it_is_valid() -> None:
    schemathesis.openapi.from_dict(document(base="http://127.0.0.1", version="0")).validate()


def test_openapi_3_1_would_not_take_query() -> None:
    """Why it is an extension; and the check above can fail."""
    changed = document(base="http://127.0.0.1", version="0")
    changed["paths"]["/models"]["query"] = changed["paths"]["/models"].pop("x-query")
    with pytest.raises(jsonschema_rs.ValidationError, match="'query' was unexpected"):
        schemathesis.openapi.from_dict(changed).validate()


def test_every_route_is_in_it_and_nothing_else() -> None:
    missing = sorted(served().keys() - OPERATIONS.keys())
    assert not missing, f"not in the document: {missing}. {HOW}"
    gone = sorted(OPERATIONS.keys() - served().keys())
    assert not gone, (
        f"in the document, but not in api/routes.py: {gone}. Take it out of src/stoker/api/openapi."
    )


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_an_operation_asks_for_the_token_that_its_route_asks_for(method: str, path: str) -> None:
    access = served()[method, path].access
    scope = NEEDS[access.reads if method in READING else access.writes]
    said = OPERATIONS[method, path].get("security", DOCUMENT["security"])
    assert [{"bearer": [scope]}] == said or (access.open and said in ([], [{}, {"bearer": ["read"]}]))


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_an_operation_is_described(method: str, path: str) -> None:
    node = OPERATIONS[method, path]
    assert node["summary"]
    assert set(node["tags"]) <= {tag["name"] for tag in DOCUMENT["tags"]}
    shared = DOCUMENT["paths"][path].get("parameters", [])
    given = [resolved(DOCUMENT, one) for one in [*shared, *node.get("parameters", [])]]
    assert re.findall(r"{(\w+)}", path) == [one["name"] for one in given if one["in"] == "path"]
    read_as_json = "application/json" in node.get("requestBody", {}).get("content", {})
    if not path.startswith("/openai/"):
        named = node["operationId"] in {*BODIES, "models.search"}
        assert read_as_json == named, "BODIES above names the body's type"


@pytest.mark.parametrize("operation_id", BODIES)
def test_a_body_has_the_fields_that_are_read(operation_id: str) -> None:
    schema = schema_of(operation_id)
    fields = msgspec.structs.fields(BODIES[operation_id])
    assert schema["additionalProperties"] is False
    assert schema["properties"].keys() == {field.encode_name for field in fields}
    assert set(schema.get("required", [])) == {field.encode_name for field in fields if field.required}


def test_ids_are_unique_and_every_component_is_used() -> None:
    ids = [node["operationId"] for node in OPERATIONS.values()]
    assert len(ids) == len(set(ids))
    used = set(references(DOCUMENT))
    parts = {
        f"#/components/{kind}/{name}"
        for kind, found in DOCUMENT["components"].items()
        if kind != "securitySchemes"
        for name in found
    }
    assert used == parts
    linked = {
        link["operationId"]
        for node in OPERATIONS.values()
        for response in node["responses"].values()
        for link in resolved(DOCUMENT, response).get("links", {}).values()
    }
    assert linked <= set(ids)


def test_examples_fit_their_schemas() -> None:
    for name, schema in DOCUMENT["components"]["schemas"].items():
        for example in schema.get("examples", []):
            assert misfits({"$ref": f"#/components/schemas/{name}"}, json.dumps(example).encode()) == [], name


@pytest.mark.skipif(not CONTRACT.exists(), reason="the contract is not beside this checkout")
def test_it_has_every_operation_of_replicate_by_its_name() -> None:
    rows = re.findall(
        r"^\| \d+ \| ([\w.]+)[^|]*\| ([A-Z]+) `([^`?]+)[^`]*` \|", CONTRACT.read_text(), re.MULTILINE
    )
    assert len(rows) == 37
    theirs = {(method, path.replace("{O}/{N}", "{owner}/{name}")): name for name, method, path in rows}
    ours = {key: node["operationId"] for key, node in OPERATIONS.items() if key in theirs}
    assert ours == theirs


@pytest.mark.skipif(not RECORDINGS.exists(), reason="the recordings are not beside this checkout")
def test_it_has_every_answer_that_was_recorded() -> None:
    """Each key that every recording has is required where we name them all; its type is one that was seen."""
    checked = 0
    for record in Recordings().records():
        path = re.sub(r"{\w+_id}", "{id}", record["path"].removeprefix("/v1"))
        node = OPERATIONS.get((record["method"], path))
        # A create is 201 here, also where its wait ran out.
        if node is None or record["status"] not in (200, 201) or "body" not in record["response"]:
            continue
        media = resolved(DOCUMENT, node["responses"][str(record["status"])])["content"]["application/json"]
        assert differences(media["schema"], record["response"]["body"], path) == []
        checked += 1
    assert checked > 20


def differences(schema: Node, shape: Node, at: str) -> list[str]:
    schema = merged(schema)
    found = [] if fits(schema, shape) else [f"{at} is {schema.get('type')}, recorded as {shape['types']}"]
    known = schema.get("properties", {})
    for name, member in shape.get("keys", {}).items():
        if name in known:
            found += differences(known[name], member, f"{at}.{name}")
    if "items" in schema and "items" in shape:
        found += differences(schema["items"], shape["items"], f"{at}[]")
    if schema.get("additionalProperties") is not False:
        return found
    missing = always(shape) - set(schema.get("required", []))
    return found + [f"{at}.{name} is not required" for name in sorted(missing)]


def always(shape: Node) -> set[str]:
    """The keys that every recording has."""
    return {
        name
        for name, member in shape.get("keys", {}).items()
        if member.get("presence") == "always" and not Recordings().is_legacy(name, member)
    }


def fits(schema: Node, shape: Node) -> bool:
    """Whether the schema's type is one that was recorded, but for null."""
    said = schema.get("type", "string" if "enum" in schema else [])
    ours = {said} if isinstance(said, str) else set(said)
    seen = set(shape["types"]) | (
        {"integer", "number"} if {"integer", "number"} & set(shape["types"]) else set()
    )
    return not ours - {"null"} or bool(ours & seen) or seen <= {"null", "any"}


def merged(schema: Node) -> Node:
    """The schema with what it refers to; of a choice, what is not null."""
    if "oneOf" in schema:
        schema = next(one for one in schema["oneOf"] if one.get("type") != "null")
    if "$ref" not in schema:
        return schema
    below = merged(resolved(DOCUMENT, {"$ref": schema["$ref"]}))
    properties = below.get("properties", {}) | {
        name: {**below.get("properties", {}).get(name, {}), **member}
        for name, member in schema.get("properties", {}).items()
    }
    return {**below, **({"properties": properties} if properties else {})}


@story
async def test_it_is_served_to_everyone_with_our_own_address(p: Platform) -> None:
    for path in ("/openapi.json", "/v1/openapi.json", "/v1/v1/openapi.json"):
        answer = await p.anonymous.get(p.base + path, headers={"origin": "https://docs.example"})
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["access-control-allow-origin"] == "*"
        told = answer.json()
        assert told["servers"] == [{"url": f"{p.base}/v1"}]
        assert told["info"]["version"] == version("stoker")
        assert {(found.method, found.path) for found in operations(told)} == OPERATIONS.keys()
    stranger = {"authorization": f"Bearer {TOKEN}-not"}
    assert (await p.anonymous.get("/openapi.json", headers=stranger)).status_code == 200


@story
async def test_answers_outside_the_document_are_told(p: Platform) -> None:
    """What holds every answer of these tests against the document can fail."""
    good = await p.client.get("/account")
    assert problems(good) == []
    for change, told in (
        ({"status_code": 418}, "the status 418"),
        ({"_content": b'{"type":"user"}'}, '"username" is a required property'),
        ({"_content": good.content.replace(b'"user"', b'"robot"')}, "is not one of"),
        ({"_content": b"{"}, "it is no JSON"),
        ({"headers": {"content-type": "text/html"}}, "its content type is text/html"),
        ({"headers": {**good.headers, "ratelimit-reset": "soon"}}, "the header ratelimit-reset"),
    ):
        answer = await p.client.get("/account")
        vars(answer).update({k: type(good.headers)(v) if k == "headers" else v for k, v in change.items()})
        assert any(told in problem for problem in problems(answer)), (told, problems(answer))
