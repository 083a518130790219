"""``stoker models`` and ``stoker versions``: what the server has."""

import click


@click.command(
    epilog="""\b
Examples:
  stoker models
  stoker models --json | jq -r '.[].name'
"""
)
@click.option(
    "--limit", type=click.IntRange(min=1), default=100, show_default=True, help="Show at most so many."
)
@click.option("--json", "as_json", is_flag=True, help="Print the API's objects as a JSON array.")
def models(limit: int, as_json: bool) -> None:
    """List the models: your own and the public ones, newest first."""
    from stoker.cli import text
    from stoker.cli.client import connect

    found = list(connect().pages("/models", limit=limit))
    if as_json:
        click.echo(text.to_json(found))
        return
    rows = []
    for model in found:
        latest = model.get("latest_version") or {}
        name = f"{model['owner']}/{model['name']}"
        updated = text.moment(latest.get("created_at") or model.get("created_at"))
        rows.append([name, model["visibility"], str(model["run_count"]), latest.get("id", "")[:12], updated])
    text.table(["model", "visibility", "runs", "latest version", "updated (UTC)"], rows)


@click.command(
    epilog="""\b
Examples:
  stoker versions local/sketch
  stoker versions local/sketch --json
"""
)
@click.argument("name", metavar="OWNER/NAME")
@click.option(
    "--limit", type=click.IntRange(min=1), default=100, show_default=True, help="Show at most so many."
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print the API's objects, schemas included, as a JSON array."
)
def versions(name: str, limit: int, as_json: bool) -> None:
    """List the versions of a model, newest first."""
    from stoker.cli import text
    from stoker.cli.client import connect
    from stoker.cli.reference import parse

    reference = parse(name, with_version=False)
    found = list(connect().pages(f"/models/{reference.model}/versions", limit=limit))
    if as_json:
        click.echo(text.to_json(found))
        return
    rows = [[version["id"], text.moment(version["created_at"]), version["cog_version"]] for version in found]
    text.table(["version", "created (UTC)", "cog"], rows)
