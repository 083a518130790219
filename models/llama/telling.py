"""What a training tells while it runs: lines in its logs, and metrics that a page or a program can follow.

``train`` tells it of each step. Long trainings tell of some steps only; a loss is then the mean since the
last time.
"""

import math
from collections.abc import Callable
from typing import Any

from lessons import Course
from training import Step

MOST_LINES = 200

Record = Callable[..., None]


class Teller:
    """``record`` is cog's ``record_metric``."""

    def __init__(self, course: Course, record: Record):
        self._course = course
        self._record = record
        self._every = math.ceil(course.steps / MOST_LINES)
        self._losses: list[float] = []
        self._tokens = 0

    def begin(self, *, parameters: int, done: int) -> None:
        course = self._course
        learned = sum(lesson.size for lesson in course.lessons)
        say(f"{len(course.lessons)} examples with {learned} tokens to learn; {course.steps} steps in all")
        say(f"{parameters} parameters of the adapter learn, the model's own stay as they are")
        if done:
            say(f"going on after step {done}")
        self._record("steps", course.steps)
        self._record("train_examples", len(course.lessons))

    def step(self, step: Step) -> None:
        self._losses.append(step.loss)
        self._tokens += step.tokens
        if step.number % self._every and step.number != self._course.steps:
            return
        loss = math.fsum(self._losses) / len(self._losses)
        self._losses = []
        epoch = step.number / self._course.epoch_steps
        say(
            f"step {step.number}/{self._course.steps}  epoch {epoch:.2f}  loss {loss:.4f}"
            f"  learning rate {step.learning_rate:.2e}  gradient {step.gradient:.3f}"
        )
        self._tell_metrics(
            step=step.number,
            epoch=round(epoch, 4),
            loss=round(loss, 6),
            learning_rate=step.learning_rate,
            tokens_learned=self._tokens,
        )
        self._record("losses", [step.number, round(loss, 6)], mode="append")

    def validation(self, number: int, loss: float) -> None:
        say(f"step {number}/{self._course.steps}  validation loss {loss:.4f}")
        self._tell_metrics(validation_loss=round(loss, 6))
        self._record("validation_losses", [number, round(loss, 6)], mode="append")

    def checkpoint(self, number: int) -> None:
        say(f"checkpoint after step {number}")
        self._tell_metrics(checkpoint_step=number)

    def _tell_metrics(self, **values: Any) -> None:
        for name, value in values.items():
            self._record(name, value)


def say(line: str) -> None:
    print(line, flush=True)
