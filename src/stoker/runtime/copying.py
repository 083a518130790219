"""A log that says what another prediction's said. Called by dispatch; decides nothing."""

import msgspec

from stoker.core.prediction import Prediction
from stoker.core.sharing import own_metrics
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
