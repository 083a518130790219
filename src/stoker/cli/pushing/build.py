"""Turns uploaded files into a version: starts the build on the server and shows it as it goes on.

Used by push. The build's own words go to the screen; its outcome comes back as a value.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import click

from stoker.cli.pushing.source import Hashed
from stoker.cli.server import events
from stoker.cli.server.client import Api
from stoker.cli.terminal.screen import Screen


@dataclass(frozen=True)
class Built:
    id: str
    version: str
    """64 hex digits."""
    cached: bool
    """Whether the same version was there already."""
    warnings: tuple[str, ...]


def build(
    api: Api, model: str, files: Sequence[Hashed], *, strict: bool, checkpoint: str | None, screen: Screen
) -> Built:
    """Makes a version of the files; raises with what the server says is wrong where it cannot."""
    screen.phase("Building")
    wanted: dict[str, Any] = {"model": model, "files": [item.wire() for item in files], "strict": strict}
    if checkpoint is not None:
        wanted["checkpoint"] = checkpoint
    started = api.post("/stoker/builds", wanted)
    watch = _Watch(screen)
    url = f"{api.base_url}/v1/stoker/builds/{started['id']}/events"
    for event in events.follow(api, url, last=frozenset({"done", "error"}), with_token=True):
        watch.take(event)
    return watch.outcome(api, started["id"])


class _Watch:
    """What a build has told so far."""

    def __init__(self, screen: Screen):
        self._screen = screen
        self._warnings: list[str] = []
        self._end: dict[str, Any] = {}

    def take(self, event: events.Event) -> None:
        if event.kind == "log":
            for line in event.data.splitlines():
                self._screen.line(line)
            return
        told = json.loads(event.data)
        if event.kind == "progress":
            self._screen.phase(told["message"], total=told.get("total"), done=told.get("done") or 0)
        elif event.kind == "warning":
            self._warnings.append(told["message"])
            self._screen.line(f"Warning: {told['message']}")
        else:
            self._end = told

    def outcome(self, api: Api, id: str) -> Built:
        """The end as the events told it, else as the build itself has it."""
        if not self._end:
            state = api.get(f"/stoker/builds/{id}")
            self._end = {"version": state["version"], "detail": state["error"]}
        if version := self._end.get("version"):
            return Built(id, version, bool(self._end.get("cached")), tuple(self._warnings))
        raise click.ClickException(
            f"The build failed. {self._end.get('detail') or 'The server gives no reason.'}"
        )
