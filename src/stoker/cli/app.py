"""The program: every command hangs here, and every expected failure ends as one sentence.

``stoker.main.entry`` adds ``serve`` to ``cli`` and calls it. Exit statuses: 0 done, 1 failed, 2 wrongly
called, 130 interrupted with Ctrl-C.
"""

from typing import Any

import click

from stoker.cli.accounts import account
from stoker.cli.boots import boots
from stoker.cli.catalog import catalog
from stoker.cli.doctor import doctor
from stoker.cli.imports import import_
from stoker.cli.models import models, versions
from stoker.cli.predictions import predictions
from stoker.cli.push import push
from stoker.cli.run import run
from stoker.cli.scales import scale, warm
from stoker.cli.tokens import token

INTERRUPTED = 130


class Program(click.Group):
    """A group whose commands end without a traceback for whatever was to be expected."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, click.Abort):  # the latter is Ctrl-C at a question
            click.echo("Interrupted.", err=True)
            ctx.exit(INTERRUPTED)
        except Exception as error:
            from stoker.core.errors import StokerError

            if isinstance(error, StokerError):
                raise click.ClickException(error.message) from error
            raise


@click.group(
    cls=Program,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Examples:
  stoker serve
  stoker push ./my-model local/my-model
  stoker run local/my-model -i prompt="Once upon a time" --stream
""",
)
@click.version_option(package_name="stoker", message="stoker %(version)s")
def cli() -> None:
    """Run open models on your own machines, through Replicate's HTTP API.

    Commands talk to the server that REPLICATE_BASE_URL and REPLICATE_API_TOKEN name, else to the one
    that 'stoker serve' started here.
    """


for command in (
    push,
    run,
    models,
    versions,
    predictions,
    scale,
    warm,
    boots,
    import_,
    token,
    account,
    catalog,
    doctor,
):
    cli.add_command(command)
