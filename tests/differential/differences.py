"""Where a prediction ends otherwise than on Cog's own server, on purpose.

The words of each row stand in the table of ``docs/models.md`` as well (``python -m
tests.differential.differences`` prints them), which also has what cannot be seen in one prediction. What
Replicate is recorded to do goes before what Cog's server does, and its defects are not ours.
"""

import json
import re

from tests.differential.comparison import Difference
from tests.differential.outcome import file_described
from tests.differential.scenarios import SCENARIOS

_ANY = ".*"
_NONE = "null"
_PREFIX = r"Prediction failed: (?:Prediction failed|Generator iteration error|Async prediction failed): "
_NOT_JSON = r"Prediction failed: Failed to (?:serialize|parse) output.*"
_TRACE = r"Traceback \(most recent call last\):\n.*"


def _of(model: str, *, without: tuple[str, ...] = ()) -> tuple[str, ...]:
    return tuple(s.id for s in SCENARIOS if s.model == model and s.name not in without)


_FRAMES = re.escape(
    json.dumps(
        [file_described("text/plain", f"frame {number}".encode()) for number in range(3)], sort_keys=True
    )
)

_WORDLESS = ("no text", "assert", "keyboard", "generator exit")
_EXITS = ("exit", "exit with text")

DIFFERENCES: tuple[Difference, ...] = (
    Difference(
        case="error of a failed prediction",
        cog="`Prediction failed: Prediction failed: ValueError: boom`",
        ours="`boom`",
        why="as on Replicate; clients show it verbatim",
        scenarios=(
            *_of("errors", without=("cancelled itself", *_WORDLESS, *_EXITS)),
            "async_errors/value error",
            "async_errors/in a task",
            "iterator/fails",
            "concatenate/fails",
            "metrics/fails",
        ),
        fields={"error": (_PREFIX + r"\w+: (?P<words>.+)", "(?P=words)")},
    ),
    Difference(
        case="error of an exception without a text",
        cog="the class, a colon and nothing",
        ours="the class",
        why="an error is never empty",
        scenarios=(*(f"errors/{way}" for way in _WORDLESS), "async_errors/time out"),
        fields={"error": (_PREFIX + r"(?P<kind>\w+): ", "(?P=kind)")},
    ),
    Difference(
        case="error of `sys.exit(3)`",
        cog="`Prediction failed: Prediction failed: SystemExit: 3`",
        ours="`SystemExit: 3`",
        why="the code alone would say nothing",
        scenarios=tuple(f"errors/{way}" for way in _EXITS),
        fields={"error": (_PREFIX + r"(?P<words>SystemExit: \w+)", "(?P=words)")},
    ),
    Difference(
        case="traceback",
        cog="nowhere",
        ours="in the logs",
        why="as on Replicate",
        scenarios=(
            *_of("errors", without=("cancelled itself",)),
            *_of("async_errors", without=("the word cancelled", "cancelled itself", "exit", "none")),
            "iterator/fails",
            "concatenate/fails",
            "metrics/fails",
        ),
        fields={"logs": (r"(?P<printed>.*)", r"(?P=printed)(?:\w.*)?" + _TRACE)},
    ),
    Difference(
        case='an exception whose text has "cancelled" in it',
        cog="`canceled`",
        ours="`failed`",
        why="only a cancel cancels",
        scenarios=("async_errors/the word cancelled",),
        fields={
            "status": ("canceled", "failed"),
            "error": (_NONE, "it was cancelled by CancelledError"),
            "logs": ("before the end\n", "before the end\n" + _TRACE),
        },
    ),
    Difference(
        case="`CancelationException` raised by asynchronous code itself",
        cog="`failed`",
        ours="`canceled`",
        why="as in synchronous code",
        scenarios=("async_errors/cancelled itself",),
        fields={"status": ("failed", "canceled"), "error": (_PREFIX + "CancelationException: ", _NONE)},
    ),
    Difference(
        case="`sys.exit` in asynchronous code",
        cog="the server hangs",
        ours="that prediction fails",
        why="one request must not end all",
        scenarios=("async_errors/exit",),
        fields={
            "status": ("unanswered", "failed"),
            "error": (_NONE, "SystemExit: 3"),
            "logs": ("", "before the end\n" + _TRACE),
        },
    ),
    Difference(
        case="error when the process dies",
        cog="`Worker crashed`",
        ours="how it died: `Prediction failed: killed by signal SIGKILL (E8367)`",
        why="one needs to know whether it was the memory",
        scenarios=("crash/*",),
        fields={
            "error": (
                "Worker crashed",
                r"Prediction failed: (?:exited with code [03]|killed by signal SIG(?:KILL|SEGV|ABRT).*)"
                r" \(E8367\)",
            )
        },
    ),
    Difference(
        case="what a cancelled model prints while it cleans up",
        cog="in the logs",
        ours="not in the logs",
        why="the prediction is over when the cancel is answered, as on Replicate",
        scenarios=("cancellable/cleans up",),
        fields={"logs": ("started\ncleaned up\n", "started\n")},
    ),
    Difference(
        case="a value returned in spite of a cancel",
        cog="in the webhooks, as a list",
        ours="dropped",
        why="it was cancelled",
        scenarios=("cancellable/swallows",),
        fields={"output": (r'\["carried on"\]', _NONE)},
    ),
    Difference(
        case="explicit `null` for an input that may be left out",
        cog="refused",
        ours="accepted, as if left out",
        why="clients send it",
        scenarios=("input_types/null for optional", "input_types/null for seed"),
        fields={
            "status": ("refused", "succeeded"),
            "error": (r'\["(?:maybe|seed)"\]', _NONE),
            "output": (_NONE, r'.*"maybe": \["NoneType", null\].*"seed": \["NoneType", null\].*'),
        },
    ),
    Difference(
        case="`5.0` for an `int`",
        cog="a `float`",
        ours="an `int`",
        why="the annotation says so",
        scenarios=("input_types/whole float for int",),
        fields={
            "output": (
                r'(?P<before>.*"number": )\["float", 5.0\](?P<after>.*)',
                r'(?P=before)\["int", 5\](?P=after)',
            )
        },
    ),
    Difference(
        case="bad base64 in a data URL",
        cog="an empty file",
        ours="refused",
        why="it is an error",
        scenarios=("input_files/bad data url",),
        fields={
            "status": ("succeeded", "refused"),
            "output": (r'.*"size_bytes": 0.*', _NONE),
            "error": (_NONE, r'\["one"\]'),
        },
    ),
    Difference(
        case="a default that is a URL or a path",
        cog="the string",
        ours="a `Path`",
        why="the annotation says so",
        scenarios=("defaults/first", "defaults/given"),
        fields={
            "output": (
                r'(?P<before>\{"file": \[)"str"(?P<after>.*)',
                r'(?P=before)"(?:Posix)?Path"(?P=after)',
            )
        },
    ),
    Difference(
        case="decorated methods",
        cog="left-out inputs arrive as `FieldInfo`, files as strings",
        ours="defaults and files as without the decorator",
        why="`@torch.inference_mode()` is common",
        scenarios=("decorated/nothing",),
        fields={"output": (r"FieldInfo\(.*", "default 2 NoneType")},
    ),
    Difference(
        case="coders (`cog.coder.Coder`)",
        cog="ignored at run time",
        ours="applied on both sides",
        why="the SDK documents them",
        scenarios=("coders/point",),
        fields={
            "status": ("failed", "succeeded"),
            "output": (_NONE, r'\{"x": 2, "y": 1\}'),
            "error": (_ANY, _NONE),
        },
    ),
    Difference(
        case="`weights` argument of `setup`",
        cog="`COG_WEIGHTS` or None",
        ours="converted as annotated; else the folder `weights`, if there is one",
        why="as the SDK documents",
        scenarios=("setup_weights/plain",),
        fields={"output": (r'\{"given": null, (?P<rest>.*)', r'\{"given": "weights", (?P=rest)')},
    ),
    Difference(
        case="subprocess and C output",
        cog="the server's log only",
        ours="the prediction's logs",
        why="as on Replicate",
        scenarios=tuple(f"logs/{way}" for way in ("subprocess", "os.write", "buffer", "dunder", "not utf-8")),
        fields={"logs": ("", r"(?:from .*|bad \ufffd byte)\n")},
    ),
    Difference(
        case="order of what is printed by Python and by others",
        cog="the others' part is missing",
        ours="the order of writing",
        why="as on Replicate",
        scenarios=("logs/in order",),
        fields={"logs": ("first\nfourth\n", "first\nsecond\nthird\nfourth\n")},
    ),
    Difference(
        case="`sys.stdout.writelines`",
        cog="`AttributeError`",
        ours="works",
        why="`sys.stdout` is a text stream",
        scenarios=("logs/writelines",),
        fields={
            "status": ("failed", "succeeded"),
            "error": (_PREFIX + "AttributeError: .*", _NONE),
            "logs": ("", "one\ntwo\n"),
        },
    ),
    Difference(
        case="part of a line without a newline",
        cog="appears in a later prediction's logs",
        ours="is flushed at the end of its own",
        why="it belongs there",
        scenarios=("logs/unterminated", "async_logs/one"),
        fields={"logs": (r"(?P<lines>.*)", r"(?P=lines)(?:a unterminated|no newline at the end)")},
    ),
    Difference(
        case="missing output file",
        cog="success with `null`, or one item less",
        ours="failed",
        why="an answer without its file is none",
        scenarios=("output_values/missing file", "output_values/missing file in a list"),
        fields={
            "status": ("succeeded", "failed"),
            "output": (_ANY, _NONE),
            "error": (_NONE, "output file /nowhere/missing.txt does not exist"),
            "logs": ("", _ANY),
        },
    ),
    Difference(
        case="file yielded, then reused or deleted",
        cog="wrong or empty output",
        ours="the content at the moment of the yield",
        why="a copy is taken",
        scenarios=("iterator_of_files/three",),
        fields={"output": (_ANY, _FRAMES)},
    ),
    Difference(
        case="text files, `StringIO` as output",
        cog="fail",
        ours="UTF-8",
        why="the SDK documents it",
        scenarios=("output_values/text file",),
        fields={
            "status": ("failed", "succeeded"),
            "output": (_NONE, r'.*"text/plain".*'),
            "error": ("Prediction failed: Failed to read IOBase: .*", _NONE),
        },
    ),
    Difference(
        case="type of a `StringIO` inside another value",
        cog="`application/octet-stream`",
        ours="`text/plain`",
        why="it is text",
        scenarios=("output_values/text file inside",),
        fields={"output": (r'.*"application/octet-stream"(?P<rest>.*)', r'.*"text/plain"(?P=rest)')},
    ),
    Difference(
        case="`date`, `Decimal`, `UUID`, numpy `bool`, `iter()` and `map` in outputs",
        cog="fail",
        ours="text, number, boolean, list",
        why="their meaning is plain (`bytes` have none and fail with advice)",
        scenarios=tuple(f"output_values/{kind}" for kind in ("date", "decimal", "uuid", "iterator", "map")),
        fields={
            "status": ("failed", "succeeded"),
            "output": (_NONE, r'2026-01-02|1\.5|00000000-.*5|\[1, 2\]|\{"in": \["1"\]\}'),
            "error": (_NOT_JSON, _NONE),
        },
    ),
    Difference(
        case="`NaN`, infinities in outputs",
        cog="fail with a parser's message",
        ours="fail with a plain sentence",
        why="JSON has none",
        scenarios=("output_values/nan", "output_values/infinity"),
        fields={
            "error": (_NOT_JSON, "the output has the number (?:nan|inf), which JSON cannot hold"),
            "logs": ("", _ANY),
        },
    ),
    Difference(
        case="other values that JSON cannot hold",
        cog="fail with a serialiser's message",
        ours="fail with a plain sentence",
        why="they have no plain meaning",
        scenarios=tuple(f"output_values/{kind}" for kind in ("bytes", "lone surrogate", "custom class*")),
        fields={"error": (_NOT_JSON, "the output has .*"), "logs": ("", _ANY)},
    ),
    Difference(
        case="a returned list with a value that JSON cannot hold",
        cog="the items before it",
        ours="no output",
        why="it was returned whole, not yielded",
        scenarios=("output_values/custom class inside",),
        fields={"output": (r"\[1\]", _NONE)},
    ),
    Difference(
        case="integers beyond 64 bits in outputs",
        cog="rounded to floats",
        ours="exact",
        why="JSON can hold them",
        scenarios=("output_values/big int",),
        fields={"output": (r"1\.18\d+e\+21", "1180591620717411303424")},
    ),
    Difference(
        case="`Secret` in outputs",
        cog="leaks",
        ours="masked",
        why="it is a secret",
        scenarios=("output_values/secret*",),
        fields={
            "output": (
                r'(?P<before>.*)\{"secret_value": "hush"\}(?P<after>.*)',
                r'(?P=before)"?\*{10}"?(?P=after)',
            )
        },
    ),
)


if __name__ == "__main__":
    print("\n".join(row.row() for row in DIFFERENCES))
