"""Where the time of the latest boots went (GET /v1/stoker/boots), for those who may see what was booted."""

from typing import Any

from starlette.responses import Response

from stoker.api.endpoint import Request
from stoker.api.http import answers
from stoker.api.resources.health import may_see
from stoker.api.wire import time_text
from stoker.runtime.boots import Boot


async def list_(request: Request) -> Response:
    """GET /stoker/boots?model=owner/name: newest first, as far as the server remembers."""
    services = request.services
    found = [boot_object(boot) for boot in services.boots.latest(model=request.query_params.get("model"))]
    caller = request.caller
    return answers.json({"results": [boot for boot in found if await may_see(request, caller, boot)]})


def boot_object(boot: Boot) -> dict[str, Any]:
    return {
        "model": boot.version.model,
        "version": boot.version.id,
        "deployment": boot.pool.deployment,
        "training": boot.pool.training,
        "instance": boot.instance,
        "wanted_at": time_text(boot.wanted_us),
        "start": boot.start,
        "stage": boot.stage,
        "seconds": {stage: round(us / 1e6, 3) for stage, us in boot.took_us.items()},
        "error": boot.error,
    }
