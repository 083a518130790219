"""Whether a prediction ended in the right state: pure, from what was asked, answered, and killed.

The rules: an end by itself is the one that was asked for. ``interrupted`` is only who ran when the server was
killed, and all who did. A crash fails only who ran in the instance that was killed; a boot that was killed,
those who waited for that model. Each event is told of once, twice only where the server was killed between.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec

from stoker.core.prediction import INTERRUPTED
from tests.soak.plan import Act, Victim

FINAL = ("succeeded", "failed", "canceled")
CRASHED = "Prediction failed: killed by signal SIGKILL (E8367)"
NOT_STARTED = "Model setup failed: killed by signal SIGKILL"
UNNOTICED_US = 2_000_000
"""How long ago an instance may have died that a prediction ran in or waited for: nobody had noticed yet."""
WAITS = "[stoker] Waiting:"

Json = dict[str, Any]


class Kill(msgspec.Struct, frozen=True, kw_only=True):
    """From the moment before until it was certainly dead."""

    victim: Victim
    begun_us: int
    ended_us: int
    pid: int
    model: str = ""

    def is_within(self, start_us: int, end_us: int) -> bool:
        return start_us <= self.ended_us and self.begun_us <= end_us


class Hook(msgspec.Struct, frozen=True):
    """One delivery of a webhook."""

    at_us: int
    message: str
    status: str


class Told(msgspec.Struct, kw_only=True):
    """All that the client of one prediction was told."""

    act: Act
    id: str = ""
    final: Json = {}
    content: str | None = None
    """Of the file that it gave."""
    events: list[tuple[str, str, str]] = []
    """Id, name and data of what its stream told."""
    hooks: list[Hook] = []
    cancelled: bool = False
    """Whether the client asked for that."""


def problems(told: Told, kills: Sequence[Kill]) -> list[str]:
    """In words; none where all is right."""
    if told.final.get("status") not in FINAL:
        return [f"it did not end: {told.final}"]
    return [
        *_of_its_end(told, kills),
        *_of_its_account(told.final),
        *_of_its_stream(told, kills),
        *_of_its_hooks(told, kills),
    ]


def _of_its_end(told: Told, kills: Sequence[Kill]) -> Iterator[str]:
    act, final = told.act, told.final
    status, error = final["status"], final["error"] or ""
    started, ended = _us(final["started_at"]), _us(final["completed_at"]) or 0
    deaths = [kill for kill in kills if kill.victim == "server"]
    if error == INTERRUPTED:
        if started is None or not any(kill.is_within(started, ended) for kill in deaths):
            yield "it was interrupted, and the server lived"
    elif started is not None and any(started < kill.begun_us and kill.ended_us < ended for kill in deaths):
        yield "it survived the server in which it ran"
    elif error.startswith(CRASHED):
        pid = _pid(final["logs"])
        died = [kill for kill in kills if kill.victim == "instance" and pid in (None, kill.pid)]
        since = (started or 0) - (0 if pid else UNNOTICED_US)
        if not any(kill.is_within(since, ended) for kill in died):
            yield f"it crashed, and nobody killed its instance {pid}"
    elif error.startswith(NOT_STARTED):
        died = [kill for kill in kills if kill.victim == "instance" and kill.model == act.name]
        since = (_us(final["created_at"]) or 0) - UNNOTICED_US
        if started is not None or not any(kill.is_within(since, ended) for kill in died):
            yield "its instance did not start, and nobody killed it"
    elif status == "succeeded":
        yield from _of_its_success(told)
    elif status == "failed" and not (act.does == "raise" and error == f"no {act.text}"):
        yield f"it failed with {error!r}"
    elif status == "canceled" and not (told.cancelled or act.cancel == "deadline"):
        yield "it was cancelled by nobody"


def _of_its_success(told: Told) -> Iterator[str]:
    act, final = told.act, told.final
    output = told.content if act.kind == "file" else final["output"]
    if act.does != "do":
        yield f"it succeeded, and was to {act.does}"
    if output != act.output:
        yield f"it gave {output!r} and not {act.output!r}"
    lines = [line for line in final["logs"].splitlines() if not line.startswith(WAITS)]
    if len(lines) != 2 or lines[1] != f"do {act.text}" or not lines[0].startswith("pid "):
        yield f"its logs are {final['logs']!r}"
    if final["metrics"].get("runs") != 1:
        yield f"it ran {final['metrics'].get('runs')} times"


def _of_its_account(final: Json) -> Iterator[str]:
    """What is paid for is the time from its start to its end, once."""
    started, ended = _us(final["started_at"]), _us(final["completed_at"]) or 0
    run_us = 0 if started is None else ended - started
    metered = final["metrics"].get("predict_time")
    if metered is None or abs(metered * 1e6 - run_us) > 1:
        yield f"{metered} s are metered, and it ran for {run_us / 1e6} s"


def _of_its_stream(told: Told, kills: Sequence[Kill]) -> Iterator[str]:
    if told.act.asks != "stream":
        return
    ids = [id for id, _, _ in told.events]
    if len(set(ids)) < len(ids) and told.final["error"] != INTERRUPTED:
        yield f"its stream told an event twice: {told.events}"
    if told.final["status"] == "succeeded":
        given = [data for _, name, data in told.events if name == "output"]
        if given != told.final["output"]:
            yield f"its stream gave {given}"
        if [name for _, name, _ in told.events].count("done") != 1:
            yield f"its stream did not end once: {told.events}"


def _of_its_hooks(told: Told, kills: Sequence[Kill]) -> Iterator[str]:
    if told.act.asks != "hook":
        return
    messages = {hook.message: hook.status for hook in told.hooks}
    ends = [status for status in messages.values() if status in FINAL]
    if ends != [told.final["status"]]:
        yield f"its end was told as {ends}"
    if list(messages.values()).count("processing") != (0 if told.final["started_at"] is None else 1):
        yield f"its start was told wrongly: {messages}"
    for message, times in Counter(hook.message for hook in told.hooks).items():
        moments = [hook.at_us for hook in told.hooks if hook.message == message]
        deaths = [kill for kill in kills if kill.victim == "server"]
        if times > 1 and not any(kill.is_within(min(moments), max(moments)) for kill in deaths):
            yield f"webhook {message} came {times} times"


def _pid(logs: str) -> int | None:
    """Of the process that it ran in; None where that is not known."""
    found = [line for line in logs.splitlines() if line.startswith("pid ")]
    return int(found[0].removeprefix("pid ")) if found else None


def _us(time: str | None) -> int | None:
    if time is None:
        return None
    moment = datetime.fromisoformat(time)
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond
