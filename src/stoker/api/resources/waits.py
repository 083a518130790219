"""Why a prediction or training has not started yet (our own addition)."""

from typing import Any

from starlette.responses import Response

from stoker.api.endpoint import Request
from stoker.api.http import answers
from stoker.api.resources import predictions
from stoker.core.waiting import Wait


async def get(request: Request) -> Response:
    """GET /stoker/predictions/{id}/wait: whoever may see the prediction may know why it waits."""
    prediction = await predictions.own(request)
    wait = request.services.waits.of(prediction.id)
    return answers.json(
        {
            "id": prediction.id,
            "status": prediction.status,
            "priority": prediction.priority,
            "wait": wait and _describe(wait),
        }
    )


def _describe(wait: Wait) -> dict[str, Any]:
    boot = wait.boot
    return {
        "reason": wait.reason,
        "message": wait.message,
        "position": wait.position,
        "boot": boot and {"stage": boot.stage, "since_s": boot.since_s},
        "estimate_s": wait.estimate_s,
        "failures": wait.failures,
        "error": wait.error,
        "next_try_s": wait.next_try_s,
    }
