"""Any sequence of writes, however they share transactions, does what a prediction's life cycle allows."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from stoker.core.prediction import Status
from stoker.ports.store import Store
from tests.conformance.store import samples
from tests.conformance.store.conftest import STORY_S, Open

IDS = ("one", "two", "three")
STEPS = st.tuples(
    st.sampled_from(["accept", "accept_running", "start", "succeed", "cancel", "interrupt"]),
    st.sampled_from(IDS),
)
WRITES = st.lists(st.lists(STEPS, min_size=1, max_size=8), min_size=1, max_size=5)
"""Groups of writes; those of a group are sent without waiting in between."""


class Expected:
    """What the store should say and hold, by the rules alone."""

    def __init__(self) -> None:
        self.status: dict[str, Status] = {}

    def take(self, step: str, id: str) -> object:
        now = self.status.get(id)
        if step == "interrupt":
            hit = [id for id, status in self.status.items() if status is Status.PROCESSING]
            self.status |= dict.fromkeys(hit, Status.FAILED)
            return len(hit)
        if step in ("accept", "accept_running"):
            if now is None:
                self.status[id] = Status.PROCESSING if step == "accept_running" else Status.STARTING
            return now is None
        if step == "start":
            return self._move(id, now is Status.STARTING, Status.PROCESSING)
        end = Status.SUCCEEDED if step == "succeed" else Status.CANCELED
        return self._move(id, now is not None and not now.is_final, end)

    def _move(self, id: str, may: bool, then: Status) -> bool:
        if may:
            self.status[id] = then
        return may


async def do(store: Store, step: str, id: str) -> object:
    predictions = store.predictions
    if step == "interrupt":
        return await predictions.interrupt(9, "interrupted")
    if step == "start":
        return await predictions.start(id, 5, [samples.delivery(id, event="start")])
    if step in ("succeed", "cancel"):
        status = Status.SUCCEEDED if step == "succeed" else Status.CANCELED
        return await predictions.finish(id, samples.ending(status=status))
    status = Status.PROCESSING if step == "accept_running" else Status.STARTING
    await predictions.accept(samples.prediction(id=id, status=status))
    return True


@settings(max_examples=60, deadline=None)
@given(groups=WRITES)
def check(open_store: Open, groups: list[list[tuple[str, str]]]) -> None:
    async def story(folder: Path) -> None:
        store = await open_store(folder)
        expected = Expected()
        try:
            for group in groups:
                wanted = [expected.take(*step) for step in group]
                results = await asyncio.gather(*(do(store, *step) for step in group), return_exceptions=True)
                assert [False if isinstance(r, Exception) else r for r in results] == wanted
                for id in IDS:
                    found = await store.predictions.get(id)
                    assert (found and found.status) == expected.status.get(id)
        finally:
            await store.close()

    with TemporaryDirectory() as folder:
        asyncio.run(asyncio.wait_for(story(Path(folder)), STORY_S))


def test_writes_do_what_the_life_cycle_allows(open_store: Open):
    check(open_store)
