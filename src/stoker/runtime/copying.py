"""A log that says what another prediction's said. Called by dispatch and its flights; decides nothing."""

import msgspec

from stoker.core.prediction import Prediction
from stoker.core.sharing import own_metrics
from stoker.runtime.job import Job
from stoker.runtime.live import Live


def replay(answer: Prediction, live: Live) -> None:
    """Puts all that the earlier prediction gave into the new one's log."""
    live.metrics.update(own_metrics(answer))
    if answer.logs:
        live.add_log(answer.logs)
    if answer.output is None:
        return
    if live.iterates:
        for item in msgspec.json.decode(answer.output, type=list[msgspec.Raw]):
            live.add_output(bytes(item), item=True)
    else:
        live.add_output(bytes(answer.output), item=False)


def catch_up(ahead: Live, job: Job) -> None:
    """Puts all that a run has told so far into the log of one who joins it."""
    job.live.metrics.update(ahead.metrics)
    if ahead.logs:
        job.log(ahead.logs)
    for value in ahead.items:
        job.add(value, item=ahead.iterates)
