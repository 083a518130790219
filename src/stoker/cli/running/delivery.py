"""Where a prediction's output goes: pieces as they come, the rest when it has ended. Used by execution."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from stoker.cli.running import outputs
from stoker.cli.running.follow import Prediction, public_base
from stoker.cli.running.outputs import STDOUT, Saver
from stoker.cli.server.client import Api


class Delivery:
    """``target`` is what ``-o`` named: a file or folder, ``-``, or None."""

    def __init__(self, api: Api, openapi: dict[str, Any], target: str | None, *, as_json: bool):
        self._api = api
        self._openapi = openapi
        self._shape = openapi["components"]["schemas"].get("Output", {})
        self._target = target
        self._as_json = as_json
        self._streamed = False
        self._mid_line = False
        self.is_text = outputs.is_concatenated(openapi)
        """Whether the output is one text in pieces."""

    def write_piece(self, piece: str) -> None:
        """One piece of a streamed output, at once. Files wait for the end, when all of them are known."""
        if self._as_json:
            click.echo(json.dumps({"output": piece}))
        elif self._target in (None, STDOUT) and not outputs.names_files(self._shape, self._openapi):
            words = piece if self.is_text else piece + "\n"
            click.echo(words, nl=False)
            self._streamed = True
            self._mid_line = not words.endswith("\n")

    def end_line(self) -> None:
        """Something else comes next on the same terminal, or nothing at all."""
        if self._mid_line:
            self._mid_line = False
            click.echo()

    def finish(self, prediction: Prediction) -> None:
        """Delivers what of the output is not delivered yet."""
        self.end_line()
        output = prediction["output"]
        wanted = prediction["status"] == "succeeded" or self.is_text
        if output is None or self._streamed or not wanted or (self._as_json and self._target is None):
            return
        base = public_base(prediction)
        count = outputs.count_files(output, self._shape, self._openapi, own=f"{base}/delivery/")
        if count == 0:
            self._finish_value(output)
        else:
            saver = Saver(self._api, self._target, public_base=base, several=count > 1)
            self._finish_files(output, saver, own=f"{base}/delivery/")

    def _finish_value(self, output: Any) -> None:
        words = outputs.printed(output, self._openapi)
        if self._target is None or self._target == STDOUT:
            click.echo(words, nl=not words.endswith("\n"))
            return
        name = "output.txt" if isinstance(output, str) or self.is_text else "output.json"
        path = outputs.place(self._target, name) or Path(self._target)
        try:
            path.write_text(words, "utf-8")
        except OSError as error:
            raise click.ClickException(f"{path} cannot be written: {error.strerror}.") from error
        click.echo(f"Saved {path}", err=True)

    def _finish_files(self, output: Any, saver: Saver, *, own: str) -> None:
        """Saves them. stdout gets the paths in a pipe, and the whole output where that is more than files."""
        told = outputs.replace_files(output, self._shape, self._openapi, own=own, save=saver.save)
        if self._target == STDOUT or self._as_json:
            return
        if told in (saver.saved, *saver.saved):
            if not sys.stdout.isatty():
                click.echo("\n".join(saver.saved))
            return
        click.echo(outputs.printed(told, self._openapi))
