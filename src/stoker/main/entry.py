"""``stoker``: the command line with ``serve`` added to it."""

import logging
import os
from pathlib import Path
from typing import Any

import click

from stoker.cli.app import cli
from stoker.core.errors import StokerError
from stoker.main import config


@cli.command()
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=int, help="Port to listen on; 0 takes a free one.  [default: 8080]")
@click.option(
    "--data-dir", type=click.Path(path_type=Path), help="Where everything is kept.  [default: ~/.stoker]"
)
@click.option("--public-url", help="The base of every URL that is given out, for a server behind a proxy.")
@click.option("--account", help="Name of the account that the first start creates.  [default: local]")
@click.option(
    "--allow-net",
    multiple=True,
    metavar="CIDR",
    help="A private network that webhooks and input URLs may reach; repeatable.",
)
@click.option(
    "--tls-cert",
    type=click.Path(path_type=Path),
    help="PEM file with the certificate chain; switches TLS on.",
)
@click.option("--tls-key", type=click.Path(path_type=Path), help="PEM file with the certificate's key.")
@click.option("--config", "file", type=click.Path(path_type=Path), help="TOML file with settings.")
@click.option("-v", "--verbose", is_flag=True, help="Say more about what happens.")
def serve(file: Path | None, verbose: bool, **flags: Any) -> None:
    """Start the server.

    The first start creates an account and an API token and prints the two lines that a client needs.
    When it can take requests it prints 'ready' and its address. Ctrl-C or SIGTERM stops it: what runs may
    end, what waits runs after the next start.

    Every setting can also be given in the environment (STOKER_IDLE_S=300) or in the file; see
    docs/operating.md.
    """
    given = {name: value for name, value in flags.items() if value not in (None, ())}
    try:
        settings = config.load(given, os.environ, file=file)
    except config.ConfigError as error:
        raise click.UsageError(str(error)) from error
    for sentence in config.misspelt(os.environ):
        click.echo(f"Warning: {sentence}", err=True)
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    import uvloop

    from stoker.main import server

    try:
        uvloop.run(server.serve(settings, announce=click.echo))
    except OSError as error:
        raise click.ClickException(f"The server cannot start: {error.strerror or error}.") from error
    except StokerError as error:
        raise click.ClickException(error.message) from error


def main() -> None:
    cli(prog_name="stoker")
