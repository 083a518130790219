"""Holds answers against the OpenAPI document: ``hold`` and ``hold_async`` are response hooks of httpx.

Every client that the contract tests' platform or a test's server hands out has one, so that whatever a test
receives is held against the document as well.
"""

import json
import re
from functools import cache
from typing import Any
from urllib.parse import unquote

import httpx
import jsonschema_rs

from stoker.api.http.paths import canonical
from stoker.api.openapi.document import document, operations, resolved
from stoker.api.routes import routes

WHERE = "src/stoker/api/openapi/ has a YAML file for each resource"
READ = ("application/json", "application/problem+json", "text/plain", "")
"""What is read to its end before it is passed on; streams of events and bytes are not."""
FROM_THE_SERVER = {"application/json", "application/problem+json"}

Node = dict[str, Any]


def plain(route: str) -> str:
    """A route's path as the document spells it, without what its parameters match."""
    return re.sub(r":\w+}", "}", route)


DOCUMENT = document(base="http://127.0.0.1", version="0")
OPERATIONS = {(found.method, found.path): found.node for found in operations(DOCUMENT)}
ROUTES = [(route.path_regex, plain(route.path)) for route in routes(None)]  # type: ignore[arg-type]


def hold(response: httpx.Response) -> None:
    """For ``httpx.Client``."""
    if is_read(response):
        response.read()
    check(response)


async def hold_async(response: httpx.Response) -> None:
    """For ``httpx.AsyncClient``."""
    if is_read(response):
        await response.aread()
    check(response)


def is_read(response: httpx.Response) -> bool:
    return kind_of(response) in READ


def kind_of(message: httpx.Response | httpx.Request) -> str:
    return message.headers.get("content-type", "").partition(";")[0]


def check(response: httpx.Response) -> None:
    """Fails the test whose request was answered otherwise than the document says."""
    asked = f"{response.request.method} {response.request.url.path}"
    found = list(problems(response))
    text = response.text[:2000] if is_read(response) else ""
    assert not found, f"{asked}: {'; '.join(found[:5])} ({WHERE})\n{text}"


def problems(response: httpx.Response) -> list[str]:
    """What is not as the document says; empty where all is."""
    method, path = response.request.method, template(response.request.url)
    if path is None:
        name = "OpenAIError" if canonical(response.request.url.path).startswith("/openai/v1/") else "NotFound"
        return of_answer(response, {"$ref": f"#/components/responses/{name}"})
    node = OPERATIONS.get((method, path)) or (OPERATIONS.get(("GET", path)) if method == "HEAD" else None)
    if node is None:
        return of_other_method(response)
    status = str(response.status_code)
    if status not in node["responses"]:
        return [f"{path} does not have the status {status} among its responses"]
    found = of_answer(response, node["responses"][status])
    return found + of_request(response.request, node, path) if response.is_success else found


def template(url: httpx.URL) -> str | None:
    """The route's path."""
    path = canonical(unquote(url.path))
    return next((template for regex, template in ROUTES if regex.match(path)), None)


def of_other_method(response: httpx.Response) -> list[str]:
    """What the head of the document says about methods that a path does not list."""
    if "allow" not in response.headers:
        return ["a method that is not listed was answered without Allow"]
    if response.request.method == "OPTIONS":
        return [] if (response.status_code, response.content) == (204, b"") else ["OPTIONS is not 204"]
    return [] if response.status_code == 405 else ["it is not 405"]


def of_answer(response: httpx.Response, node: Node) -> list[str]:
    node = resolved(DOCUMENT, node)
    found = [
        text for name, header in node.get("headers", {}).items() for text in of_header(response, name, header)
    ]
    is_head = response.request.method == "HEAD"
    content: Node = node.get("content", {})
    kind = kind_of(response)
    if not content:
        return found if not is_read(response) or not response.content else [*found, "there is a body"]
    media = content.get(kind, content.get("*/*"))
    if media is None:
        return [*found, f"its content type is {kind or 'missing'}"]
    if kind not in FROM_THE_SERVER or is_head or "schema" not in media:
        return found
    return found + misfits(media["schema"], response.content)


def of_header(response: httpx.Response, name: str, header: Node) -> list[str]:
    header = resolved(DOCUMENT, header)
    value = response.headers.get(name)
    if value is None:
        return [f"the header {name} is missing"] if header.get("required") else []
    schema: Node = header["schema"]
    is_number = schema.get("type") == "integer" or isinstance(schema.get("const"), int)
    text = value if is_number and value.isdigit() else json.dumps(value)
    return [f"the header {name}: {text}" for text in misfits(schema, text.encode())]


def of_request(request: httpx.Request, node: Node, path: str) -> list[str]:
    """What was accepted must be documented, too."""
    shared: list[Node] = DOCUMENT["paths"][path].get("parameters", [])
    parameters = [resolved(DOCUMENT, one) for one in [*shared, *node.get("parameters", [])]]
    known = {one["name"] for one in parameters if one["in"] == "query"}
    # What a GET is not asked for is ignored, and clients may send what they like.
    found = [
        f"the parameter {name} is not documented" for name in request.url.params if name in LEARNT - known
    ]
    media = node.get("requestBody", {}).get("content", {}).get("application/json", {})
    if "schema" not in media or node["operationId"] == "models.search" or not hasattr(request, "_content"):
        return found
    return found + [f"the request: {text}" for text in misfits(media["schema"], request.content)]


LEARNT = {
    resolved(DOCUMENT, parameter)["name"]
    for node in [*DOCUMENT["paths"].values(), *OPERATIONS.values()]
    for parameter in node.get("parameters", [])
}
"""Every parameter that means something anywhere."""


def misfits(schema: Node, body: bytes) -> list[str]:
    """How the JSON does not fit the schema."""
    try:
        value = json.loads(body)
    except ValueError as error:
        return [f"it is no JSON: {error}"]
    errors = validator(json.dumps(schema)).iter_errors(value)
    return [
        f"{'.'.join(map(str, error.instance_path)) or 'the body'}: {error.message[:300]}" for error in errors
    ]


@cache
def validator(schema: str) -> jsonschema_rs.Draft202012Validator:
    whole = json.loads(schema) | {"components": {"schemas": DOCUMENT["components"]["schemas"]}}
    return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
