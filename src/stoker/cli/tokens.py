"""``stoker token``: the API tokens of the account."""

import getpass
import platform

import click

from stoker.cli import options


@click.group()
def token() -> None:
    """Create, list and revoke API tokens."""


@token.command(
    epilog="""\b
Examples:
  stoker token create laptop
  export REPLICATE_API_TOKEN=$(stoker token create ci)
"""
)
@click.argument("name", required=False)
@options.as_json("Print the API's object, the token in it.")
def create(name: str | None, as_json: bool) -> None:
    """Make a new token and print it. It is shown this once and never again.

    NAME says later what the token is for; without one it is called after you and this machine.
    """
    from stoker.cli.server.client import connect
    from stoker.cli.terminal import text

    made = connect().post("/stoker/tokens", {"name": name or f"{getpass.getuser()}@{platform.node()}"})
    if as_json:
        click.echo(text.to_json(made))
        return
    click.echo(f"Token {made['name']!r} (id {made['id']}); keep it, it is not shown again:", err=True)
    click.echo(made["token"])


@token.command("list", epilog="\b\nExample:\n  stoker token list\n")
@options.as_json()
def list_tokens(as_json: bool) -> None:
    """List the tokens: names and first characters, never the tokens themselves."""
    from stoker.cli.server.client import connect
    from stoker.cli.terminal import text

    found = connect().get("/stoker/tokens")["results"]
    if as_json:
        click.echo(text.to_json(found))
        return
    rows = [
        [
            item["id"],
            item["name"],
            item["hint"],
            text.moment(item["created_at"]),
            text.moment(item["revoked_at"]),
        ]
        for item in found
    ]
    text.table(["id", "name", "token", "created (UTC)", "revoked (UTC)"], rows)


@token.command(epilog="\b\nExample:\n  stoker token revoke 5f0c2a\n")
@click.argument("id")
def revoke(id: str) -> None:
    """Revoke a token for good. ID is the one that 'stoker token list' shows."""
    from urllib.parse import quote

    from stoker.cli.server.client import connect

    connect().delete(f"/stoker/tokens/{quote(id, safe='')}")
    click.echo(f"Token {id} is revoked.", err=True)
