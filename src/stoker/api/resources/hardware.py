"""The hardware that models can ask for (section 5.3)."""

from starlette.responses import Response

from stoker.api.endpoint import Request
from stoker.api.http import answers
from stoker.core.hardware import HARDWARE


async def list_(request: Request) -> Response:
    """GET /hardware: a bare array, not a page."""
    return answers.json(HARDWARE)
