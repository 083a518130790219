"""What is remembered of files: owners, origins, expiry."""

import pytest

from stoker.core.errors import Conflict
from stoker.ports.store import Cursor, Store
from tests.conformance.store import samples
from tests.conformance.store.conftest import Play


def test_a_file_comes_back_as_it_was_given(play: Play):
    given = samples.file(prediction="p", origin="output", md5=None)
    many = [samples.file(metadata={}), *(samples.file() for _ in range(200))]

    async def story(store: Store) -> None:
        await store.files.create(given, synced=False)
        for record in many:
            await store.files.create(record)
        with pytest.raises(Conflict):
            await store.files.create(samples.file(id=given.id))
        await found(store)

    async def found(store: Store) -> None:
        for record in [given, *many]:
            assert await store.files.get(record.id) == record
        assert await store.files.get("another") is None

    play(story)
    play(found)


def test_a_list_is_of_one_account_and_origin_newest_first(play: Play):
    async def story(store: Store) -> None:
        given = [samples.file(created_us=moment) for moment in (1, 2, 2, 3)]
        output = samples.file(origin="output")
        for record in [*given, output, samples.file(account="bob")]:
            await store.files.create(record)
        first = await store.files.page("Ann", limit=3)
        assert (first.items, first.has_next, first.has_previous) == (given[:0:-1], True, False)
        second = await store.files.page("ann", cursor=Cursor(2, given[1].id), limit=3)
        assert (second.items, second.has_next, second.has_previous) == ([given[0]], False, True)
        assert (await store.files.page("ann", origin="output")).items == [output]

    play(story)


def test_only_its_account_deletes_a_file(play: Play):
    async def story(store: Store) -> None:
        given = samples.file()
        await store.files.create(given)
        assert not await store.files.delete(given.id, account="bob")
        assert await store.files.delete(given.id, account="ann")
        assert not await store.files.delete(given.id, account="ann")
        assert await store.files.get(given.id) is None

    play(story)


def test_files_whose_time_is_over_are_forgotten_a_part_at_a_time(play: Play):
    async def story(store: Store) -> None:
        given = [samples.file(expires_us=moment) for moment in (30, 10, 20, 21)]
        for record in given:
            await store.files.create(record)
        assert await store.files.expire(20, limit=1) == 1
        assert await store.files.get(given[1].id) is None
        assert await store.files.expire(20, limit=5) == 1
        assert await store.files.expire(20, limit=5) == 0
        assert [r.id for r in (await store.files.page("ann")).items] == [given[3].id, given[0].id]

    play(story)


def test_contents_are_those_of_the_files_that_are_left(play: Play):
    async def story(store: Store) -> None:
        twins = [samples.file(sha256="1" * 64), samples.file(sha256="1" * 64)]
        for record in [*twins, samples.file(sha256="2" * 64, origin="input")]:
            await store.files.create(record)
        assert await store.files.contents() == {"1" * 64, "2" * 64}
        await store.files.delete(twins[0].id, account="ann")
        assert await store.files.contents() == {"1" * 64, "2" * 64}
        await store.files.delete(twins[1].id, account="ann")
        assert await store.files.contents() == {"2" * 64}

    play(story)
