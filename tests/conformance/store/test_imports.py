"""What came from another API: versions without code give way, runs count for nothing, data stays a while."""

import msgspec
import pytest

from stoker.core.catalog import Recipe, Version
from stoker.core.errors import NotFound
from stoker.core.prediction import Prediction, Status
from stoker.ports.store import Store
from tests.conformance.store import samples
from tests.conformance.store.conftest import Play

OLDER, NEWER = "b" * 64, "c" * 64


def described(id: str, **fields: object) -> Version:
    return samples.version(
        id, recipe=Recipe(environment="", imported_from="https://a.test"), source=(), **fields
    )


def past(**fields: object) -> Prediction:
    defaults = {"status": Status.SUCCEEDED, "completed_us": 50, "imported_us": 1000}
    return samples.prediction(**defaults | fields)


async def latest(store: Store) -> tuple[str | None, int | None]:
    model = await store.models.get("ann", "model")
    assert model is not None
    return model.latest_version, model.latest_version_us


def test_an_imported_version_gives_way_to_one_with_code(play: Play):
    async def story(store: Store) -> None:
        with pytest.raises(NotFound):
            await store.versions.describe(described(OLDER))
        await store.models.create(samples.model())
        assert await store.versions.describe(described(NEWER, created_us=20))
        assert await store.versions.describe(described(OLDER, created_us=10))
        assert not await store.versions.describe(described(OLDER, created_us=99))
        assert await latest(store) == (NEWER, 20)
        assert await store.versions.environments() == {""}
        assert await store.versions.sources() == set()

        pushed = samples.version(OLDER, created_us=30)
        assert await store.versions.create(pushed)
        assert not await store.versions.create(pushed)
        assert await store.versions.get(OLDER, model="ann/model") == pushed
        assert await latest(store) == (OLDER, 30)
        assert not await store.versions.describe(described(OLDER))
        assert await store.versions.describe(described("d" * 64, created_us=40))
        assert await latest(store) == (OLDER, 30)

        assert await store.versions.delete("ann/model", OLDER)
        assert await latest(store) == ("d" * 64, 40)

    play(story)


def test_a_version_with_code_is_found_before_imported_ones_of_the_same_id(play: Play):
    async def story(store: Store) -> None:
        await store.models.create(samples.model())
        await store.models.create(samples.model(owner="bob", visibility="public"))
        pushed = samples.version(OLDER, model="bob/model", created_us=1)
        await store.versions.create(pushed)
        await store.versions.describe(described(OLDER, created_us=2))
        assert await store.versions.get(OLDER) == pushed
        assert await store.versions.get_visible(OLDER, "ann") == pushed
        await store.versions.delete("bob/model", OLDER)
        found = await store.versions.get_visible(OLDER, "ann")
        assert found is not None and found.imported_from == "https://a.test"

    play(story)


def test_what_ran_elsewhere_counts_for_nothing_and_its_data_stays_from_when_it_came(play: Play):
    async def story(store: Store) -> None:
        await store.models.create(samples.model())
        given, ran = past(), samples.prediction()
        await store.predictions.accept(given)
        await store.predictions.accept(ran)
        await store.predictions.finish(ran.id, samples.ending(completed_us=60))
        model = await store.models.get("ann", "model")
        assert model is not None and model.run_count == 1
        assert await store.predictions.get(given.id) == given
        assert await store.predictions.known("ANN", [given.id, "nothing"]) == {given.id}
        assert await store.predictions.known("bob", [given.id]) == set()
        assert await store.predictions.remove_data("ann", 999) == [ran.id]
        assert await store.predictions.remove_data("ann", 1001) == [given.id]

    play(story)


def test_an_example_that_ran_elsewhere_goes_when_it_is_dropped(play: Play):
    async def story(store: Store) -> None:
        await store.models.create(samples.model())
        given = past(kind="example", input=msgspec.Raw(b'{"x":1}'))
        await store.predictions.accept(given)
        assert await store.examples.keep("ann/model", given.id, files=[], now_us=7)
        assert (await store.predictions.page("ann")).items == []
        assert await store.predictions.remove_data("ann", 10**9) == []
        assert await store.examples.drop("ann/model", given.id)
        assert await store.predictions.get(given.id) is None

    play(story)
