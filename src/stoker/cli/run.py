"""``stoker run``: one prediction, from its inputs on the command line to its output here."""

import click

from stoker.cli import options


@click.command(
    epilog="""\b
Examples:
  stoker run local/story -i prompt="Once upon a time" --stream
  stoker run local/sketch -i image=@photo.jpg -o sketch.png
  stoker run local/tags -i words='["sun", "sea"]' --json | jq .output
  stoker run local/summary -i text=@article.txt > summary.txt
"""
)
@click.argument("name", metavar="OWNER/NAME[:VERSION]")
@click.option(
    "-i", "--input", "given", multiple=True, metavar="NAME=VALUE", help="An input; @FILE sends a file."
)
@click.option("--stream", is_flag=True, help="Print the output as it comes. Text on a terminal always does.")
@options.as_json("Print the prediction as JSON; with --stream, JSON lines.")
@click.option(
    "-o", "--output", "target", metavar="FILE", help="Write the output to this file or folder; - is stdout."
)
@click.option(
    "--priority",
    type=click.Choice(["high", "normal", "low"]),
    help="Its turn among what waits of your account for the same model.",
)
@click.pass_context
def run(
    ctx: click.Context,
    name: str,
    given: tuple[str, ...],
    stream: bool,
    as_json: bool,
    target: str | None,
    priority: str | None,
) -> None:
    """Run a model once and wait for its output.

    Values become what the model's schema asks for: numbers, true or false, JSON for arrays and objects,
    text as it is. @FILE sends a file to a file input, and the text in the file to any other (@- is
    stdin, @@ begins a text with an at-sign). Repeat -i for the items of an array.

    Text and other values go to stdout. Files are saved in the current folder under their own names, or
    where -o says; several get numbers. Logs and progress go to stderr.

    Exit status: 0 succeeded, 1 failed or canceled by somebody else, 2 wrong usage, 130 canceled with
    Ctrl-C.
    """
    from stoker.cli.reference import parse
    from stoker.cli.running.execution import Order, execute

    order = Order(parse(name), given, stream=stream, as_json=as_json, target=target, priority=priority)
    ctx.exit(execute(order))
