"""``stoker import``: models, and a team's own things, come here from another Replicate-compatible API."""

import os
import sys
from typing import TYPE_CHECKING, TextIO

import click

from stoker.cli import options

if TYPE_CHECKING:
    from stoker.cli.importing.report import Report
    from stoker.cli.importing.source import Source
    from stoker.cli.server.client import Api
    from stoker.cli.terminal.screen import Screen

REPLICATE = "https://api.replicate.com/v1"
TOKEN_VARIABLE = "STOKER_IMPORT_TOKEN"


@click.command(
    "import",
    epilog="""\b
Examples:
  stoker import stability-ai/sdxl openai/whisper
  stoker import --account --dry-run
  stoker import --account --from https://stoker.example.org --token-file token.txt
""",
)
@click.argument("names", nargs=-1, metavar="[OWNER/NAME]...")
@click.option("--account", "whole", is_flag=True, help="Copy what belongs to the token's account, too.")
@click.option("--from", "base_url", default=REPLICATE, show_default=True, metavar="URL", help="The API.")
@click.option(
    "--token-file",
    type=click.File(),
    help=f"A file with the API's token; - is stdin.  [default: ${TOKEN_VARIABLE}]",
)
@click.option("--dry-run", is_flag=True, help="Say what would be copied, and copy nothing.")
@click.option(
    "--public/--private",
    "public",
    default=None,
    help="Who may use models that are new here.  [default: as at the source]",
)
@options.as_json("Print one JSON object instead of the table.")
def import_(
    names: tuple[str, ...],
    whole: bool,
    base_url: str,
    token_file: TextIO | None,
    dry_run: bool,
    public: bool | None,
    as_json: bool,
) -> None:
    """Copy models from Replicate, or from another API like it.

    A model comes with its page, README, versions (their schemas, not their code) and examples. With
    --account come the predictions, trainings, models and deployments of the token's account, and its
    webhook secret. What is here already stays or is brought up to date: run it again at any time.
    """
    from stoker.cli.importing.report import Report
    from stoker.cli.importing.source import Source
    from stoker.cli.server.client import connect
    from stoker.cli.terminal.screen import open_screen

    refs = _refs(names, whole)
    api, report = connect(), Report(dry=dry_run)
    with open_screen() as screen:
        source = Source(base_url, _token(token_file), tell=screen.line)
        click.get_current_context().call_on_close(source.close)
        if source.base_url == api.base_url:
            raise click.UsageError(f"--from names the server itself ({source.base_url}).")
        try:
            _copy(source, api, report, screen, refs=refs, whole=whole, public=public)
        finally:
            screen.clear()
            _tell(report, screen, as_json=as_json)
    if not report.is_whole:
        raise click.ClickException("Not everything could be copied; the lines above say what, and why.")


def _copy(
    source: "Source",
    api: "Api",
    report: "Report",
    screen: "Screen",
    *,
    refs: list[str],
    whole: bool,
    public: bool | None,
) -> None:
    from stoker.cli.importing.account import AccountImport
    from stoker.cli.importing.models import ModelImport
    from stoker.cli.importing.source import SourceFailed

    model = ModelImport(source, api, report, public=public)
    account = AccountImport(source, api, report, screen=screen, model=model)
    try:
        for ref in refs:
            account.copy_model(ref)
        if whole:
            account.run()
    except SourceFailed as error:
        if report.dry or not report.counts:
            raise
        more = "What was copied stays; run the same command again to go on."
        raise SourceFailed(f"{error.message} {more}") from error


def _tell(report: "Report", screen: "Screen", *, as_json: bool) -> None:
    """Reasons on stderr, counts on stdout; also of an import that did not come to its end."""
    from stoker.cli.terminal import text

    for reason in report.reasons():
        screen.line(reason)
    if as_json:
        click.echo(text.to_json(report.to_json()))
    elif report.counts:
        report.print()


def _refs(names: tuple[str, ...], whole: bool) -> list[str]:
    from stoker.cli.reference import parse

    if not names and not whole:
        raise click.UsageError("Name models as OWNER/NAME, or give --account.")
    return list(dict.fromkeys(parse(name, with_version=False).model for name in names))


def _token(file: TextIO | None) -> str:
    """The source's token: from the file, the environment, or whoever sits at the terminal."""
    if file is not None:
        token = file.read(10_000).strip()
    elif os.environ.get(TOKEN_VARIABLE):
        token = os.environ[TOKEN_VARIABLE].strip()
    elif sys.stdin.isatty():
        token = click.prompt("Token of the API that is copied from", hide_input=True, err=True).strip()
    else:
        token = ""
    if not token or not token.isascii() or not token.isprintable():
        raise click.UsageError(f"Set {TOKEN_VARIABLE}, or give --token-file, with the source's token.")
    return token
