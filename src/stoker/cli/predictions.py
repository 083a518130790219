"""``stoker predictions``: what ran, what runs, what it said, and stopping it."""

from typing import Any
from urllib.parse import quote

import click

from stoker.cli import options


@click.group()
def predictions() -> None:
    """List, show, follow and cancel predictions."""


@predictions.command(
    "list",
    epilog="""\b
Examples:
  stoker predictions list
  stoker predictions list --limit 500 --json | jq -r '.[] | select(.status == "failed").id'
""",
)
@options.limit(20)
@options.as_json()
def list_predictions(limit: int, as_json: bool) -> None:
    """List your predictions, newest first."""
    from stoker.cli.server.client import connect
    from stoker.cli.terminal import text

    found = list(connect().pages("/predictions", limit=limit))
    if as_json:
        click.echo(text.to_json(found))
        return
    rows = [
        [item["id"], item["model"], item["status"], text.moment(item["created_at"]), _took(item)]
        for item in found
    ]
    nothing = "No predictions yet. 'stoker run OWNER/NAME' makes one."
    text.table(["id", "model", "status", "created (UTC)", "ran for"], rows, nothing=nothing)


@predictions.command(
    epilog="""\b
Examples:
  stoker predictions show 3k2mf9wq5srme0cj3v6rabpg8w
  stoker predictions show 3k2mf9wq5srme0cj3v6rabpg8w --json | jq .metrics
"""
)
@click.argument("id")
@options.as_json("Print the API's object.")
def show(id: str, as_json: bool) -> None:
    """Show one prediction: its state, times, input and output."""
    from stoker.cli.running import waits
    from stoker.cli.server.client import connect
    from stoker.cli.terminal import text

    api = connect()
    found = api.get(_path(id))
    if as_json:
        click.echo(text.to_json(found))
        return
    wait = waits.wait_of(api, id) if found["status"] == "starting" else None
    for name, value in _told(found, wait["message"] if wait else ""):
        click.echo(f"{name:<10} {value}")


@predictions.command(
    epilog="""\b
Examples:
  stoker predictions logs 3k2mf9wq5srme0cj3v6rabpg8w
  stoker predictions logs -f 3k2mf9wq5srme0cj3v6rabpg8w
"""
)
@click.argument("id")
@click.option("-f", "--follow", "following", is_flag=True, help="Go on until the prediction has ended.")
def logs(id: str, following: bool) -> None:
    """Print the logs of a prediction to stdout. Ctrl-C ends the following, not the prediction."""
    from stoker.cli.running import follow
    from stoker.cli.server.client import connect

    api = connect()
    shown = 0

    def take(prediction: dict[str, Any]) -> None:
        nonlocal shown
        text = prediction.get("logs") or ""
        click.echo(text[shown:], nl=False)
        shown = len(text)

    prediction = api.get(_path(id))
    if following:
        follow.wait(api, prediction, take)
    else:
        take(prediction)


@predictions.command(
    epilog="""\b
Examples:
  stoker predictions cancel 3k2mf9wq5srme0cj3v6rabpg8w
  stoker predictions cancel 3k2mf9wq5srme0cj3v6rabpg8w 0v1q8d5m2hrme0cj3v6s3k2mf8
"""
)
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@options.as_json()
def cancel(ids: tuple[str, ...], as_json: bool) -> None:
    """Cancel predictions. One that has ended already stays as it is."""
    from stoker.cli.server.client import connect
    from stoker.cli.terminal import text

    api = connect()
    found: list[dict[str, Any]] = []
    for id in ids:
        found.append(api.post(_path(id) + "/cancel"))
        if not as_json:
            click.echo(f"{id} {found[-1]['status']}")
    if as_json:
        click.echo(text.to_json(found))


def _path(id: str) -> str:
    return f"/predictions/{quote(id, safe='')}"


def _took(prediction: dict[str, Any]) -> str:
    from stoker.cli.terminal import text

    return text.seconds((prediction.get("metrics") or {}).get("predict_time"))


def _told(prediction: dict[str, Any], waits: str) -> list[tuple[str, str]]:
    """The lines of ``show``: what there is, in the order in which one asks."""
    from stoker.cli.terminal import text

    lines = [
        ("id", prediction["id"]),
        ("model", f"{prediction['model']}:{prediction['version']}"),
        ("status", prediction["status"]),
        ("waits", waits),
        ("error", prediction["error"] or ""),
        ("created", text.moment(prediction["created_at"])),
        ("started", text.moment(prediction["started_at"])),
        ("completed", text.moment(prediction["completed_at"])),
        ("ran for", _took(prediction)),
        ("input", text.to_json(prediction["input"])),
    ]
    if prediction["data_removed"]:
        lines.append(("output", "removed, as its time was over"))
    elif prediction["output"] is not None:
        lines.append(("output", text.to_json(prediction["output"])))
    return [(name, value) for name, value in lines if value]
