"""A prediction's writes: what is kept, the guards, the webhooks owed with a change."""

import asyncio

import msgspec
import pytest

from stoker.core.errors import Conflict
from stoker.core.prediction import Prediction, Status, finished, started
from stoker.ports.store import Store
from tests.conformance.store import samples
from tests.conformance.store.conftest import Play

FAR_US = 10**15


async def kept(store: Store, id: str) -> Prediction:
    found = await store.predictions.get(id)
    assert found is not None
    return found


def test_every_field_comes_back_as_it_was_given(play: Play):
    given = samples.whole()

    async def write(store: Store) -> None:
        await store.predictions.accept(given)

    async def read(store: Store) -> None:
        found = await kept(store, given.id)
        assert found == given
        assert bytes(found.input) == bytes(given.input)
        assert await store.predictions.get_by_stream_key(given.stream_key) == given
        assert await store.predictions.get("another") is None
        assert await store.predictions.get_by_stream_key(given.id) is None

    play(write)
    play(read)


def test_a_prediction_is_accepted_once(play: Play):
    async def story(store: Store) -> None:
        first = samples.prediction()
        await store.predictions.accept(first)
        with pytest.raises(Conflict):
            await store.predictions.accept(samples.prediction(id=first.id))
        assert await kept(store, first.id) == first

    play(story)


def test_start_and_finish_follow_the_life_cycle(play: Play):
    async def story(store: Store) -> None:
        given, end = samples.whole(), samples.ending(status=Status.FAILED, error="it broke")
        await store.predictions.accept(given)
        assert await store.predictions.start(given.id, 50)
        assert await kept(store, given.id) == started(given, 50)
        assert not await store.predictions.start(given.id, 51)
        assert await store.predictions.finish(given.id, end)
        assert await kept(store, given.id) == finished(started(given, 50), end)
        assert not await store.predictions.finish(given.id, samples.ending())
        assert not await store.predictions.start(given.id, 52)
        assert await kept(store, given.id) == finished(started(given, 50), end)

    play(story)


def test_one_that_never_ran_may_end(play: Play):
    async def story(store: Store) -> None:
        given, end = samples.whole(), samples.ending(status=Status.CANCELED, output=None, logs="")
        await store.predictions.accept(given)
        assert await store.predictions.finish(given.id, end)
        assert await kept(store, given.id) == finished(given, end)

    play(story)


def test_what_does_not_exist_neither_starts_nor_ends(play: Play):
    async def story(store: Store) -> None:
        owed = [samples.delivery("nobody")]
        assert not await store.predictions.start("nobody", 1, owed)
        assert not await store.predictions.finish("nobody", samples.ending(), owed)
        assert await store.outbox.due(FAR_US) == []

    play(story)


def test_an_ending_is_final(play: Play):
    async def story(store: Store) -> None:
        given = samples.prediction()
        await store.predictions.accept(given)
        with pytest.raises(ValueError, match="processing"):
            await store.predictions.finish(given.id, samples.ending(status=Status.PROCESSING))

    play(story)


def test_secrets_are_forgotten_as_soon_as_they_are_not_needed(play: Play):
    async def story(store: Store) -> None:
        secret = msgspec.Raw(b'{"key":"hidden"}')
        waiting = samples.prediction(secrets=secret)
        running = samples.prediction(secrets=secret, status=Status.PROCESSING, started_us=5)
        await store.predictions.accept(waiting)
        await store.predictions.accept(running)
        assert (await kept(store, waiting.id)).secrets == secret
        assert (await kept(store, running.id)).secrets is None
        await store.predictions.finish(waiting.id, samples.ending())
        assert (await kept(store, waiting.id)).secrets is None

    play(story)


def test_a_run_counts_once_for_its_model(play: Play):
    async def story(store: Store) -> None:
        await store.models.create(samples.model())
        predictions = [samples.prediction(model="Ann/Model") for _ in range(3)]
        training = samples.prediction(kind="training")
        for given in [*predictions, training]:
            await store.predictions.accept(given)
            await store.predictions.finish(given.id, samples.ending())
            await store.predictions.finish(given.id, samples.ending())
        found = await store.models.get("ann", "model")
        assert found is not None
        assert found.run_count == 3

    play(story)


def test_a_webhook_is_owed_exactly_where_the_change_was_made(play: Play):
    async def story(store: Store) -> None:
        given = samples.prediction()
        first, second = samples.delivery(given.id, event="start"), samples.delivery(given.id)
        late = samples.delivery(given.id)
        await store.predictions.accept(given)
        await store.predictions.start(given.id, 5, [first])
        await store.predictions.start(given.id, 5, [late])
        await store.predictions.finish(given.id, samples.ending(), [second])
        await store.predictions.finish(given.id, samples.ending(), [late])
        assert await store.outbox.due(FAR_US) == [first, second]

    play(story)


def test_a_change_and_what_it_owes_are_kept_together_or_not_at_all(play: Play):
    async def story(store: Store) -> None:
        first, second = samples.prediction(), samples.prediction()
        twice = samples.delivery(first.id)
        await store.predictions.accept(first, [twice])
        with pytest.raises(Conflict):
            await store.predictions.accept(second, [samples.delivery(second.id), twice])
        assert await store.predictions.get(second.id) is None
        with pytest.raises(Conflict):
            await store.predictions.finish(first.id, samples.ending(), [twice])
        assert (await kept(store, first.id)).status is Status.STARTING
        assert await store.outbox.due(FAR_US) == [twice]

    play(story)


def test_a_write_that_fails_does_not_fail_its_neighbours(play: Play):
    async def story(store: Store) -> None:
        given = [samples.prediction() for _ in range(20)]
        bad = [
            given[3],
            samples.prediction(id=given[4].id),
            samples.prediction(stream_key=given[5].stream_key),
        ]
        broken = samples.prediction(created_us=2**70)
        writes = [*given[:10], *bad, broken, *given[10:]]
        results = await asyncio.gather(*map(store.predictions.accept, writes), return_exceptions=True)
        failures = [write for write, result in zip(writes, results, strict=True) if result is not None]
        assert failures == [*bad, broken]
        assert [p.id for p in await store.predictions.waiting()] == [p.id for p in given]

    play(story)


def test_writes_take_effect_in_the_order_of_the_calls(play: Play):
    async def story(store: Store) -> None:
        given = [samples.prediction() for _ in range(50)]
        steps = []
        for one in given:
            steps += [store.predictions.accept(one), store.predictions.start(one.id, 1)]
            steps += [store.predictions.finish(one.id, samples.ending()), store.predictions.start(one.id, 2)]
        results = await asyncio.gather(*steps)
        assert results == [None, True, True, False] * 50

    play(story)


def test_waiting_are_those_that_are_starting_oldest_first(play: Play):
    async def story(store: Store) -> None:
        late = samples.prediction(created_us=30)
        early = samples.prediction(created_us=10, secrets=msgspec.Raw(b'{"a":1}'), logs="booting\n")
        running = samples.prediction(created_us=20, status=Status.PROCESSING)
        ended = samples.prediction(created_us=5)
        for given in (late, early, running, ended):
            await store.predictions.accept(given)
        await store.predictions.finish(ended.id, samples.ending())
        assert await store.predictions.waiting() == [early, late]

    play(story)
