"""Runs one prediction for ``stoker run``: create it, watch it, deliver its output, cancel it on Ctrl-C."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from stoker.cli.reference import Reference
from stoker.cli.running import follow, inputs, outputs
from stoker.cli.running.delivery import Delivery
from stoker.cli.running.follow import Prediction
from stoker.cli.server.client import Api, Refused, connect
from stoker.cli.terminal import text
from stoker.cli.terminal.screen import Screen, open_screen

SUCCEEDED, FAILED, INTERRUPTED = 0, 1, 130


@dataclass(frozen=True)
class Order:
    """What the command line asked for."""

    reference: Reference
    given: tuple[str, ...]
    stream: bool
    as_json: bool
    target: str | None
    """What ``-o`` named."""
    priority: str | None = None


def execute(order: Order) -> int:
    """Does it; the exit status."""
    outputs.check_target(order.target)
    api = connect()
    version = _version(api, order.reference)
    with open_screen() as screen:
        prediction = _created(api, order, _inputs(api, order, version, screen), screen)
        delivery = Delivery(api, version["openapi_schema"], order.target, as_json=order.as_json)
        try:
            prediction = _watched(api, prediction, order, delivery, screen)
        except KeyboardInterrupt:
            screen.clear()
            return _cancel(api, prediction["id"])
        except BrokenPipeError:  # whoever read the output has gone, as ``head`` does
            api.post(f"/predictions/{prediction['id']}/cancel")
            raise
    return _deliver(prediction, order, delivery)


def _version(api: Api, reference: Reference) -> dict[str, Any]:
    if reference.version is not None:
        found = api.find(f"/models/{reference.model}/versions/{reference.version}")
        if found is None:
            raise click.ClickException(
                f"{reference.model} has no version {reference.version}, or it is not yours."
            )
        return found
    model = api.find(f"/models/{reference.model}")
    if model is None:
        raise click.ClickException(
            f"There is no model {reference.model}. 'stoker models' lists what there is."
        )
    if model["latest_version"] is None:
        raise click.ClickException(
            f"{reference.model} has no version yet. Make one with 'stoker push DIR {reference.model}'."
        )
    return model["latest_version"]


def _inputs(api: Api, order: Order, version: dict[str, Any], screen: Screen) -> dict[str, Any]:
    def attach(path: str) -> str:
        if path == "-":
            return api.post_file("/files", "stdin", sys.stdin.buffer)["urls"]["get"]
        file = Path(path).expanduser()
        try:
            with file.open("rb") as content:
                screen.phase(f"Uploading {file.name}")
                return api.post_file("/files", file.name, content)["urls"]["get"]
        except OSError as error:
            raise click.UsageError(f"{path} cannot be read: {error.strerror}.") from error

    return inputs.read(order.given, version["openapi_schema"], model=order.reference.model, attach=attach)


def _created(api: Api, order: Order, given: dict[str, Any], screen: Screen) -> Prediction:
    """The model is named, not the version's bare id: several models may have a version of the same files."""
    screen.phase("Sending")
    body = {"version": str(order.reference), "input": given}
    headers = {"Stoker-Priority": order.priority} if order.priority else {}
    try:
        return api.post("/predictions", body, headers=headers)
    except Refused as error:
        if error.status == 422:  # as for the inputs that are refused here
            raise click.UsageError(error.message) from error
        raise


def _watched(
    api: Api, prediction: Prediction, order: Order, delivery: Delivery, screen: Screen
) -> Prediction:
    on_terminal = sys.stdout.isatty()
    watch = follow.Watch(api, screen, before_line=delivery.end_line if on_terminal else lambda: None)
    if not (order.stream or (delivery.is_text and on_terminal and not order.as_json)):
        return follow.wait(api, prediction, watch.take)
    if "stream" not in prediction["urls"]:
        screen.line("This model does not stream; its output comes in one piece.")
        return follow.wait(api, prediction, watch.take)

    def write(piece: str) -> None:
        if on_terminal:
            watch.hush()
        delivery.write_piece(piece)

    return follow.stream(api, prediction, watch, write)


def _cancel(api: Api, id: str) -> int:
    below_the_ctrl_c = "\n" if sys.stderr.isatty() else ""
    click.echo(f"{below_the_ctrl_c}Canceling {id}.", err=True)
    api.post(f"/predictions/{id}/cancel")
    return INTERRUPTED


def _deliver(prediction: Prediction, order: Order, delivery: Delivery) -> int:
    delivery.finish(prediction)
    if order.as_json:
        click.echo(json.dumps(prediction) if order.stream else text.to_json(prediction))
    if prediction["status"] == "succeeded":
        return SUCCEEDED
    reason = "failed" if prediction["status"] == "failed" else "was canceled"
    detail = f": {prediction['error']}" if prediction["error"] else "."
    click.echo(f"Error: the prediction {prediction['id']} {reason}{detail}", err=True)
    return FAILED
