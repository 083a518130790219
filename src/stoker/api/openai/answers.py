"""OpenAI's answers of text: a chat's and a completion's, whole and in chunks. Pure.

A chunk is written around a piece of text that is JSON already, so that a token costs one join.
"""

from typing import Any, ClassVar, Literal, NamedTuple, cast

import msgspec

from stoker.api.openai.targets import Target
from stoker.api.wire import encode
from stoker.core.prediction import Prediction

Finish = Literal["stop", "length"]
Counted = dict[str, int]

MARK = "\0"
"""Where the text goes in a chunk's frame; no other text of a frame can hold it."""


class Outcome(NamedTuple):
    """What one prediction gave."""

    text: str
    finish: Finish
    usage: Counted | None


def outcome(prediction: Prediction, most_tokens: int | None) -> Outcome:
    """Of a prediction that has succeeded; ``most_tokens`` is after how many the model stops."""
    metrics = cast(dict[str, Any], msgspec.json.decode(prediction.metrics))
    usage = _usage(metrics)
    output = None if prediction.output is None else msgspec.json.decode(prediction.output)
    return Outcome(joined(output), _finish(metrics, usage, most_tokens), usage)


def _finish(metrics: dict[str, Any], usage: Counted | None, most_tokens: int | None) -> Finish:
    """As the model says it, who alone knows its context; else by the number of tokens."""
    said = metrics.get("finish_reason")
    if said == "stop" or said == "length":
        return said
    cut = usage is not None and most_tokens is not None and usage["completion_tokens"] >= most_tokens
    return "length" if cut else "stop"


def joined(output: Any) -> str:
    """An output as one text."""
    if isinstance(output, list):
        return "".join(joined(item) for item in cast(list[Any], output))
    if output is None:
        return ""
    return output if isinstance(output, str) else encode(output).decode()


def total(usages: list[Counted | None]) -> Counted | None:
    """All tokens that were counted; None where some were not."""
    known = [usage for usage in usages if usage is not None]
    if not known or len(known) < len(usages):
        return None
    return {name: sum(usage[name] for usage in known) for name in known[0]}


def _usage(metrics: dict[str, Any]) -> Counted | None:
    """What the model recorded of its tokens: ``input_token_count`` and ``output_token_count``."""
    read, written = metrics.get("input_token_count"), metrics.get("output_token_count")
    if type(read) is not int or type(written) is not int:
        return None
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


class Shape:
    """How one endpoint tells of text. ``first`` is the prediction that the answer is known by."""

    prefix: ClassVar[str]
    object: ClassVar[str]
    chunk_object: ClassVar[str]

    def __init__(self, target: Target, first: Prediction, *, with_usage: bool = False):
        self._head: dict[str, Any] = {
            "id": f"{self.prefix}-{first.id}",
            "created": first.created_us // 1_000_000,
            "model": target.name,
            "system_fingerprint": target.known.version.id,
        }
        self._with_usage = with_usage
        self._frames: dict[int, list[bytes]] = {}

    def whole(self, outcomes: list[Outcome]) -> dict[str, Any]:
        """The answer in one."""
        choices = [self._choice(n, outcome.text, outcome.finish) for n, outcome in enumerate(outcomes)]
        usage = total([outcome.usage for outcome in outcomes])
        return {**self._head, "object": self.object, "choices": choices, "usage": usage}

    def opening(self, index: int) -> bytes:
        """What a choice's chunks begin with."""
        return b""

    def piece(self, index: int, text: bytes) -> bytes:
        """A piece of a choice's text, which is a JSON string."""
        frame = self._frames.get(index)
        if frame is None:
            frame = self._chunk([self._delta(index, MARK, None)]).split(encode(MARK))
            self._frames[index] = frame
        return text.join(frame)

    def closing(self, index: int, finish: Finish) -> bytes:
        """What a choice's chunks end with."""
        return self._chunk([self._delta(index, "", finish)])

    def counted(self, usage: Counted | None) -> bytes:
        """The last chunk, where the client wants to know the tokens."""
        return self._chunk([], usage) if self._with_usage else b""

    def _chunk(self, choices: list[dict[str, Any]], usage: Counted | None = None) -> bytes:
        counted = {"usage": usage} if self._with_usage else {}
        body = {**self._head, "object": self.chunk_object, "choices": choices, **counted}
        return b"data: " + encode(body) + b"\n\n"

    def _choice(self, index: int, text: str, finish: Finish) -> dict[str, Any]:
        raise NotImplementedError

    def _delta(self, index: int, text: str, finish: Finish | None) -> dict[str, Any]:
        raise NotImplementedError


class Chat(Shape):
    prefix = "chatcmpl"
    object = "chat.completion"
    chunk_object = "chat.completion.chunk"

    def opening(self, index: int) -> bytes:
        said = {"role": "assistant", "content": "", "refusal": None}
        return self._chunk([{"index": index, "delta": said, "logprobs": None, "finish_reason": None}])

    def _choice(self, index: int, text: str, finish: Finish) -> dict[str, Any]:
        message = {"role": "assistant", "content": text, "refusal": None}
        return {"index": index, "message": message, "logprobs": None, "finish_reason": finish}

    def _delta(self, index: int, text: str, finish: Finish | None) -> dict[str, Any]:
        delta = {"content": text} if finish is None else {}
        return {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}


class Completion(Shape):
    prefix = "cmpl"
    object = "text_completion"
    chunk_object = "text_completion"

    def _choice(self, index: int, text: str, finish: Finish) -> dict[str, Any]:
        return self._delta(index, text, finish)

    def _delta(self, index: int, text: str, finish: Finish | None) -> dict[str, Any]:
        return {"index": index, "text": text, "logprobs": None, "finish_reason": finish}
