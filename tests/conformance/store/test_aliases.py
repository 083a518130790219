"""Aliases: an id has one meaning, real things come first."""

import pytest

from stoker.core.aliases import Alias
from stoker.core.errors import Conflict, NotFound
from stoker.ports.store import Store
from tests.conformance.store import samples
from tests.conformance.store.conftest import Play

LOCAL, NEWER, FAR = "a" * 64, "b" * 64, "f" * 64


def alias(id: str = FAR, name: str | None = None, *, version: str = LOCAL, model: str = "ann/model") -> Alias:
    return Alias(id=id, name=name, model=model, version=version)


async def stock(store: Store) -> None:
    for name in ("model", "copy"):
        await store.models.create(samples.model(name))
    for id, model in ((LOCAL, "ann/model"), (NEWER, "ann/model"), ("c" * 64, "ann/copy")):
        await store.versions.create(samples.version(id, model=model))


def test_the_list_of_a_version_is_what_was_put_last(play: Play):
    async def story(store: Store) -> None:
        await stock(store)
        given = [alias(), alias(name="Acme/Thing"), alias("e" * 64, "acme/thing")]
        await store.aliases.put("Ann/Model", LOCAL, given)
        assert await store.aliases.of_version("ann/model", LOCAL) == [given[0], *given[:0:-1]]
        assert await store.aliases.by_id(FAR) == given[:2]
        assert await store.aliases.by_name("acme/THING") in given[1:]
        assert await store.aliases.by_name("") is None
        await store.aliases.put("ann/model", LOCAL, [given[0]])
        assert await store.aliases.by_name("acme/thing") is None
        assert await store.aliases.by_id("e" * 64) == []

    play(story)


def test_a_name_means_the_newest_of_its_versions(play: Play):
    async def story(store: Store) -> None:
        await stock(store)
        await store.aliases.put("ann/model", NEWER, [alias("e" * 64, "acme/thing", version=NEWER)])
        await store.aliases.put("ann/model", LOCAL, [alias(name="acme/thing")])
        found = await store.aliases.by_name("acme/thing")
        assert found is not None
        assert found.version == NEWER
        await store.versions.delete("ann/model", NEWER)
        assert await store.aliases.by_name("acme/thing") == alias(name="acme/thing")
        assert await store.aliases.by_id("e" * 64) == []

    play(story)


def test_collisions_are_refused_and_change_nothing(play: Play):
    async def story(store: Store) -> None:
        await stock(store)
        kept = alias(name="acme/thing")
        await store.aliases.put("ann/model", LOCAL, [kept])
        for model, version, bad in (
            ("ann/model", NEWER, alias()),
            ("ann/model", NEWER, alias("c" * 64)),
            ("ann/model", NEWER, alias(NEWER)),
            ("ann/model", NEWER, alias("e" * 64, "Ann/Copy")),
            ("ann/copy", "c" * 64, alias("e" * 64, "acme/thing")),
        ):
            with pytest.raises(Conflict):
                await store.aliases.put(model, version, [alias("d" * 64), bad])
        with pytest.raises(Conflict):
            await store.aliases.put("ann/model", LOCAL, [alias("c" * 64)])
        with pytest.raises(NotFound):
            await store.aliases.put("ann/model", "c" * 64, [])
        assert await store.aliases.by_id("d" * 64) == []
        assert await store.aliases.of_version("ann/model", LOCAL) == [kept]
        await store.aliases.put("ann/model", LOCAL, [alias(name="Ann/Model"), kept])

    play(story)


def test_ids_move_to_another_version_of_their_model_where_that_is_asked_for(play: Play):
    async def story(store: Store) -> None:
        await stock(store)
        mine = [alias(), alias(name="acme/thing"), alias("e" * 64)]
        await store.aliases.put("ann/model", LOCAL, mine)
        moved = [alias(version=NEWER), alias(name="other/thing", version=NEWER)]
        await store.aliases.put("ann/model", NEWER, moved, take_over=True)
        assert await store.aliases.by_id(FAR) == moved
        assert await store.aliases.of_version("ann/model", LOCAL) == mine[2:]
        stolen = [alias("e" * 64, version="c" * 64, model="ann/copy")]
        with pytest.raises(Conflict):
            await store.aliases.put("ann/copy", "c" * 64, stolen, take_over=True)
        assert await store.aliases.of_version("ann/model", LOCAL) == mine[2:]

    play(story)
