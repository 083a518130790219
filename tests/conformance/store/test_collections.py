"""Collections: slugs without case, models in their order."""

from stoker.core.collections import Collection
from stoker.ports.store import Cursor, Store
from tests.conformance.store import samples
from tests.conformance.store.conftest import Play


def collection(slug: str, created_us: int = 1, **fields: str) -> Collection:
    return Collection(slug=slug, name=slug.title(), created_us=created_us, **fields)


def test_a_collection_comes_back_as_it_was_given_and_changes(play: Play):
    async def story(store: Store) -> None:
        given = collection("images", description="Pictures", full_description="# Pictures")
        assert await store.collections.create(given)
        assert not await store.collections.create(collection("Images"))
        assert await store.collections.get("IMAGES") == given
        changed = await store.collections.update("images", name="Pictures", full_description=None)
        assert changed == await store.collections.get("images")
        assert changed is not None
        assert (changed.name, changed.description, changed.full_description) == ("Pictures", "Pictures", None)
        assert await store.collections.update("other", name="x") is None
        assert await store.collections.delete("images")
        assert not await store.collections.delete("images")
        assert await store.collections.get("images") is None

    play(story)


def test_the_list_is_newest_first(play: Play):
    async def story(store: Store) -> None:
        given = [collection(slug, moment) for slug, moment in (("a", 1), ("b", 2), ("c", 2))]
        for one in given:
            await store.collections.create(one)
        first = await store.collections.page(limit=2)
        assert (first.items, first.has_next) == ([given[2], given[1]], True)
        second = await store.collections.page(cursor=Cursor(2, "b"), limit=2)
        assert (second.items, second.has_next, second.has_previous) == ([given[0]], False, True)

    play(story)


def test_models_are_in_their_order_and_leave_when_they_are_deleted(play: Play):
    async def story(store: Store) -> None:
        models = [samples.model(name) for name in "abc"]
        for model in models:
            await store.models.create(model)
        await store.collections.create(collection("images"))
        await store.collections.create(collection("words"))
        for ref in ("ann/c", "ann/a", "ANN/b", "ann/c"):
            assert await store.collections.add("Images", ref)
        assert not await store.collections.add("images", "ann/none")
        assert not await store.collections.add("none", "ann/a")
        a, b, c = models
        assert await store.collections.models("images") == [c, a, b]
        assert await store.collections.models("words") == []
        assert await store.collections.remove("images", "Ann/C")
        assert not await store.collections.remove("images", "ann/c")
        assert await store.models.delete("ann", "a")
        assert await store.collections.models("images") == [b]
        assert await store.collections.delete("images")
        assert await store.models.get("ann", "b") == b

    play(story)
