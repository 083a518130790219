"""Says what a model is, for the builder: its schema, how many predictions it runs at once, what to warn of.

A process of its own, started by the server with ``bootstrap.command(python, "stoker_worker.describe")`` in
the model's folder. Imports the model's modules but makes no instance and never sets it up: building needs
neither the weights nor the GPU.

``STOKER_DESCRIBE`` holds the request, a JSON object: ``{"predict": "predict.py:Predictor" | null,
"train": null, "concurrency_max": 4 | null, "answer_fd": 3}``. The answer is one JSON object, written to that
descriptor (what the model prints goes to 1 and 2): ``{"ok": true, "schema", "slots", "streaming",
"cog_version", "warnings"}`` or ``{"ok": false, "error": "a sentence", "traceback": "..."}``. The descriptor
is best that of a temporary file: a pipe would stay open in a child process that the model leaves behind.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

from stoker_worker import loading, schema, signature
from stoker_worker.errors import ModelError
from stoker_worker.loading import Loaded
from stoker_worker.sdk import cog

_OWN_FOLDER = str(Path(__file__).parent)


def main() -> None:
    """Answers the request and ends the process, whatever threads the model has started."""
    request = json.loads(os.environ.pop("STOKER_DESCRIBE"))
    descriptor = request["answer_fd"]
    os.set_inheritable(descriptor, False)
    answer = json.dumps(_answer(request)).encode()
    with os.fdopen(descriptor, "wb") as file:
        file.write(answer)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, OSError, ValueError):  # the model may have replaced it
            stream.flush()
    os._exit(0)


def describe(predict: str | None, train: str | None, concurrency_max: int | None) -> dict[str, Any]:
    """The answer's content for references into the current folder; raises what the model's code raises."""
    runner = loading.load(predict, make=False) if predict else None
    trainer = loading.load(train, mode="train", make=False) if train else None
    for loaded in (runner, trainer):
        if loaded is not None and loaded.setup is not None:
            signature.check_setup(loaded.setup)
    document, warnings = schema.document(runner, trainer)
    return {
        "schema": document,
        "slots": _slots(runner, concurrency_max),
        "streaming": runner is not None and runner.streaming,
        "cog_version": cog.__version__,
        "warnings": list(dict.fromkeys(warnings)),
    }


def _slots(runner: Loaded | None, concurrency_max: int | None) -> int:
    """How many predictions one instance runs at once: cog.yaml's word goes before the decorator's."""
    if runner is None:
        return 1
    slots = concurrency_max or runner.concurrent_max or 1
    if slots > 1 and not runner.is_async:
        raise ModelError("concurrency.max > 1 requires an async run() or predict() method")
    return slots


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    try:
        found = describe(request["predict"], request["train"], request["concurrency_max"])
    except ModelError as error:
        return {"ok": False, "error": str(error), "traceback": ""}
    except BaseException as error:  # noqa: BLE001 - the model's code ran: SystemExit is as likely as any
        return {"ok": False, "error": _sentence(error), "traceback": _traceback(error)}
    return {"ok": True, **found}


def _sentence(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return f"the model called sys.exit({error.code!r}) while it was imported"
    lines = traceback.format_exception_only(type(error), error)
    return f"the model could not be imported: {lines[-1].strip()}"


def _traceback(error: BaseException) -> str:
    """The traceback without the frames of this package and of the import machinery."""
    written = traceback.TracebackException.from_exception(error)
    written.stack = traceback.StackSummary.from_list(
        frame
        for frame in written.stack
        if not frame.filename.startswith((_OWN_FOLDER, "<frozen importlib", "<string>"))
    )
    return "".join(written.format())
