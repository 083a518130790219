"""``stoker token``: the API tokens of the account."""

import getpass
import platform

import click

from stoker.cli import options
from stoker.cli.durations import Duration


@click.group()
def token() -> None:
    """Create, list and revoke API tokens."""


@token.command(
    epilog="""\b
Examples:
  stoker token create laptop
  export REPLICATE_API_TOKEN=$(stoker token create ci --scope run --expires 30d)
"""
)
@click.argument("name", required=False)
@click.option(
    "--scope",
    type=click.Choice(["read", "run", "admin"]),
    help="What it is good for: to look, to run too, or all.  [default: as your own token]",
)
@click.option(
    "--expires", type=Duration(), help="When it ends, such as 12h or 30d.  [default: as your own token]"
)
@click.option("--account", metavar="NAME", help="An account that you administer.  [default: your own]")
@options.as_json("Print the API's object, the token in it.")
def create(
    name: str | None, scope: str | None, expires: int | None, account: str | None, as_json: bool
) -> None:
    """Make a new token and print it. It is shown this once and never again.

    NAME says later what the token is for; without one it is called after you and this machine. It can do
    no more, and lasts no longer, than the token that makes it.
    """
    from stoker.cli.server.client import connect
    from stoker.cli.terminal import text

    given = {"scope": scope, "expires_in_s": expires, "account": account}
    body = {field: value for field, value in given.items() if value is not None}
    name = name or f"{getpass.getuser()}@{platform.node()}"
    made = connect().post("/stoker/tokens", {"name": name} | body)
    if as_json:
        click.echo(text.to_json(made))
        return
    click.echo(f"Token {made['name']!r} (id {made['id']}); keep it, it is not shown again:", err=True)
    click.echo(made["token"])


@token.command("list", epilog="\b\nExample:\n  stoker token list\n")
@click.option("--account", metavar="NAME", help="An account that you administer.  [default: your own]")
@options.as_json()
def list_tokens(account: str | None, as_json: bool) -> None:
    """List the tokens: names and first characters.

    The tokens themselves are never shown again.
    """
    from urllib.parse import quote

    from stoker.cli.server.client import connect
    from stoker.cli.terminal import text

    query = f"?account={quote(account, safe='')}" if account else ""
    found = connect().get(f"/stoker/tokens{query}")["results"]
    if as_json:
        click.echo(text.to_json(found))
        return
    rows = [
        [
            item["id"],
            item["name"],
            item["hint"],
            item["scope"],
            text.moment(item["created_at"]),
            text.moment(item["expires_at"]),
            text.moment(item["last_used_at"]),
            text.moment(item["revoked_at"]),
        ]
        for item in found
    ]
    heads = ["id", "name", "token", "scope", "created (UTC)", "expires", "last used", "revoked"]
    text.table(heads, rows)


@token.command(epilog="\b\nExample:\n  stoker token revoke 5f0c2a\n")
@click.argument("id")
def revoke(id: str) -> None:
    """Revoke a token for good. ID is the one that 'stoker token list' shows."""
    from urllib.parse import quote

    from stoker.cli.server.client import connect

    connect().delete(f"/stoker/tokens/{quote(id, safe='')}")
    click.echo(f"Token {id} is revoked.", err=True)
