"""What is asked in a soak, and what is killed when: drawn from a seed, so that it is the same again."""

import random
from typing import Any, Literal

import msgspec

from tests.soak.models import Kind, kind_of, name_of

Does = Literal["do", "raise", "hang"]
Asks = Literal["wait", "hook", "stream", "poll"]
Cancel = Literal["waiting", "running", "deadline"]
Victim = Literal["instance", "fork server", "server"]

GIVEN = "a file"
GIVEN_URI = "data:text/plain,a%20file"


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """One prediction: what it asks for, and how its client hears of the end."""

    number: int
    model: int
    does: Does
    asks: Asks
    seconds: float
    cancel: Cancel | None = None
    """When it is cancelled; what hangs always is."""

    @property
    def name(self) -> str:
        return name_of(self.model)

    @property
    def kind(self) -> Kind:
        return kind_of(self.model)

    @property
    def text(self) -> str:
        """Nobody else's."""
        return f"word{self.number}"

    @property
    def input(self) -> dict[str, Any]:
        given = {"given": GIVEN_URI} if self.kind == "file" else {}
        return {"does": self.does, "text": self.text, "seconds": self.seconds} | given

    @property
    def output(self) -> Any:
        """What it must give where it succeeds; of a file, its content."""
        if self.kind == "items":
            return [self.name, self.text, "a", "b", "c"]
        return f"{self.name} {self.text}" + (f" {GIVEN}" if self.kind == "file" else "")


class Blow(msgspec.Struct, frozen=True):
    """A kill that is due when so many predictions are over."""

    after: int
    victim: Victim


def acts(count: int, models: int, seed: int) -> list[Act]:
    chance = random.Random(f"acts {seed}")
    return [_act(number, chance.randrange(models), chance) for number in range(count)]


def blows(count: int, seed: int) -> list[Blow]:
    """Kills: of an instance for each forty, a fork server for two hundred, the server for a thousand."""
    chance = random.Random(f"blows {seed}")
    often: dict[Victim, int] = {
        "instance": count // 40,
        "fork server": max(1, count // 200),
        "server": max(1, count // 1000),
    }
    found = [
        Blow(chance.randrange(count // 20, count - count // 10), victim)
        for victim, times in often.items()
        for _ in range(times)
    ]
    return sorted(found, key=lambda blow: blow.after)


def _act(number: int, model: int, chance: random.Random) -> Act:
    often = (1, 1, 3, 1) if kind_of(model) == "items" else (4, 4, 0, 1)  # the others have nothing to stream
    asks: Asks = chance.choices(("wait", "hook", "stream", "poll"), often)[0]
    does: Does = chance.choices(("do", "raise", "hang"), (90, 4, 6))[0]
    seconds = chance.choice((0.0, 0.0, 0.01, 0.05, 0.2))
    if does != "hang":
        return Act(number=number, model=model, does=does, asks=asks, seconds=seconds)
    cancel: Cancel = chance.choices(("waiting", "running", "deadline"), (2, 3, 1))[0]
    return Act(number=number, model=model, does=does, asks="poll", seconds=seconds, cancel=cancel)
