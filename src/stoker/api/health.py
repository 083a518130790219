"""Whether the server answers, and what runs on it. Open to everyone."""

from importlib.metadata import version

from starlette.responses import Response

from stoker.api import answers
from stoker.api.endpoint import Request

VERSION = version("stoker")


async def get(request: Request) -> Response:
    """GET /health"""
    instances = request.services.dispatcher.instances()
    return answers.json({"status": "ok", "version": VERSION, "instances": instances})
