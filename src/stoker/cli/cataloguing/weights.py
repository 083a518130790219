"""Weights on their way to the server: says what is wanted, and shows how far the server's fetch is.

Used by ``stoker catalog add``. The bytes go from hub or folder to the server's cache, never through here.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from stoker.cli.server import events
from stoker.cli.server.client import Api
from stoker.cli.terminal import text
from stoker.cli.terminal.screen import Screen
from stoker.core.checkpoints import is_hub_id


@dataclass(frozen=True)
class Fetched:
    checkpoint: str
    cached: bool
    """Whether it was there already."""


def source_of(weights: str) -> str:
    """What ``--weights`` names: the absolute path of a folder, else a hub id."""
    folder = Path(weights).expanduser()
    if folder.is_dir():
        return str(folder.resolve())
    if folder.is_file():
        raise click.ClickException(f"{weights} is a file: name the folder that it is in.")
    if folder.is_absolute():  # on the server's machine, which may be another one
        return str(folder)
    if is_hub_id(weights):
        return weights
    raise click.ClickException(f"{weights} is neither a folder here nor a model of the hub (org/name).")


def fetch(api: Api, wanted: dict[str, Any], screen: Screen) -> Fetched:
    """Has the server fetch it; returns when all of it is there and checked."""
    started = api.post("/stoker/checkpoints", wanted)
    try:
        return _followed(api, started, screen)
    except KeyboardInterrupt:
        screen.line("The server goes on with the fetch. The same command shows it again,")
        screen.line("`stoker catalog stop` ends it.")
        raise


def under_way(api: Api) -> list[dict[str, Any]]:
    """The fetches of everybody, as the server describes them."""
    return api.get("/stoker/checkpoints")["fetches"]


def how_far(fetch: dict[str, Any]) -> str:
    """``acme/sketch-v1, 1.2 GB of 16.1 GB``"""
    if not fetch["total_bytes"]:
        return fetch["source"]
    return f"{fetch['source']}, {text.size(fetch['done_bytes'])} of {text.size(fetch['total_bytes'])}"


def _followed(api: Api, started: dict[str, Any], screen: Screen) -> Fetched:
    url = f"{api.base_url}/v1/stoker/fetches/{started['id']}/events"
    end: dict[str, Any] = {}
    for event in events.follow(api, url, last=frozenset({"done", "error"}), with_token=True):
        told = json.loads(event.data)
        if event.kind == "progress":
            unit = "bytes" if told["total"] else ""
            screen.phase(told["message"], total=told["total"], done=told["done"], unit=unit)
        else:
            end = told
    if not end:
        state = api.get(f"/stoker/fetches/{started['id']}")
        end = {"checkpoint": state["checkpoint"], "cached": state["cached"], "detail": state["error"]}
    if not end.get("checkpoint"):
        raise click.ClickException(
            end.get("detail") or "The weights were not fetched; the server says no more."
        )
    return Fetched(end["checkpoint"], bool(end.get("cached")))
