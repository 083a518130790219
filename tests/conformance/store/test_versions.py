"""Versions: found by id or by model, the latest of a model, what the versions that exist need."""

import msgspec
import pytest

from stoker.core.catalog import Recipe, SourceFile
from stoker.core.environments import EnvironmentSpec
from stoker.core.errors import NotFound
from stoker.ports.store import Cursor, Store
from tests.conformance.store import samples
from tests.conformance.store.conftest import Play

OTHER = "b" * 64


async def latest(store: Store, name: str = "model") -> str | None:
    found = await store.models.get("ann", name)
    assert found is not None
    return found.latest_version


def test_a_version_comes_back_as_it_was_given(play: Play):
    async def story(store: Store) -> None:
        await store.models.create(samples.model())
        spec = EnvironmentSpec(
            python="3.11", platform="linux-x86_64", lock=("a==1",), artifacts=(("c" * 64, "a.whl"),)
        )
        recipe = Recipe(environment=spec.id, environment_spec=spec, slots=3, gpu=True, warnings=("careful",))
        given = samples.version(recipe=recipe, openapi_schema={"x-é": [1, 2.5, None, {"a": True}]})
        assert await store.versions.create(given)
        assert await store.versions.get(given.id) == given
        assert await store.versions.get(given.id, model="Ann/MODEL") == given
        assert await store.versions.get(given.id, model="ann/other") is None
        assert await store.versions.get(OTHER) is None

    play(story)


def test_creating_makes_the_latest_also_where_it_exists(play: Play):
    async def story(store: Store) -> None:
        await store.models.create(samples.model())
        first, second = samples.version(), samples.version(OTHER)
        assert await store.versions.create(first)
        assert await latest(store) == first.id
        assert await store.versions.create(second)
        assert await latest(store) == second.id
        assert not await store.versions.create(samples.version(cog_version="9"))
        assert await latest(store) == first.id
        assert await store.versions.get(first.id) == first

    play(story)


def test_a_version_needs_its_model(play: Play):
    async def story(store: Store) -> None:
        with pytest.raises(NotFound):
            await store.versions.create(samples.version())
        assert await store.versions.get(samples.VERSION) is None

    play(story)


def test_one_id_in_two_models_is_of_the_newer(play: Play):
    async def story(store: Store) -> None:
        await store.models.create(samples.model())
        await store.models.create(samples.model("copy"))
        newer = samples.version(model="ann/copy", created_us=20)
        older = samples.version(created_us=10)
        await store.versions.create(newer)
        await store.versions.create(older)
        assert await store.versions.get(samples.VERSION) == newer
        assert await store.versions.get(samples.VERSION, model="ann/model") == older

    play(story)


def test_by_id_alone_an_account_gets_what_it_may_see_its_own_first(play: Play):
    async def story(store: Store) -> None:
        await store.models.create(samples.model("hidden", owner="bob"))
        await store.versions.create(samples.version(model="bob/hidden", created_us=30))
        assert await store.versions.get_visible(samples.VERSION, "ann") is None
        await store.models.create(samples.model("public", owner="bob", visibility="public"))
        public = samples.version(model="bob/public", created_us=20)
        await store.versions.create(public)
        assert await store.versions.get_visible(samples.VERSION, "ann") == public
        await store.models.create(samples.model("own"))
        own = samples.version(model="ann/own", created_us=10)
        await store.versions.create(own)
        assert await store.versions.get_visible(samples.VERSION, "Ann") == own
        assert await store.versions.get_visible(OTHER, "ann") is None

    play(story)


def test_a_list_is_of_one_model_newest_first(play: Play):
    async def story(store: Store) -> None:
        await store.models.create(samples.model())
        await store.models.create(samples.model("copy"))
        given = [
            samples.version(letter * 64, created_us=moment) for letter, moment in ("a1", "b2", "c2", "d3")
        ]
        given = [samples.version(v.id, created_us=int(v.created_us)) for v in given]
        for version in [*given, samples.version(model="ann/copy")]:
            await store.versions.create(version)
        first = await store.versions.page("Ann/model", limit=2)
        assert (first.items, first.has_next, first.has_previous) == ([given[3], given[2]], True, False)
        second = await store.versions.page("ann/model", cursor=Cursor(2, given[2].id), limit=2)
        assert (second.items, second.has_next, second.has_previous) == ([given[1], given[0]], False, True)

    play(story)


