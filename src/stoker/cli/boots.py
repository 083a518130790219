"""``stoker boots``: where the time of cold boots went."""

from typing import Any

import click

from stoker.cli import options

STAGES = ("queue", "environment", "process", "imports", "setup", "first_run")


@click.command(
    epilog="""\b
Examples:
  stoker boots
  stoker boots local/sketch --json | jq '.[0].seconds'
"""
)
@click.argument("name", metavar="[OWNER/NAME]", required=False)
@options.limit(20)
@options.as_json("Print the API's objects as a JSON array.")
def boots(name: str | None, limit: int, as_json: bool) -> None:
    """Show the latest cold boots, and how long each stage took.

    Newest first, in seconds. With --json comes also why one failed.
    """
    from urllib.parse import quote

    from stoker.cli.reference import parse
    from stoker.cli.server.client import connect
    from stoker.cli.terminal import text

    api = connect()
    model = parse(name, with_version=False).model if name else None
    query = f"?model={quote(model, safe='')}" if model else ""
    found = api.get(f"/stoker/boots{query}")["results"][:limit]
    if model and not found:
        api.get(f"/models/{model}")  # says so where there is no such model
    if as_json:
        click.echo(text.to_json(found))
        return
    rows = [
        [boot["model"], text.moment(boot["wanted_at"]), boot["start"] or "", boot["stage"], *_seconds(boot)]
        for boot in found
    ]
    stages = [stage.replace("_", " ") for stage in STAGES]
    nothing = f"No boot of {model or 'any model'} is remembered."
    text.table(["model", "wanted (UTC)", "start", "stage", *stages], rows, nothing=nothing)


def _seconds(boot: dict[str, Any]) -> list[str]:
    took = boot["seconds"]
    return [f"{took[stage]:.2f}" if stage in took else "" for stage in STAGES]
