"""Examples: what is kept stays, what is dropped goes the way of others."""

import msgspec

from stoker.core.prediction import Prediction, Status
from stoker.core.retention import FOR_EVER_US
from stoker.ports.store import Cursor, Store
from tests.conformance.store import samples
from tests.conformance.store.conftest import Play

LATER_US = 10**9


async def over(store: Store, **fields: str) -> Prediction:
    """A prediction that has ended."""
    given = samples.prediction(input=msgspec.Raw(b'{"x":1}'), **fields)
    await store.predictions.accept(given)
    await store.predictions.finish(given.id, samples.ending())
    found = await store.predictions.get(given.id)
    assert found is not None
    return found


async def default(store: Store) -> str | None:
    model = await store.models.get("ann", "model")
    assert model is not None
    return model.default_example


def test_what_is_kept_keeps_its_data_and_files_until_it_is_dropped(play: Play):
    async def story(store: Store) -> None:
        await store.models.create(samples.model())
        kept, other = await over(store), await over(store)
        upload, output = samples.file(expires_us=50), samples.file(prediction=kept.id, origin="output")
        foreign = samples.file(account="bob", expires_us=60)
        for file in (upload, output, foreign):
            await store.files.create(file)
        files = [upload.id, output.id, foreign.id, "nothing"]
        assert await store.examples.keep("Ann/Model", kept.id, files=files, now_us=7)
        found = await store.examples.get(kept.id)
        assert found is not None
        assert (found.prediction, found.kept_us) == (msgspec.structs.replace(kept, kept=True), 7)
        assert found.files == {upload.id: upload.name, output.id: output.name}
        assert await store.predictions.remove_data("ann", LATER_US) == [other.id]
        assert await store.files.expire(LATER_US) == 1
        held = await store.files.get(upload.id)
        assert held is not None
        assert held.expires_us == FOR_EVER_US

        assert not await store.examples.drop("ann/other", kept.id)
        assert await store.examples.drop("ann/model", kept.id)
        assert not await store.examples.drop("ann/model", kept.id)
        assert await store.examples.get(kept.id) is None
        assert await store.files.get(upload.id) == upload
        assert await store.predictions.remove_data("ann", LATER_US) == [kept.id]

    play(story)


def test_a_file_of_two_examples_stays_until_both_are_dropped(play: Play):
    async def story(store: Store) -> None:
        await store.models.create(samples.model())
        file = samples.file(expires_us=50)
        await store.files.create(file)
        first, second = await over(store), await over(store)
        for one in (first, second):
            assert await store.examples.keep("ann/model", one.id, files=[file.id], now_us=1)
        await store.examples.drop("ann/model", first.id)
        assert await store.files.expire(LATER_US) == 0
        await store.examples.drop("ann/model", second.id)
        assert await store.files.get(file.id) == file

    play(story)


def test_a_file_that_another_prediction_made_stays_and_goes_once_it_is_dropped(play: Play):
    async def story(store: Store) -> None:
        await store.models.create(samples.model())
        maker, shown = await over(store), await over(store)
        file = samples.file(prediction=maker.id, origin="output", expires_us=FOR_EVER_US)
        await store.files.create(file)
        assert await store.examples.keep("ann/model", shown.id, files=[file.id], now_us=1)
        assert await store.predictions.remove_data("ann", LATER_US) == [maker.id]
        assert await store.files.get(file.id) == file
        await store.examples.drop("ann/model", shown.id)
        assert await store.files.expire(LATER_US) == 1

    play(story)


def test_only_what_is_over_and_whole_and_of_the_model_can_be_kept(play: Play):
    async def story(store: Store) -> None:
        await store.models.create(samples.model())
        await store.models.create(samples.model("other"))
        running = samples.prediction(status=Status.PROCESSING)
        await store.predictions.accept(running)
        done = await over(store)
        for model, id in (("ann/model", running.id), ("ann/other", done.id), ("ann/model", "none")):
            assert not await store.examples.keep(model, id, files=[], now_us=1)
        await store.predictions.remove_data("ann", LATER_US)
        assert not await store.examples.keep("ann/model", done.id, files=[], now_us=1)
        assert await default(store) is None

    play(story)


def test_the_first_is_the_default_until_another_is_chosen_or_it_is_dropped(play: Play):
    async def story(store: Store) -> None:
        await store.models.create(samples.model())
        a, b, c = [(await over(store)).id for _ in "abc"]
        for moment, id in enumerate((a, b, c)):
            await store.examples.keep("ann/model", id, files=[], now_us=moment)
        assert await default(store) == a
        await store.examples.keep("ann/model", c, files=[], now_us=9, default=True)
        assert await default(store) == c
        await store.examples.drop("ann/model", b)
        assert await default(store) == c
        await store.examples.drop("ann/model", c)
        assert await default(store) == a
        await store.examples.drop("ann/model", a)
        assert await default(store) is None

    play(story)


def test_the_list_is_last_kept_first(play: Play):
    async def story(store: Store) -> None:
        await store.models.create(samples.model())
        a, b, c = [(await over(store)).id for _ in "abc"]
        for moment, id in ((3, a), (1, b), (2, c)):
            await store.examples.keep("ann/model", id, files=[], now_us=moment)
        first = await store.examples.page("Ann/model", limit=2)
        assert ([e.prediction.id for e in first.items], first.has_next) == ([a, c], True)
        second = await store.examples.page("ann/model", cursor=Cursor(2, c), limit=2)
        assert ([e.prediction.id for e in second.items], second.has_next) == ([b], False)
        assert (await store.examples.page("ann/other")).items == []

    play(story)


def test_a_model_takes_its_examples_along(play: Play):
    async def story(store: Store) -> None:
        await store.models.create(samples.model())
        file = samples.file(expires_us=50)
        await store.files.create(file)
        done = await over(store)
        await store.examples.keep("ann/model", done.id, files=[file.id], now_us=1)
        assert await store.models.delete("ann", "model")
        assert await store.examples.get(done.id) is None
        assert await store.predictions.remove_data("ann", LATER_US) == [done.id]
        assert await store.files.get(file.id) == file

    play(story)
