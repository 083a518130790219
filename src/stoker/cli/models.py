"""``stoker models`` and ``stoker versions``: what the server has."""

from typing import TYPE_CHECKING, Any

import click

from stoker.cli import options

if TYPE_CHECKING:
    from stoker.cli.server.client import Api

_NONE = "No models yet. Make one with 'stoker push DIR OWNER/NAME', or see 'stoker catalog list'."


@click.command(
    epilog="""\b
Examples:
  stoker models
  stoker models --json | jq -r '.[].name'
"""
)
@options.limit(100)
@options.as_json()
def models(limit: int, as_json: bool) -> None:
    """List the models: your own and the public ones, newest first. What fails to start is told on stderr."""
    from stoker.cli.server.client import connect
    from stoker.cli.terminal import text

    api = connect()
    found = list(api.pages("/models", limit=limit))
    if as_json:
        click.echo(text.to_json(found))
        return
    rows = []
    for model in found:
        latest = model.get("latest_version") or {}
        name = f"{model['owner']}/{model['name']}"
        updated = text.moment(latest.get("created_at") or model.get("created_at"))
        rows.append([name, model["visibility"], str(model["run_count"]), latest.get("id", "")[:12], updated])
    text.table(["model", "visibility", "runs", "latest version", "updated (UTC)"], rows, nothing=_NONE)
    for line in _failing(api):
        click.echo(line, err=True)


def _failing(api: "Api") -> list[str]:
    """A line for each version that does not start, where the server tells of it."""
    try:
        paused = api.health().get("paused", [])
    except (click.ClickException, AttributeError):
        return []
    return [
        f"{one['model']} ({one['version'][:12]}) fails to start, {one['failures']} in a row, "
        f"{_next_try(one)}: {one['error']}"
        for one in paused
    ]


def _next_try(pause: dict[str, Any]) -> str:
    """Once the pause is over it is tried as soon as somebody asks for it."""
    if pause["next_try_s"] < 0.5:
        return "tried again by its next prediction"
    mended = f"'stoker scale {pause['model']} --resume' once it is mended"
    return f"next try in {pause['next_try_s']:.0f} s, or after {mended}"


@click.command(
    epilog="""\b
Examples:
  stoker versions local/sketch
  stoker versions local/sketch --json
"""
)
@click.argument("name", metavar="OWNER/NAME")
@options.limit(100)
@options.as_json("Print the API's objects, schemas included, as a JSON array.")
def versions(name: str, limit: int, as_json: bool) -> None:
    """List the versions of a model, newest first."""
    from stoker.cli.reference import parse
    from stoker.cli.server.client import connect
    from stoker.cli.terminal import text

    reference = parse(name, with_version=False)
    found = list(connect().pages(f"/models/{reference.model}/versions", limit=limit))
    if as_json:
        click.echo(text.to_json(found))
        return
    rows = [[version["id"], text.moment(version["created_at"]), version["cog_version"]] for version in found]
    nothing = f"No versions yet. Make one with 'stoker push DIR {reference.model}'."
    text.table(["version", "created (UTC)", "cog"], rows, nothing=nothing)
