"""Which account has sent which bytes."""

from stoker.ports.store import Store
from tests.conformance.store.conftest import Play

FIRST, SECOND, THIRD = ("a" * 64, "b" * 64, "c" * 64)


def test_each_account_has_what_it_sent_itself(play: Play):
    async def story(store: Store) -> None:
        await store.uploads.note("ann", FIRST, 1)
        await store.uploads.note("bob", SECOND, 1)
        await store.uploads.note("ann", FIRST, 2)
        await told(store)

    async def told(store: Store) -> None:
        asked = {FIRST, SECOND, THIRD}
        assert await store.uploads.known("Ann", asked, 3) == {FIRST}
        assert await store.uploads.known("bob", asked, 3) == {SECOND}
        assert await store.uploads.known("bob", set(), 3) == set()
        assert await store.uploads.known("carol", asked, 3) == set()

    play(story)
    play(told)


def test_what_nobody_has_asked_for_is_forgotten(play: Play):
    async def story(store: Store) -> None:
        for digest in (FIRST, SECOND, THIRD):
            await store.uploads.note("ann", digest, 1)
        await store.uploads.known("ann", {FIRST}, 5)
        await store.uploads.note("ann", SECOND, 6)
        assert await store.uploads.forget(5) == 1
        assert await store.uploads.known("ann", {FIRST, SECOND, THIRD}, 7) == {FIRST, SECOND}

    play(story)