def test_the_newest_that_is_left_becomes_the_latest(play: Play):
    async def story(store: Store) -> None:
        await store.models.create(samples.model())
        for letter in "abc":
            await store.versions.create(samples.version(letter * 64))
        assert await store.versions.delete("ann/model", "a" * 64)
        assert await latest(store) == "c" * 64
        assert await store.versions.delete("ann/model", "c" * 64)
        assert await latest(store) == "b" * 64
        assert not await store.versions.delete("ann/model", "c" * 64)
        assert await store.versions.delete("ann/model", "b" * 64)
        assert await latest(store) is None
        assert await store.versions.get("b" * 64) is None

    play(story)


def test_what_versions_need_is_what_remaining_ones_need(play: Play):
    async def story(store: Store) -> None:
        await store.models.create(samples.model())
        assert await store.versions.sources() == set()
        shared, own = SourceFile("a.py", "1" * 64, 1), SourceFile("b.py", "2" * 64, 1)
        await store.versions.create(samples.version(source=(shared,), recipe=Recipe(environment="one")))
        await store.versions.create(
            samples.version(OTHER, source=(shared, own), recipe=Recipe(environment="two"))
        )
        assert await store.versions.sources() == {"1" * 64, "2" * 64}
        assert await store.versions.environments() == {"one", "two"}
        assert await store.versions.ids() == {"a" * 64, OTHER}
        assert await store.versions.ids() == {samples.VERSION, OTHER}
        await store.versions.delete("ann/model", OTHER)
        assert await store.versions.sources() == {"1" * 64}
        assert await store.versions.environments() == {"one"}
        assert await store.versions.ids() == {samples.VERSION}

    play(story)


def test_trained_weights_are_needed_and_known_by_what_they_were_trained_from(play: Play):
    async def story(store: Store) -> None:
        await store.models.create(samples.model())
        await store.models.create(samples.model("tuned"))
        base = samples.version()
        recipe = Recipe(
            environment="e", weights="d" * 64, weights_name="w.bin", trained_from=f"ann/model:{base.id}"
        )
        tuned = samples.version(OTHER, model="ann/tuned", recipe=recipe)
        await store.versions.create(base)
        assert not await store.versions.has_trained("ann/model", base.id)
        await store.versions.create(tuned)
        assert await store.versions.get(OTHER) == tuned
        assert "d" * 64 in await store.versions.sources()
        assert await store.versions.has_trained("Ann/Model", base.id)
        assert await store.versions.has_trained("Ann/Model", base.id, elsewhere=True)
        assert not await store.versions.has_trained("ann/tuned", OTHER)
        again = msgspec.structs.replace(tuned, id="e" * 64, model="ann/model")
        await store.versions.delete("ann/tuned", OTHER)
        await store.versions.create(again)
        assert await store.versions.has_trained("ann/model", base.id)
        assert not await store.versions.has_trained("ann/model", base.id, elsewhere=True)
        await store.versions.delete("ann/model", "e" * 64)
        await store.versions.create(tuned)
        await store.versions.delete("ann/tuned", OTHER)
        assert "d" * 64 not in await store.versions.sources()
        assert not await store.versions.has_trained("ann/model", base.id)

    play(story)


def test_checkpoints_are_known_with_the_versions_that_run_with_them(play: Play):
    async def story(store: Store) -> None:
        await store.models.create(samples.model())
        await store.models.create(samples.model("copy"))
        assert await store.versions.by_checkpoint() == {}
        with_one, with_two = (Recipe(environment="e", checkpoint=id * 64) for id in "12")
        await store.versions.create(samples.version())
        await store.versions.create(samples.version(OTHER, created_us=1, recipe=with_one))
        await store.versions.create(samples.version("c" * 64, created_us=2, recipe=with_two))
        await store.versions.create(
            samples.version("d" * 64, model="ann/copy", created_us=3, recipe=with_one)
        )
        assert await store.versions.by_checkpoint() == {
            "1" * 64: ["ann/copy:" + "d" * 64, f"ann/model:{OTHER}"],
            "2" * 64: ["ann/model:" + "c" * 64],
        }
        await store.versions.delete("ann/model", "c" * 64)
        assert set(await store.versions.by_checkpoint()) == {"1" * 64}

    play(story)
