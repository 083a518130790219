"""Asks a model what it is: runs the worker's ``describe`` on its source, in its environment.

Called by the builder. The model's modules are imported there and nowhere else; the process has no token or
setting of the server in its environment, a time limit, and leaves nothing running.
"""

import asyncio
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from stoker.core.errors import BuildFailed
from stoker.host.views import view
from stoker.packaging.commands import Outcome, run
from stoker.packaging.environments.uv import OnLine, passed_on
from stoker_worker.bootstrap import command

_REQUEST_VARIABLE = "STOKER_DESCRIBE"
_DESCRIBE_S = 300.0
_ANSWER_LIMIT_BYTES = 16 * 1024 * 1024


class Described(msgspec.Struct, frozen=True):
    """What ``describe`` answers (``stoker_worker.describe``)."""

    schema: dict[str, Any]
    slots: int
    cog_version: str
    warnings: tuple[str, ...] = ()


class _Refused(msgspec.Struct, frozen=True):
    error: str
    traceback: str = ""


async def describe(
    python: Path,
    *,
    source: Path,
    home: Path,
    kept: Path | None,
    predict: str | None,
    train: str | None,
    concurrency: int | None,
    variables: Mapping[str, str],
    mark: str,
    on_line: OnLine,
) -> Described:
    """The model's schema; raises ``BuildFailed`` with a plain sentence, the traceback goes to ``on_line``.

    ``home`` is empty and gets what was ``kept`` of the build's home, as an instance's has it too.
    """
    if kept is not None:
        await asyncio.to_thread(view, kept, home)
    with tempfile.TemporaryFile(dir=home) as answer:
        request = {
            "predict": predict,
            "train": train,
            "concurrency_max": concurrency,
            "answer_fd": answer.fileno(),
        }
        outcome = await run(
            command(python, "stoker_worker.describe"),
            cwd=source,
            env={**_environment(python, home, variables), _REQUEST_VARIABLE: json.dumps(request)},
            mark=mark,
            timeout_s=_DESCRIBE_S,
            on_line=on_line,
            pass_fds=[answer.fileno()],
        )
        answer.seek(0)
        return _read(outcome, answer.read(_ANSWER_LIMIT_BYTES), on_line)


def _environment(python: Path, home: Path, variables: Mapping[str, str]) -> dict[str, str]:
    """As an instance has it: the author's variables, but never a folder of the server's user."""
    passed = {
        name: value for name, value in passed_on(os.environ).items() if not name.startswith(("UV_", "PIP_"))
    }
    return {
        **passed,
        **variables,
        "PATH": f"{python.parent}:{passed.get('PATH', os.defpath)}",
        "VIRTUAL_ENV": str(python.parent.parent),
        "HOME": str(home),
        "TMPDIR": str(home),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
    }


def _read(outcome: Outcome, answer: bytes, on_line: OnLine) -> Described:
    if outcome.timed_out:
        raise BuildFailed(f"The model's modules were not imported within {_DESCRIBE_S:.0f} seconds.")
    try:
        if msgspec.json.decode(answer)["ok"]:
            return msgspec.json.decode(answer, type=Described)
        refused = msgspec.json.decode(answer, type=_Refused)
    except (msgspec.DecodeError, KeyError, TypeError):
        raise BuildFailed(
            f"The model's schema could not be made: its process ended with {_ending(outcome)} while "
            f"the model was imported."
        ) from None
    for line in refused.traceback.splitlines():
        on_line(line)
    raise BuildFailed(f"The model's schema could not be made: {refused.error}")


def _ending(outcome: Outcome) -> str:
    return f"signal {-outcome.code}" if outcome.code < 0 else f"exit status {outcome.code}"
