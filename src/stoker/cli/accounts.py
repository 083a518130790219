"""``stoker account``: the accounts of people and organisations, and who belongs to which."""

from typing import Any
from urllib.parse import quote

import click

from stoker.cli import options
from stoker.cli.durations import Duration, in_words


@click.group(epilog="\b\nExample:\n  stoker account list\n")
def account() -> None:
    """Make accounts, list them, and say who belongs to which."""


@account.command(
    epilog="""\b
Examples:
  stoker account create ann && stoker token create --account ann laptop
  stoker account create team --organization
"""
)
@click.argument("name")
@click.option("--organization", is_flag=True, help="Make an organization, which users can belong to.")
@click.option("--display-name", default="", help="What people read instead of the name.")
@options.as_json("Print the API's object.")
def create(name: str, organization: bool, display_name: str, as_json: bool) -> None:
    """Make an account. Only the operator's account, that of the server's first start, can do this."""
    from stoker.cli.server.client import connect

    body = {"username": name, "type": "organization" if organization else "user", "name": display_name}
    _show(connect().post("/stoker/accounts", body), as_json=as_json, done="is made")
    if not as_json and not organization:
        click.echo(f"Make its first token with 'stoker token create --account {name}'.", err=True)


@account.command("list", epilog="\b\nExample:\n  stoker account list\n")
@options.limit(100)
@options.as_json()
def list_accounts(limit: int, as_json: bool) -> None:
    """List your account and its organizations.

    The operator sees every account.
    """
    from stoker.cli.server.client import connect
    from stoker.cli.terminal import text

    found = list(connect().pages("/stoker/accounts", limit=limit))
    if as_json:
        click.echo(text.to_json(found))
        return
    rows = [
        [item["username"], item["type"], item["name"], item["role"] or "-", _retention(item["retention_s"])]
        for item in found
    ]
    text.table(["account", "type", "name", "your role", "data kept"], rows)


@account.command(
    epilog="""\b
Examples:
  stoker account update local --retention 7d
  stoker account update team --retention never --display-name "The team"
"""
)
@click.argument("name")
@click.option("--display-name", help="What people read instead of the name.")
@click.option(
    "--retention",
    type=Duration(never=True),
    help="How long the data of its predictions is kept, such as 12h, 7d or never.",
)
@options.as_json("Print the API's object.")
def update(name: str, display_name: str | None, retention: int | str | None, as_json: bool) -> None:
    """Change the display name or retention of an account.

    Your own, an organization's that you are an admin of, as the operator any.
    """
    from stoker.cli.server.client import connect

    given = {"name": display_name, "retention_s": retention}
    body = {field: value for field, value in given.items() if value is not None}
    if not body:
        raise click.UsageError("Say what to change, with --display-name or --retention.")
    _show(
        connect().patch(f"/stoker/accounts/{quote(name, safe='')}", body), as_json=as_json, done="is changed"
    )


@account.command(
    epilog="""\b
Examples:
  stoker account members team
  stoker account members team --add ann --role admin
  stoker account members team --remove ann
"""
)
@click.argument("name")
@click.option("--add", metavar="USER", help="Add a user, or give one another role.")
@click.option(
    "--role",
    type=click.Choice(["member", "admin"]),
    default="member",
    show_default=True,
    help="What the added user is.",
)
@click.option("--remove", metavar="USER", help="Remove a user.")
@options.as_json()
def members(name: str, add: str | None, role: str, remove: str | None, as_json: bool) -> None:
    """Show or change who belongs to an organization."""
    from stoker.cli.server.client import connect
    from stoker.cli.terminal import text

    api, path = connect(), f"/stoker/accounts/{quote(name, safe='')}/members"
    if add is not None:
        api.put(f"{path}/{quote(add, safe='')}", {"role": role})
    if remove is not None:
        api.delete(f"{path}/{quote(remove, safe='')}")
    found = api.get(path)["results"]
    if as_json:
        click.echo(text.to_json(found))
        return
    rows = [[item["username"], item["role"], text.moment(item["created_at"])] for item in found]
    nothing = f"Nobody belongs to {name}. Where it is an organization, --add USER changes that."
    text.table(["user", "role", "since (UTC)"], rows, nothing=nothing)


def _show(made: dict[str, Any], *, as_json: bool, done: str) -> None:
    from stoker.cli.terminal import text

    if as_json:
        click.echo(text.to_json(made))
    else:
        click.echo(f"The {made['type']} {made['username']} {done}.", err=True)


def _retention(seconds: float | str | None) -> str:
    if seconds is None:
        return "as the server says"
    return "for ever" if isinstance(seconds, str) else in_words(seconds)
