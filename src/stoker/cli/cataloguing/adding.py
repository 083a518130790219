"""A model of the catalogue comes to a server: model, weights, version, published ids. For ``catalog add``.

Each step leaves alone what is as it should be, so that doing it again is quick and changes nothing.
"""

from dataclasses import dataclass
from typing import Any

import click

from stoker.cli.cataloguing.entries import Entry, StandsInFor
from stoker.cli.cataloguing.weights import fetch, source_of
from stoker.cli.pushing.build import Built
from stoker.cli.pushing.project import push_project
from stoker.cli.server.client import Api
from stoker.cli.terminal import text
from stoker.cli.terminal.screen import Screen

_ABOUT = ("description", "license_url", "paper_url", "github_url")


@dataclass(frozen=True)
class Choice:
    """What was asked for."""

    weights: str | None = None
    revision: str | None = None
    hardware: str | None = None
    public: bool = True
    allow_pickle: bool = False


@dataclass(frozen=True)
class Added:
    version: str
    checkpoint: str
    cached: bool
    """Whether the same version was there before."""
    example: str
    """A command that tries it."""


def add(api: Api, entry: Entry, name: str, choice: Choice, screen: Screen) -> Added:
    """The model, ready to run. Where its weights cannot be had, nothing of it is made."""
    hardware = _hardware(api, choice)
    checkpoint = _weights(api, entry, name, own_model(api, name) or {}, choice, screen)
    _ensure_model(api, entry, name, choice, hardware=hardware, screen=screen)
    built = push_project(api, entry.folder, name, checkpoint=checkpoint, screen=screen)
    _stand_in(api, name, built.version, entry.published(name))
    return Added(built.version, checkpoint, built.cached, _example(api, name, built))


def own_model(api: Api, name: str) -> dict[str, Any] | None:
    """The model of that very name; the server also answers for one that stands in for it."""
    found = api.find(f"/models/{name}")
    return found if found and f"{found['owner']}/{found['name']}".lower() == name.lower() else None


def checkpoint_of(api: Api, name: str, version: str) -> dict[str, Any] | None:
    """What a version runs with, as the server describes it."""
    listed = api.get("/stoker/checkpoints")["results"]
    return next((one for one in listed if f"{name}:{version}" in one["versions"]), None)


def _ensure_model(
    api: Api, entry: Entry, name: str, choice: Choice, *, hardware: str, screen: Screen
) -> None:
    about = {field: getattr(entry, field) for field in _ABOUT}
    visibility = "public" if choice.public else "private"
    found = own_model(api, name)
    if found is None:
        owner, _, short = name.partition("/")
        wanted = {"owner": owner, "name": short, "visibility": visibility, "hardware": hardware}
        if api.create("/models", wanted | about) is not None:
            screen.line(f"Created the {visibility} model {name}, on {hardware}.")
            return
        found = api.get(f"/models/{name}")  # somebody else adds it at this moment
    if found["visibility"] != visibility:
        screen.line(f"Warning: {name} exists and stays {found['visibility']}.")
    changed = {field: value for field, value in about.items() if found[field] != value}
    if changed:
        api.patch(f"/models/{name}", changed)


def _hardware(api: Api, choice: Choice) -> str:
    """As asked; else the smallest GPU that the server offers, else its CPUs."""
    offered = [one["sku"] for one in api.get("/hardware")]
    if choice.hardware is None:
        return next((sku for sku in offered if sku != "cpu"), "cpu")
    if choice.hardware not in offered:  # said before hours of fetching
        raise click.ClickException(
            f"The server has no hardware {choice.hardware}. It has {', '.join(offered)}."
        )
    return choice.hardware


def _weights(api: Api, entry: Entry, name: str, model: dict[str, Any], choice: Choice, screen: Screen) -> str:
    """The checkpoint to run with: as asked, else what the model has, else the catalogue's choice."""
    latest = (model.get("latest_version") or {}).get("id")
    if choice.weights is None and choice.revision is None and latest is not None:
        known = checkpoint_of(api, name, latest)
        if known is not None:
            screen.line(f"Keeping the weights from {known['source']} ({text.size(known['size_bytes'])}).")
            return known["id"]
    usual = entry.hub.get(name)
    if choice.weights is None and usual is None:
        raise click.ClickException(f"{name} has no weights of its own choice: name some with --weights.")
    source = source_of(choice.weights or str(usual))
    wanted: dict[str, Any] = {"source": source, "allow_pickle": choice.allow_pickle}
    if choice.revision is not None:
        wanted["revision"] = choice.revision
    if source == usual:
        wanted |= {"leave_out": list(entry.leave_out), "parts": entry.parts.get(name, {})}
    fetched = fetch(api, wanted, screen)
    screen.line(f"The weights from {source} {'were here already' if fetched.cached else 'are here'}.")
    return fetched.checkpoint


def _stand_in(api: Api, name: str, version: str, published: list[StandsInFor]) -> None:
    """What people were told to call elsewhere means this version here, under each of its names."""
    path = f"/stoker/models/{name}/versions/{version}/aliases"
    there = api.get(path)["aliases"]
    wanted = [{"id": one.id, "model": model} for one in published for model in one.names or (None,)]
    missing = [alias for alias in wanted if alias not in there]
    if missing:
        api.put(path, {"aliases": [*there, *missing], "take_over": True})


def _example(api: Api, name: str, built: Built) -> str:
    schema = api.get(f"/models/{name}/versions/{built.version}")["openapi_schema"]
    inputs = schema["components"]["schemas"].get("Input", {})
    given = [
        f" -i {field}={'@FILE' if inputs['properties'][field].get('format') == 'uri' else '...'}"
        for field in inputs.get("required", [])
    ]
    return f"stoker run {name}{''.join(given) or ' -i prompt=...'}"
