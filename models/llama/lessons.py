"""What a training learns from: lines of JSON become rows of tokens, and which of them are to be learned.

``train`` reads the files with it. A prompt is written exactly as ``predict`` writes it, so that what was
learned for a prompt is what the trained version answers. Only answers are learned: completions, what the
assistant says, and plain text.
"""

import hashlib
import json
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prompts import Message, chat_text, check, encode, render
from transformers import PreTrainedTokenizerBase

FORMS = '{"prompt", "completion"}, {"messages"} or {"text"}'

Batch = list["Lesson"]


@dataclass(frozen=True)
class Lesson:
    tokens: list[int]
    learned: list[bool]
    """For each token whether it is to be learned; never for the first, which nothing comes before."""

    @property
    def size(self) -> int:
        return sum(self.learned)


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Makes lessons of lines. ``most_tokens`` is what one may have; longer text becomes several."""

    tokenizer: PreTrainedTokenizerBase
    most_tokens: int
    system_prompt: str
    prompt_template: str

    def read(self, path: Path, name: str) -> list[Lesson]:
        """All lessons of a file; ``ValueError`` says which line of ``name`` is wrong and how."""
        try:
            lines = path.read_text(encoding="utf-8-sig").split("\n")
        except UnicodeDecodeError as error:
            raise ValueError(f"{name} is not UTF-8 text: {error}") from None
        found: list[Lesson] = []
        for number, line in enumerate(lines, 1):
            if line.strip():
                found += self._line(line, f"{name}, line {number}")
        if not found:
            raise ValueError(f"{name} has nothing to learn from: lines are {FORMS}.")
        return found

    def _line(self, line: str, where: str) -> list[Lesson]:
        try:
            given = json.loads(line)
        except ValueError as error:
            raise ValueError(f"{where}: not JSON: {error}") from None
        try:
            lessons = [lesson for lesson in self._lessons(given) if lesson.size]
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None
        if not lessons:
            raise ValueError(
                f"{where}: nothing to learn within the first {self.most_tokens} tokens (max_sequence_length)."
            )
        return lessons

    def _lessons(self, given: Any) -> list[Lesson]:
        if not isinstance(given, dict):
            raise ValueError(f"a line must be an object: {FORMS}.")
        if "messages" in given:
            return [self._cut(self._conversation(given["messages"]))]
        if "prompt" in given and "completion" in given:
            return [self._cut(self._pair(_text(given, "prompt"), _text(given, "completion")))]
        if "text" in given:
            return self._windows(_text(given, "text"))
        raise ValueError(f"a line must be {FORMS}.")

    def _pair(self, prompt: str, completion: str) -> list[tuple[list[int], bool]]:
        if self.tokenizer.chat_template and not self.prompt_template:
            system = [{"role": "system", "content": self.system_prompt}] if self.system_prompt else []
            asked: list[Message] = [*system, {"role": "user", "content": prompt}]
            return self._turns([*asked, {"role": "assistant", "content": completion}])
        texts = {"prompt": prompt, "system_prompt": self.system_prompt}
        tokens = render(self.tokenizer, prompt_template=self.prompt_template, messages="", **texts)
        return [(tokens, False), (self._ended(encode(self.tokenizer, completion, starts=False)), True)]

    def _conversation(self, given: Any) -> list[tuple[list[int], bool]]:
        if not isinstance(given, list):
            raise ValueError("messages must be a list.")
        messages = check(given)
        if not any(message["role"] == "assistant" for message in messages[1:]):
            raise ValueError("messages has no answer of the assistant to learn.")
        if not self.tokenizer.chat_template:
            raise ValueError("this model has no chat template; give prompt and completion, or text.")
        return self._turns(messages)

    def _turns(self, messages: list[Message]) -> list[tuple[list[int], bool]]:
        """The pieces of a conversation; what the template writes from where an answer begins is learned."""
        pieces: list[tuple[list[int], bool]] = []
        written = ""
        for end in range(1, len(messages)):
            if messages[end]["role"] != "assistant":
                continue
            asked = chat_text(self.tokenizer, messages[:end])
            answered = chat_text(self.tokenizer, messages[: end + 1], asks=False)
            if not (asked.startswith(written) and answered.startswith(asked)):
                raise ValueError("the model's chat template rewrites earlier turns; give one answer a line.")
            pieces.append((encode(self.tokenizer, asked[len(written) :], starts=False), False))
            pieces.append((encode(self.tokenizer, answered[len(asked) :], starts=False), True))
            written = answered
        return pieces

    def _windows(self, text: str) -> list[Lesson]:
        tokens = self._ended(encode(self.tokenizer, text))
        starts = range(0, len(tokens), self.most_tokens)
        return [self._cut([(tokens[start : start + self.most_tokens], True)]) for start in starts]

    def _cut(self, pieces: list[tuple[list[int], bool]]) -> Lesson:
        tokens = [token for piece, _ in pieces for token in piece]
        learned = [is_learned for piece, is_learned in pieces for _ in piece]
        learned[:1] = [False] * len(learned[:1])
        return Lesson(tokens[: self.most_tokens], learned[: self.most_tokens])

    def _ended(self, tokens: list[int]) -> list[int]:
        end = self.tokenizer.eos_token_id
        return tokens if end is None else [*tokens, end]


@dataclass(frozen=True, kw_only=True)
class Course:
    """The order in which lessons are taken: each epoch has all of them, in an order of its own."""

    lessons: list[Lesson]
    batch: int
    epochs: int
    seed: int

    @property
    def epoch_steps(self) -> int:
        return math.ceil(len(self.lessons) / self.batch)

    @property
    def steps(self) -> int:
        return self.epochs * self.epoch_steps

    def batches(self, *, after: int) -> Iterator[tuple[int, Batch]]:
        """Steps, from 1, and their lessons, but for the first ``after`` steps."""
        for epoch in range(after // self.epoch_steps, self.epochs):
            order = list(range(len(self.lessons)))
            random.Random(f"{self.seed} {epoch}").shuffle(order)
            for place in range(self.epoch_steps):
                step = epoch * self.epoch_steps + place + 1
                if step > after:
                    chosen = order[place * self.batch : (place + 1) * self.batch]
                    yield step, [self.lessons[index] for index in chosen]


def parts(batch: Batch, most: int) -> Iterator[Batch]:
    """Of a batch, as many lessons as are to be in memory at once; those of like length together."""
    order = sorted(batch, key=lambda lesson: len(lesson.tokens))
    for start in range(0, len(order), most):
        yield order[start : start + most]


def digest(lessons: list[Lesson]) -> str:
    """The same for the same lessons."""
    hashed = hashlib.sha256()
    for lesson in lessons:
        hashed.update(json.dumps([lesson.tokens, lesson.learned]).encode())
    return hashed.hexdigest()


def _text(given: dict[str, Any], name: str) -> str:
    if not isinstance(given[name], str) or not given[name]:
        raise ValueError(f"{name} must be text, and not empty.")
    return given[name]
