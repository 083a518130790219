"""``stoker catalog``: the models that ship with Stoker, brought to a server with their weights."""

import sys
from pathlib import Path
from typing import Any

import click

from stoker.cli import options

_folder = click.option(
    "--from",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="A folder with a catalogue of your own, instead of what ships.",
)


@click.group(epilog="\b\nExample:\n  stoker catalog list\n")
def catalog() -> None:
    """Add models that ship with Stoker, with their weights. For the operator's account."""


@catalog.command(
    epilog="""\b
Examples:
  stoker catalog add meta/meta-llama-3.1-8b-instruct
  stoker catalog add meta/meta-llama-3.1-8b-instruct --weights /models/Llama-3.1-8B-Instruct
  stoker catalog add openai/whisper --weights openai/whisper-large-v3-turbo --private
"""
)
@click.argument("name", metavar="OWNER/NAME")
@click.option("--weights", metavar="DIR|ORG/NAME", help="A folder of the server's machine, or a hub id.")
@click.option("--revision", help="A branch, tag or commit of the hub's.")
@click.option("--allow-pickle", is_flag=True, help="Take weights that can run code, if there are no others.")
@click.option("--hardware", metavar="SKU", help="What it runs on.  [default: a GPU if offered, else cpu]")
@click.option(
    "--public/--private", "public", default=True, help="Who may use it, where it is new.  [default: public]"
)
@_folder
@options.as_json("Print one JSON object instead of the version id.")
def add(name: str, folder: Path | None, as_json: bool, **chosen: Any) -> None:
    """Make a model of the catalogue run on the server.

    Its weights are fetched once, checked, and shared by all versions that run with them. Doing it again
    keeps the weights that are there and brings the model up to date. stdout gets the version id.
    """
    from stoker.cli.cataloguing import adding, entries
    from stoker.cli.server.client import connect
    from stoker.cli.terminal import text
    from stoker.cli.terminal.screen import open_screen

    entry, model = entries.find_entry(entries.read_entries(folder), name)
    api = connect()
    with open_screen() as screen:
        added = adding.add(api, entry, model, adding.Choice(**chosen), screen)
    if as_json:
        told = {"model": model, "version": added.version, "checkpoint": added.checkpoint}
        click.echo(text.to_json(told | {"cached": added.cached}))
        return
    click.echo(f"Try it: {added.example}", err=True)
    click.echo(added.version)


@catalog.command(
    "list",
    epilog="""\b
Examples:
  stoker catalog list
  stoker catalog list --from ./my-models --json
""",
)
@_folder
@options.as_json("Print what there is as a JSON array.")
def list_models(folder: Path | None, as_json: bool) -> None:
    """List the catalogue, and what of it the server has."""
    from stoker.cli.cataloguing import entries, listing, weights
    from stoker.cli.server.client import connect
    from stoker.cli.terminal import text

    api = connect()
    found = listing.rows(api, entries.read_entries(folder))
    if as_json:
        click.echo(text.to_json([row.as_json() for row in found]))
        return
    columns = ["model", "version", "weights from", "size", "what it is"]
    text.table(columns, [row.cells() for row in found])
    for fetch in weights.under_way(api):
        click.echo(f"On its way: {weights.how_far(fetch)}.", err=True)


@catalog.command(
    epilog="""\b
Examples:
  stoker catalog stop meta-llama/Llama-3.1-70B-Instruct
  stoker catalog stop
"""
)
@click.argument("source", metavar="[SOURCE]", required=False)
def stop(source: str | None) -> None:
    """End fetches of weights that are under way.

    All of them, or those from SOURCE, a hub id or a folder. What has come is kept for a week: adding
    the model again goes on with it.
    """
    from stoker.cli.cataloguing import weights
    from stoker.cli.server.client import connect

    api = connect()
    found = [fetch for fetch in weights.under_way(api) if source in (None, fetch["source"])]
    if not found:
        raise click.ClickException(f"Nothing is on its way{f' from {source}' if source else ''}.")
    for fetch in found:
        api.delete(f"/stoker/fetches/{fetch['id']}")
        click.echo(f"Stopped: {weights.how_far(fetch)}.", err=True)


@catalog.command(
    epilog="""\b
Examples:
  stoker catalog remove meta/meta-llama-3.1-8b-instruct
  stoker catalog remove openai/whisper --yes
"""
)
@click.argument("name", metavar="OWNER/NAME")
@click.option("--yes", is_flag=True, help="Do not ask.")
@_folder
def remove(name: str, yes: bool, folder: Path | None) -> None:
    """Remove a model of the catalogue, with all its versions.

    Weights that nothing else runs with go from the server's cache within the next hours; a folder that
    they were linked from stays as it is.
    """
    from stoker.cli.cataloguing import entries, removing
    from stoker.cli.server.client import connect

    _, model = entries.find_entry(entries.read_entries(folder), name)
    api = connect()
    for line in removing.consequences(api, model):
        click.echo(line, err=True)
    if not yes and not _is_meant():
        raise click.ClickException("Nothing was removed.")
    api.delete(f"/stoker/models/{model}")
    click.echo(f"Removed {model}.", err=True)


def _is_meant() -> bool:
    try:
        return click.confirm("Remove it?", err=True)
    except click.Abort:
        if sys.stdin.isatty():
            raise
        click.echo(err=True)
        raise click.ClickException("Nobody can be asked here. To remove it, say --yes.") from None
