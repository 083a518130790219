"""One prediction under dispatch's care, from acceptance to its end.

Made by dispatch; a member tells it what its run emits. A job writes the live log and never the store.
"""

import logging
from collections import deque
from typing import Any, Protocol

import msgspec

from stoker.core.catalog import Version
from stoker.core.metrics import Metrics
from stoker.core.prediction import Prediction, Status
from stoker.core.priority import PRIORITIES, Priority
from stoker.core.redaction import Redaction
from stoker.core.scaling import Pool
from stoker.core.trainings import weights_of
from stoker.core.waiting import Reason
from stoker.ports.engine import InputFile, MetricMode, OutputFile
from stoker.runtime.live import Live

log = logging.getLogger(__name__)

MOST_METRICS_BYTES = 256 * 1024
METRICS_CUT = "\n[the metrics are larger than this server keeps; what does not fit is left out]\n"
ITEM_BYTES = 64
"""What an element of a growing array takes in memory beside its JSON, which may be much shorter."""


class Keeper(Protocol):
    """What a job asks of dispatch."""

    def end(self, job: "Job", status: Status, error: str | None = None) -> None: ...

    def keep_files(self, job: "Job") -> None:
        """Take over the files at the head of the job's backlog, then call ``job.resume``."""
        ...

    def keep_checkpoint(self, job: "Job") -> None:
        """Write down the output so far, so that it survives the server."""
        ...


class Runner(Protocol):
    """What a job asks of the member that has it in a slot."""

    def stop_run(self, job: "Job") -> None:
        """Asks the model to stop."""
        ...


class Arrived(msgspec.Struct):
    """An output that waits until its files, or those before it, have been taken over."""

    value: bytes
    item: bool
    files: list[OutputFile]


