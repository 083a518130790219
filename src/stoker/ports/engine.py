"""Starting and stopping instances: one running copy of a version that takes predictions and gives events.

That is all the core knows of a process, a container or an actor. An engine calls the listener in the
event loop, in the order in which things happened; a listener never blocks.
"""

from pathlib import Path
from typing import Any, Literal, Protocol

import msgspec

MetricMode = Literal["replace", "incr", "append", "delete"]

Stage = Literal["imports", "setup"]
"""What a process is at before it is ready: the model's code is loaded, then set up."""

Start = Literal["plain", "forked"]
"""How a process came about: by itself, or from one that has the model's imports done."""


class InstanceSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What to start."""

    id: str
    version: str
    """64 hex digits."""
    python: Path
    """The interpreter of the version's environment."""
    source: Path
    """The version's source tree, read-only; the instance gets its own view of it."""
    home: Path | None = None
    """What the build left in its home, if anything, read-only; the instance gets a view of that, too."""
    predictor: str
    """``file.py:Name``."""
    mode: Literal["predict", "train"] = "predict"
    weights: Path | None = None
    """Weights that were trained, read-only; the model finds their path in COG_WEIGHTS."""
    weights_name: str = "weights"
    """The name that the model sees at the end of that path."""
    checkpoint: Path | None = None
    """A folder of weights that many instances share, read-only; the model finds it in STOKER_CHECKPOINT."""
    slots: int = 1
    gpus: tuple[int, ...] | None = None
    """Indexes of the GPUs that it may see, and no others; None leaves it to the machine."""
    threads: int = 1
    """Its share of the cores."""
    variables: dict[str, str] = {}
    setup_timeout_s: float = 600.0


class InputFile(msgspec.Struct, frozen=True):
    """A file input that was fetched: the model sees a local file of that name at that place in its input."""

    at: list[str | int]
    """Keys and indexes from the input object to the value."""
    path: str
    """Where the bytes are (read-only)."""
    name: str
    """The name that the model sees at the end of the path."""
    lasting: bool = False
    """Whether others are given the same bytes again and again: they are linked, however few, never copied."""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One prediction, handed to an instance."""

    number: int
    """Names the run on this instance; never used twice."""
    prediction: str
    input: dict[str, Any]
    """Whole: secrets in clear, defaults not filled in."""
    files: list[InputFile] = []
    context: dict[str, str] = {}


class OutputFile(msgspec.Struct, frozen=True):
    """A file that the model gave. The listener owns the copy at ``path`` and moves or removes it."""

    at: list[str | int]
    """Where in the output value its URL belongs; empty is the whole value."""
    path: str
    name: str


class Usage(msgspec.Struct, frozen=True):
    """What an instance takes at one moment."""

    memory_bytes: int
    """Main memory of all its processes that the kernel cannot simply take back."""
    gpu_bytes: int = 0
    """On the one of its GPUs where it takes most."""


class Listener(Protocol):
    """What an instance tells. ``run`` is the ``Run.number``."""

    def reached(self, stage: Stage) -> None:
        """The process is there and has come so far; told where an engine can know it."""
        ...

    def ready(self, *, slots: int) -> None: ...

    def setup_failed(self, error: str) -> None:
        """The instance ends by itself after this."""
        ...

    def instance_log(self, text: str) -> None:
        """Output that belongs to no run: set-up, health checks, strays."""
        ...

    def log(self, run: int, text: str) -> None: ...

    def output(self, run: int, value: bytes, *, item: bool, files: list[OutputFile]) -> None:
        """JSON of the whole output, or (``item``) of the next element of a growing array."""
        ...

    def metric(self, run: int, name: str, value: Any, mode: MetricMode) -> None: ...

    def done(self, run: int, status: Literal["succeeded", "failed", "canceled"], error: str | None) -> None:
        """The slot is free. Nothing more comes of this run."""
        ...

    def health(self, error: str | None) -> None:
        """The answer to ``check_health``: None is healthy."""
        ...

    def turn_ended(self) -> None:
        """All that was ready in this turn of the loop has been told."""
        ...

    def outgrew(self) -> None:
        """The system ended it for want of memory; ``exited`` follows."""
        ...

    def exited(self, reason: str) -> None:
        """The instance is gone, for whatever reason; nothing comes after this."""
        ...


class Instance(Protocol):
    id: str
    began: Start

    def predict(self, run: Run) -> None:
        """Hands over a run; the caller knows that a slot is free."""
        ...

    def cancel(self, run: int) -> None:
        """Asks the model to stop; ``done`` follows when it has."""
        ...

    def check_health(self) -> None: ...

    def kill(self, reason: str) -> None:
        """Ends it at once; ``exited(reason)`` follows."""
        ...

    async def stop(self, grace_s: float) -> None:
        """Lets it end by itself, then kills it; returns when nothing of it is left."""
        ...


class Engine(Protocol):
    async def start(self, spec: InstanceSpec, listener: Listener) -> Instance:
        """Returns as soon as it is starting; ``ready`` or ``setup_failed`` or ``exited`` follow."""
        ...

    async def usage(self) -> dict[str, Usage]:
        """What each of its running instances takes now, by their ids."""
        ...

    async def reclaimable_bytes(self) -> int:
        """Main memory that it holds only so that later starts are quick."""
        ...

    def reclaim(self, size_bytes: int) -> None:
        """Gives so much of that back, soon."""
        ...

    async def disk_usage(self) -> dict[str, int]:
        """How many bytes the folders of each of its running instances take, by their ids. Takes a while."""
        ...

    async def sweep(self) -> int:
        """Ends every process that an earlier server left behind and removes its files; how many."""
        ...
