"""The steps of a prediction's life, decided at once and given to the ledger in the same order.

Used by dispatch alone, which says who starts and ends when; ``core.prediction`` has the rules.
"""

from collections.abc import Callable

from stoker.core.prediction import Ending, Prediction, Status, final_metrics, finished, started
from stoker.ports.clock import Clock
from stoker.runtime import copying
from stoker.runtime.job import Job
from stoker.runtime.ledger import Ledger


class LifeCycle:
    def __init__(
        self, *, ledger: Ledger, clock: Clock, refused: Callable[[Job], None], over: Callable[[Job], None]
    ):
        """``refused`` is told of what could not be accepted, ``over`` of what has its end in the store."""
        self._ledger = ledger
        self._clock = clock
        self._refused = refused
        self._over = over

    def accept(self, job: Job) -> None:
        """Writes that it was taken, unless that is on its way."""
        if not job.written:
            job.written = True
            self._ledger.accept(job.live, job.prediction, refused=lambda: self._refused(job))

    def start(self, job: Job) -> None:
        """It runs from now on."""
        job.prediction = started(job.prediction, self._clock.now_us())
        if job.written:
            self._ledger.start(job.live, job.prediction)
        else:
            self.accept(job)

    def answer(self, job: Job, answer: Prediction) -> None:
        """It has what an earlier one gave, without a run; its end is to follow at once."""
        job.live.came = "hit"
        copying.replay(answer, job.live)
        job.prediction = started(job.prediction, self._clock.now_us())
        job.copied_from = answer.id

    def end(self, job: Job, status: Status, error: str | None) -> None:
        """It is over, as that; what its log has by now is what stays."""
        job.ended = True
        ending = self._ending(job, status, error)
        job.prediction = finished(job.prediction, ending)
        if job.written:
            self._ledger.finish(job.live, job.prediction, ending, then=lambda: self._over(job))
            return
        job.written = True
        self._ledger.accept_over(
            job.live, job.prediction, refused=lambda: self._refused(job), then=lambda: self._over(job)
        )

    def _ending(self, job: Job, status: Status, error: str | None) -> Ending:
        now_us = self._clock.now_us()
        before = job.prediction
        paid_us = max(before.started_us or 0, job.pays_from_us or 0) if job.pays else 0
        return Ending(
            status=status,
            completed_us=now_us,
            output=job.live.output(),
            logs=job.live.logs,
            error=error,
            metrics=final_metrics(
                job.live.metrics,
                created_us=before.created_us,
                started_us=paid_us or None,
                completed_us=now_us,
            ),
            copied_from=None if job.pays else job.copied_from,
        )
