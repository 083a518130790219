"""What takes time around a run: fetching input files, keeping output files, making a training's version.

Run by dispatch as tasks beside its own turns. An errand decides nothing: it tells the job, or dispatch
through a callback, how it went; whatever goes wrong in it ends the prediction, which must not wait for ever.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from stoker.core.errors import BuildFailed, Invalid, StokerError, is_full_disk
from stoker.core.hosting import WEIGHTS_INPUT
from stoker.core.prediction import Status
from stoker.core.scaling import Pool
from stoker.ports.engine import InputFile
from stoker.runtime.inputs import InputFiles
from stoker.runtime.job import Job
from stoker.runtime.outputs import OutputFiles
from stoker.runtime.trainings import Trainings

log = logging.getLogger(__name__)


class Errands:
    def __init__(self, *, inputs: InputFiles, outputs: OutputFiles, trainings: Trainings):
        self._inputs = inputs
        self._outputs = outputs
        self._trainings = trainings
        self._preparing: dict[str, asyncio.Task[None]] = {}
        self._coming: dict[Pool, set[str]] = {}
        """Which of each pool are being prepared."""
        self._tasks: set[asyncio.Task[None]] = set()

    def equip(self, job: Job) -> bool:
        """Gives the job what its run needs; false where that takes time, and has to be prepared."""
        if self._inputs.needed(job.prediction, job.input, job.version):
            return False
        if job.brings_weights:
            found = self._inputs.known_weights(job.id, job.version)
            job.files = [found] if found else []
            return found is not None
        return True

    def prepare(self, job: Job, *, then: Callable[[Job], None]) -> None:
        """Fetches the input files; ``then`` unless the prediction has ended meanwhile."""
        self._coming.setdefault(job.pool, set()).add(job.id)
        task = self._preparing[job.id] = self._spawn(self._prepare(job, then))
        task.add_done_callback(lambda _: self._is_prepared(job))

    def lent(self) -> set[str]:
        """The sha256 of all weights that predictions bring to instances of another version."""
        return self._inputs.lent()

    def is_preparing(self, id: str) -> bool:
        return id in self._preparing

    def prepares_for(self, pool: Pool) -> bool:
        """Whether a prediction will soon want an instance of the pool."""
        return pool in self._coming

    def keep_files(self, job: Job) -> None:
        """Takes over the files at the head of the job's backlog, then resumes the job."""
        self._spawn(self._keep_files(job))

    def publish(self, job: Job, *, end: Callable[[Job, Status, str | None], None]) -> None:
        """Makes a version of what a training gave; ``end`` says how the training ended."""
        self._spawn(self._publish(job, end))

    def forget(self, id: str) -> None:
        """The prediction is over: its fetch is broken off and its fetched files go."""
        if (preparing := self._preparing.pop(id, None)) is not None:
            preparing.cancel()
        self._inputs.release(id)

    def close(self) -> None:
        """Breaks off what is under way."""
        for task in list(self._tasks):
            task.cancel()

    async def _prepare(self, job: Job, then: Callable[[Job], None]) -> None:
        try:
            job.files = await self._files(job)
        except Invalid as error:
            job.fail(f"Input validation error: {error.message}")
        except BuildFailed as error:
            job.fail(f"{error.message} (E9243)")
        except Exception as error:  # the edge: whatever it was, the prediction must not wait for ever
            log.exception("the input files of %s could not be fetched", job.id)
            job.fail(f"The input files could not be stored{_because(error)}; please retry (E9243)")
        self._is_prepared(job)
        if job.is_wanted:
            then(job)

    async def _files(self, job: Job) -> list[InputFile]:
        """What the run is handed: weights of the caller's own go before those of the version."""
        if not job.brings_weights or job.input.get(WEIGHTS_INPUT):
            return await self._inputs.fetch(job.prediction, job.input, job.version)
        job.input[WEIGHTS_INPUT] = None  # else the link that the base has for whoever brings none stood in
        weights = await self._inputs.weights(job.id, job.version)
        return [*await self._inputs.fetch(job.prediction, job.input, job.version), weights]

    def _is_prepared(self, job: Job) -> None:
        """It does not come any more: it is here, or over. Saying so again is harmless."""
        self._preparing.pop(job.id, None)
        coming = self._coming.get(job.pool, set())
        coming.discard(job.id)
        if not coming:
            self._coming.pop(job.pool, None)

    async def _keep_files(self, job: Job) -> None:
        first = job.backlog[0]
        try:
            synced = job.live.synced
            value = await self._outputs.keep(first.value, first.files, job.prediction, synced=synced)
            if job.live.synced and not synced:  # its client has been told of it meanwhile
                await self._outputs.sync()
        except Exception as error:  # the edge: whatever it was, the prediction must end
            log.exception("an output file of %s could not be kept", job.id)
            job.stop("its output file could not be kept")
            job.fail(f"Failed to store an output file{_because(error)} (E9825)")
            return
        if job.backlog and job.backlog[0] is first:
            job.resume(value)

    async def _publish(self, job: Job, end: Callable[[Job, Status, str | None], None]) -> None:
        try:
            output = await self._trainings.publish(job.prediction, job.version, job.given)
        except StokerError as error:
            log.warning("no version came of training %s: %s", job.id, error)
            end(job, Status.FAILED, error.message)
        except Exception as error:  # the edge: whatever it was, the training must end
            log.exception("no version came of training %s", job.id)
            reason = f"The weights could not be stored{_because(error)}; please retry (E9825)"
            end(job, Status.FAILED, reason)
        else:
            job.live.add_output(output, item=False)
            end(job, Status.SUCCEEDED, None)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _because(error: Exception) -> str:
    """What a caller may know of it: that there is no room, which is nothing of the caller's."""
    return ": the server's disk is full" if is_full_disk(error) else ""
