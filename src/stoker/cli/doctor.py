"""``stoker doctor``: what this machine has, what is missing, and what to do about it."""

from typing import TYPE_CHECKING

import click

from stoker.cli import options

if TYPE_CHECKING:
    from stoker.cli.checks import Check

_MARKS = {"ok": "ok", "optional": "-", "missing": "MISSING"}


@click.command(
    epilog="""\b
Examples:
  stoker doctor
  stoker doctor --json | jq '.[] | select(.state != "ok")'
"""
)
@options.as_json("Print the checks as a JSON array.")
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> None:
    """Say what this machine has for models, and what it lacks.

    Pythons, uv, memory, disk, GPUs, tools, and whether a server answers. Run it where the server runs.
    What some models need and this machine lacks is marked with "-"; the exit status is 1 only where
    something is MISSING without which nothing works.
    """
    import os
    from dataclasses import asdict

    from stoker.cli.checks import check_machine
    from stoker.cli.server import credentials
    from stoker.cli.terminal import text

    checks = [*check_machine(credentials.home(), os.environ), _server()]
    if as_json:
        click.echo(text.to_json([asdict(check) for check in checks]))
    else:
        _print(checks)
    ctx.exit(1 if any(check.state == "missing" for check in checks) else 0)


def _server() -> "Check":
    """Whether a server answers and takes our token. None running is no fault of the machine."""
    from stoker.cli.checks import Check
    from stoker.cli.server.client import connect

    try:
        api = connect()
        health = api.health()
        account = api.get("/account")["username"]
    except click.ClickException as error:
        return Check("server", "optional", error.message)
    return Check("server", "ok", f"{api.base_url}, Stoker {health['version']}, account {account}")


def _print(checks: list["Check"]) -> None:
    width = max(len(check.name) for check in checks)
    for check in checks:
        click.echo(f"{_MARKS[check.state]:<8} {check.name:<{width}}  {check.found}")
        if check.advice and check.state != "ok":
            click.echo(f"{'':<8} {'':<{width}}  {check.advice}")
    missing = [check.name for check in checks if check.state == "missing"]
    click.echo()
    click.echo(f"Missing: {', '.join(missing)}." if missing else "This machine can run Stoker.")
