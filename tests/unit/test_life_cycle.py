"""The life cycle as a state machine: whatever is tried in whatever order, no status moves backwards."""

import msgspec
import pytest
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from hypothesis.strategies import sampled_from

from stoker.core.prediction import FINAL, Ending, Prediction, Status, final_metrics, finished, started

ORDER = {Status.STARTING: 0, Status.PROCESSING: 1} | dict.fromkeys(FINAL, 2)


class Life(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now_us = 1
        self.prediction = Prediction(
            id="p",
            account="a",
            model="a/m",
            version="0" * 64,
            created_us=1,
            stream_key="k",
            secrets=msgspec.Raw(b'{"key":"hush"}'),
        )
        self.highest = 0

    def tick(self) -> int:
        self.now_us += 1
        return self.now_us

    @precondition(lambda self: self.prediction.status is Status.STARTING)
    @rule()
    def start(self) -> None:
        self.prediction = started(self.prediction, self.tick())

    @precondition(lambda self: not self.prediction.status.is_final)
    @rule(status=sampled_from([Status.FAILED, Status.CANCELED]))
    def end(self, status: Status) -> None:
        self.prediction = finished(self.prediction, Ending(status=status, completed_us=self.tick()))

    @precondition(lambda self: self.prediction.status is Status.PROCESSING)
    @rule()
    def succeed(self) -> None:
        self.prediction = finished(
            self.prediction,
            Ending(status=Status.SUCCEEDED, completed_us=self.tick(), output=msgspec.Raw(b"1")),
        )

    @precondition(lambda self: self.prediction.status is not Status.STARTING)
    @rule()
    def cannot_start_again(self) -> None:
        with pytest.raises(ValueError, match="cannot become processing"):
            started(self.prediction, self.tick())

    @precondition(lambda self: self.prediction.status.is_final)
    @rule(status=sampled_from(sorted(FINAL)))
    def cannot_end_again(self, status: Status) -> None:
        with pytest.raises(ValueError, match="cannot become"):
            finished(self.prediction, Ending(status=status, completed_us=self.tick()))

    @invariant()
    def never_backwards(self) -> None:
        place = ORDER[self.prediction.status]
        assert place >= self.highest
        self.highest = place

    @invariant()
    def times_fit_the_status(self) -> None:
        p = self.prediction
        assert (p.completed_us is not None) == p.status.is_final
        assert p.started_us is not None or p.status is not Status.SUCCEEDED
        assert (p.secrets is not None) == (p.status is Status.STARTING)


TestLife = Life.TestCase


def test_a_prediction_cannot_succeed_without_having_run():
    life = Life()
    with pytest.raises(ValueError, match="starting cannot become succeeded"):
        finished(life.prediction, Ending(status=Status.SUCCEEDED, completed_us=2))


def test_final_metrics_are_in_seconds():
    raw = final_metrics({"tokens": 3}, created_us=0, started_us=1_500_000, completed_us=2_000_000)
    assert msgspec.json.decode(raw) == {"tokens": 3, "predict_time": 0.5, "total_time": 2.0}


def test_a_prediction_that_never_ran_took_no_time_to_run():
    raw = final_metrics({}, created_us=0, started_us=None, completed_us=2_000_000)
    assert msgspec.json.decode(raw) == {"predict_time": 0.0, "total_time": 2.0}
