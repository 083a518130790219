"""Why a prediction has not started, in the words of the moving line: what ``follow`` and ``show`` ask."""

from typing import Any
from urllib.parse import quote

import click

from stoker.cli.server.client import Api

_WORDS = {
    "files": "Fetching input files",
    "queue": "Waiting in the queue",
    "boot": "Starting the model",
    "room": "Waiting for room on the machine",
    "paused": "Waiting to start the model again",
    "stopping": "Waiting for the server's next start",
}


def wait_of(api: Api, id: str) -> dict[str, Any] | None:
    """What the server says of it; None where it does not wait, or another kind of server does not know."""
    try:
        told = api.find(f"/stoker/predictions/{quote(id, safe='')}/wait")
    except click.ClickException:
        return None
    return told.get("wait") if isinstance(told, dict) else None


def cause(wait: dict[str, Any]) -> tuple[str, str]:
    """What makes it another wait than before: the numbers alone do not."""
    return wait["reason"], (wait.get("boot") or {}).get("stage", "")


def words(wait: dict[str, Any]) -> str:
    """``Waiting in the queue, 3 before it (about 12 s)``"""
    reason, stage = cause(wait)
    said = _WORDS.get(reason) or str(wait["message"])
    before = (wait.get("position") or 1) - 1
    if reason == "boot" and stage:
        said += f": {stage}"
    elif reason == "queue" and before:
        said += f", {before} before it"
    elif reason == "paused" and wait.get("error"):
        said += f": {wait['error']}"
    estimate_s = wait.get("estimate_s")
    return f"{said} (about {max(round(estimate_s), 1)} s)" if estimate_s is not None else said
