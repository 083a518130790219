"""``stoker push``: a Cog project on this disk becomes a version on the server."""

from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from stoker.cli import options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stoker.cli.server.client import Api
    from stoker.cli.terminal.screen import Screen


@click.command(
    epilog="""\b
Examples:
  stoker push local/sketch
  stoker push examples/story local/story --public
  stoker push . local/sketch --strict --json | jq -r .version
"""
)
@click.argument("where", nargs=-1, required=True, metavar="[DIR] OWNER/NAME")
@click.option("--strict", is_flag=True, help="Treat every warning of the build as an error.")
@click.option(
    "--public/--private",
    "public",
    default=None,
    help="Who may use the model, where it is new.  [default: private]",
)
@options.as_json("Print one JSON object instead of the version id.")
def push(where: tuple[str, ...], strict: bool, public: bool | None, as_json: bool) -> None:
    """Make a version of the Cog project in DIR (or here).

    The model OWNER/NAME is created where it does not exist. Files that .dockerignore and .cogignore
    leave out stay here, and files that the server has already are not sent again. The build is shown
    on stderr; stdout gets the version id.
    """
    from stoker.cli.pushing import source
    from stoker.cli.pushing.project import push_project
    from stoker.cli.reference import parse
    from stoker.cli.server.client import connect
    from stoker.cli.terminal import text
    from stoker.cli.terminal.screen import open_screen

    folder, name = _arguments(where)
    model = parse(name, with_version=False).model
    root = source.project_folder(folder, name=name)
    api = connect()
    with open_screen() as screen, _model(api, model, public, screen):
        built = push_project(api, root, model, strict=strict, screen=screen)
    if as_json:
        told = {"model": model, "version": built.version, "cached": built.cached}
        click.echo(text.to_json(told | {"build": built.id, "warnings": list(built.warnings)}))
        return
    told = "This version of {} exists already:" if built.cached else "Pushed {}, version"
    click.echo(told.format(model), err=True)
    click.echo(built.version)


def _arguments(where: tuple[str, ...]) -> tuple[str | None, str]:
    if len(where) == 1:
        return None, where[0]
    if len(where) == 2:
        return where[0], where[1]
    raise click.UsageError("Give a folder and OWNER/NAME, or OWNER/NAME alone.")


@contextmanager
def _model(api: "Api", model: str, public: bool | None, screen: "Screen") -> "Iterator[None]":
    """The model to push to; one that was made for a push that fails does not stay behind empty."""
    created = _ensure_model(api, model, public, screen)
    try:
        yield
    except click.ClickException:
        if created:
            _remove(api, model, screen)
        raise


def _remove(api: "Api", model: str, screen: "Screen") -> None:
    """Public models are never deleted, and a server that is gone cannot be asked."""
    try:
        api.delete(f"/models/{model}")
    except click.ClickException:
        screen.line(f"The model {model} was created and has no version yet.")
    else:
        screen.line(f"Removed the empty model {model} again.")


def _ensure_model(api: "Api", model: str, public: bool | None, screen: "Screen") -> bool:
    """Whether it had to be made."""
    wanted = "public" if public else "private"
    found = api.find(f"/models/{model}")
    if found is None:
        owner, _, name = model.partition("/")
        fields = {"owner": owner, "name": name, "visibility": wanted, "hardware": "cpu"}
        if api.create("/models", fields) is not None:
            screen.line(f"Created the {wanted} model {model}.")
            return True
        # Another push was quicker, or it is somebody else's and hidden from us.
        found = api.get(f"/models/{model}")
    if public is not None and found["visibility"] != wanted:
        screen.line(f"Warning: {model} exists and stays {found['visibility']}.")
    return False
