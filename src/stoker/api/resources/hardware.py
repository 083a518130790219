"""The hardware that models and deployments can ask for (section 5.3)."""

from starlette.responses import Response

from stoker.api.endpoint import Request
from stoker.api.http import answers
from stoker.api.services import Services
from stoker.core.errors import FieldProblem


async def list_(request: Request) -> Response:
    """GET /hardware: a bare array, not a page."""
    return answers.json([{"sku": one.sku, "name": one.name} for one in request.services.hardware])


def problems(services: Services, sku: str) -> list[FieldProblem]:
    """What is wrong with a body's ``hardware``: nothing where :func:`list_` gives it."""
    skus = [one.sku for one in services.hardware]
    if sku in skus:
        return []
    allowed = ", ".join(f'"{sku}"' for sku in sorted(skus))
    return [FieldProblem("enum", "hardware", f"hardware must be one of the following: {allowed}")]