class Job:
    def __init__(
        self,
        prediction: Prediction,
        version: Version,
        live: Live,
        keeper: Keeper,
        *,
        pool: Pool,
        room_bytes: int,
    ):
        self.prediction = prediction
        """As decided; ``live.seen`` follows when the store has it."""
        self.version = version
        self.pool = pool
        """In whose instances it runs."""
        self.live = live
        self.files: list[InputFile] = []
        self.input: dict[str, Any] = msgspec.json.decode(prediction.input)
        secrets: dict[str, Any] = msgspec.json.decode(prediction.secrets) if prediction.secrets else {}
        self.input |= secrets
        self.member: Runner | None = None
        self.number = 0
        self.written = False
        """Whether the prediction is on its way to the store."""
        self.ended = False
        self.publishing = False
        """Whether a version is being made of what it gave: the training has succeeded, nothing undoes it."""
        self.given: bytes | None = None
        """What a training gave last, as JSON; a version is made of it."""
        self.stop_asked_us: int | None = None
        """Since when the model has been asked to stop."""
        self.followers: list[Job] = []
        """Those that share its run; it has one for them also where its own prediction is over."""
        self.leader: Job | None = None
        """Whose run it shares."""
        self.copied_from: str | None = None
        """The prediction whose run it shares, or shared."""
        self.pays_from_us: int | None = None
        """Since when it pays for a run that it followed."""
        self.reasons_told: tuple[Reason, ...] = ()
        """What its log said that it waits for, in this order."""
        self.backlog: deque[Arrived] = deque()
        self._outcome: tuple[Status, str | None] | None = None
        self._keeper = keeper
        self._redaction = Redaction(secrets) if secrets else None
        self._room = room_bytes
        self._metrics = Metrics(live.metrics, limit_bytes=MOST_METRICS_BYTES)
        self._metrics_are_cut = False

    @property
    def id(self) -> str:
        return self.prediction.id

    @property
    def brings_weights(self) -> bool:
        """Whether its run is handed the weights of its version, wherever that is."""
        return self.version.recipe.runs_in is not None and self.prediction.kind == "prediction"

    @property
    def lead(self) -> "Job":
        """Whose run it is: the one that stands in line, and has a slot."""
        return self.leader or self

    @property
    def is_wanted(self) -> bool:
        """Whether its run still has a prediction to answer."""
        return not self.ended or bool(self.followers)

    @property
    def priority(self) -> Priority:
        """Its run's: that of the most urgent who share it."""
        if not self.followers:
            return self.prediction.priority
        sharing = {job.prediction.priority for job in (self, *self.followers)}
        return next(priority for priority in PRIORITIES if priority in sharing)

    @property
    def pays(self) -> bool:
        """Whether the run is its own, from the beginning or since who had it left."""
        return self.copied_from is None or self.pays_from_us is not None

    def log(self, text: str) -> None:
        for follower in self.followers:
            follower.log(text)
        if not self.ended:
            self.live.add_log(self._redaction.piece(text) if self._redaction else text)

    def wake(self) -> None:
        """Whoever reads looks again."""
        for job in (self, *self.followers):
            if not job.ended:
                job.live.wake()

    def metric(self, name: str, value: Any, mode: MetricMode) -> None:
        for follower in self.followers:
            follower.metric(name, value, mode)
        if self.ended or self._metrics.record(name, value, mode) or self._metrics_are_cut:
            return
        self._metrics_are_cut = True
        self.live.add_log(METRICS_CUT)

    def output(self, value: bytes, *, item: bool, files: list[OutputFile]) -> None:
        if not self.is_wanted and not files:
            return
        if files or self.backlog:
            self.backlog.append(Arrived(value, item, files))
            if len(self.backlog) == 1:
                self._keeper.keep_files(self)
            return
        self.add(value, item=item)

    def resume(self, value: bytes) -> None:
        """The head of the backlog is ready, as ``value``; so is all behind it that has no files."""
        first = self.backlog.popleft()
        self.add(value, item=first.item, checkpoint=first.item)
        while self.backlog and not self.backlog[0].files:
            arrived = self.backlog.popleft()
            self.add(arrived.value, item=arrived.item)
        self.wake()
        if self.backlog:
            self._keeper.keep_files(self)
        elif self._outcome is not None:
            self._settle(*self._outcome)

    def done(self, status: Status, error: str | None) -> None:
        """The model is done with it; its end waits for the files that are still being taken over."""
        if self.backlog:
            self._outcome = (status, error)
        else:
            self._settle(status, error)

    def fail(self, error: str) -> None:
        self.backlog.clear()
        self._settle(Status.FAILED, error)

    def add(self, value: bytes, *, item: bool, checkpoint: bool = False) -> None:
        """The next output, its files taken over; a ``checkpoint`` was yielded with files of its own."""
        for follower in list(self.followers):
            follower.add(value, item=item)
        self._add(value, item=item, checkpoint=checkpoint)

    def _settle(self, status: Status, error: str | None) -> None:
        """The run is over, for all who share it; none share one that has secrets."""
        if self._redaction and not self.ended:
            self.live.add_log(self._redaction.rest())
            error = self._redaction.whole(error) if error else error
        followers, self.followers = self.followers, []
        for follower in followers:
            follower.leader = None
            self._keeper.end(follower, status, error)
        self._keeper.end(self, status, error)

    def _add(self, value: bytes, *, item: bool, checkpoint: bool) -> None:
        if self.ended:
            return
        self._room -= len(value) + (ITEM_BYTES if item else 0)
        if self._room < 0:
            self.stop("output limit")
            self.fail("The output is larger than this server allows.")
            return
        if self.prediction.kind == "training":
            self._learn(value, checkpoint=checkpoint)
        else:
            self.live.add_output(value, item=item)

    def _learn(self, value: bytes, *, checkpoint: bool) -> None:
        """Checkpoints are shown: another training may go on from there if this one breaks off."""
        self.given = value
        weights = weights_of(msgspec.json.decode(value)) if checkpoint else None
        if weights is not None:
            self.live.add_output(msgspec.json.encode({"weights": weights}), item=False)
            self._keeper.keep_checkpoint(self)

    def stop(self, why: str) -> None:
        """Asks the model to stop; the slot stays taken until it has."""
        if self.member is not None and self.stop_asked_us is None:
            log.info("stopping run of %s: %s", self.id, why)
            self.member.stop_run(self)
