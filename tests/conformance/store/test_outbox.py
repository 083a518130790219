"""Webhook deliveries: due in order, tried again later, gone when they are done."""

from stoker.ports.store import Delivery, Store
from tests.conformance.store import samples
from tests.conformance.store.conftest import Play


async def owe(store: Store, *moments: int) -> list[Delivery]:
    """Owes a delivery due at each moment."""
    prediction = samples.prediction()
    owed = [samples.delivery(prediction.id, next_us=moment) for moment in moments]
    await store.predictions.accept(prediction, owed)
    return owed


def test_what_is_due_comes_longest_due_first(play: Play):
    async def story(store: Store) -> None:
        late, early, now, future = await owe(store, 20, 10, 30, 31)
        assert await store.outbox.due(30) == [early, late, now]
        assert await store.outbox.due(30, limit=2) == [early, late]
        assert await store.outbox.due(9) == []
        assert future not in await store.outbox.due(30)

    play(story)


def test_deliveries_survive_a_restart(play: Play):
    owed: list[Delivery] = []

    async def before(store: Store) -> None:
        owed.extend(await owe(store, 1, 2))

    async def after(store: Store) -> None:
        assert await store.outbox.due(5) == owed

    play(before)
    play(after)


def test_the_next_one_due_after_a_moment(play: Play):
    async def story(store: Store) -> None:
        assert await store.outbox.next_due_us(after_us=0) is None
        await owe(store, 10, 20)
        assert await store.outbox.next_due_us(after_us=0) == 10
        assert await store.outbox.next_due_us(after_us=10) == 20
        assert await store.outbox.next_due_us(after_us=20) is None

    play(story)


def test_another_attempt_is_due_later_and_one_that_is_done_never(play: Play):
    async def story(store: Store) -> None:
        again, done = await owe(store, 10, 11)
        await store.outbox.retry(again.id, attempts=2, next_us=50)
        await store.outbox.drop(done.id)
        await store.outbox.drop(done.id)
        assert await store.outbox.due(49) == []
        (found,) = await store.outbox.due(50)
        assert (found.id, found.attempts, found.next_us, found.event) == (again.id, 2, 50, again.event)

    play(story)
