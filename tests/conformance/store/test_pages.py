"""Lists by pages: complete, in order and without repeats in both directions, whatever is added meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from stoker.core.prediction import Prediction, Status
from stoker.ports.store import Cursor, Page, Store
from tests.conformance.store import samples
from tests.conformance.store.conftest import STORY_S, Open, Play

MOMENTS = st.lists(st.integers(1, 6), max_size=14)
"""Creation times, few enough that many are equal."""

GetPage = Callable[[Cursor | None], Awaitable[Page[Any]]]


def place(prediction: Prediction) -> tuple[int, str]:
    return prediction.created_us, prediction.id


async def walk(get_page: GetPage, *, between: Callable[[], Awaitable[None]], reverse: bool) -> list[Any]:
    """All items by following the pages one way; calls ``between`` after each page."""
    items: list[Any] = []
    cursor = Cursor(0, "", reverse=True) if reverse else None
    while True:
        page = await get_page(cursor)
        items = [*page.items, *items] if reverse else [*items, *page.items]
        await between()
        if not (page.has_previous if reverse else page.has_next):
            return items
        edge = page.items[0] if reverse else page.items[-1]
        cursor = Cursor(*place(edge), reverse=reverse)


@settings(max_examples=60, deadline=None)
@given(first=MOMENTS, later=MOMENTS, limit=st.integers(1, 5), reverse=st.booleans())
def check_walks(open_store: Open, first: list[int], later: list[int], limit: int, reverse: bool) -> None:
    async def story(store: Store) -> None:
        async def add(moment: int) -> Prediction:
            prediction = samples.prediction(created_us=moment)
            await store.predictions.accept(prediction)
            return prediction

        async def add_later() -> None:
            if coming:
                await add(coming.pop())

        old = [await add(moment) for moment in first]
        coming = list(later)

        def get_page(cursor: Cursor | None) -> Awaitable[Page[Prediction]]:
            return store.predictions.page("ann", cursor=cursor, limit=limit)

        seen = await walk(get_page, between=add_later, reverse=reverse)
        assert [p for p in seen if p in old] == sorted(old, key=place, reverse=True)
        assert seen == sorted(seen, key=place, reverse=True)
        assert len({p.id for p in seen}) == len(seen)

    asyncio.run(asyncio.wait_for(on_new_store(open_store, story), STORY_S))


@settings(max_examples=60, deadline=None)
@given(
    moments=MOMENTS,
    limit=st.integers(1, 20),
    cursor=st.none() | st.builds(Cursor, st.integers(0, 7), st.sampled_from(["", "p", "z"]), st.booleans()),
    after=st.none() | st.integers(0, 7),
    before=st.none() | st.integers(0, 7),
)
def check_one_page(
    open_store: Open,
    moments: list[int],
    limit: int,
    cursor: Cursor | None,
    after: int | None,
    before: int | None,
) -> None:
    async def story(store: Store) -> None:
        every = [samples.prediction(created_us=moment) for moment in moments]
        for prediction in every:
            await store.predictions.accept(prediction)
        fits = [p for p in every if (after or 0) <= p.created_us < (99 if before is None else before)]
        fits.sort(key=place, reverse=True)
        newer = [p for p in fits if cursor is not None and place(p) > (cursor.time_us, cursor.id)]
        older = [p for p in fits if cursor is None or place(p) < (cursor.time_us, cursor.id)]
        back = cursor is not None and cursor.reverse
        wanted = newer[-limit:] if back else older[:limit]
        page = await store.predictions.page(
            "ann", cursor=cursor, limit=limit, created_after_us=after, created_before_us=before
        )
        assert page.items == wanted
        if back:
            assert page.has_previous == (len(newer) > limit)
            assert page.has_next == (len(fits) > len(newer))
        else:
            assert page.has_next == (len(older) > limit)
            assert page.has_previous == (len(fits) > len(older))

    asyncio.run(asyncio.wait_for(on_new_store(open_store, story), STORY_S))


async def on_new_store(open_store: Open, story: Callable[[Store], Awaitable[None]]) -> None:
    with TemporaryDirectory() as folder:
        store = await open_store(Path(folder))
        try:
            await story(store)
        finally:
            await store.close()


def test_pages_one_after_the_other_are_the_whole_list(open_store: Open):
    check_walks(open_store)


def test_a_page_is_what_its_cursor_and_filters_say(open_store: Open):
    check_one_page(open_store)


def test_a_list_is_of_one_account_kind_and_source(play: Play):
    async def story(store: Store) -> None:
        mine, web = samples.prediction(), samples.prediction(source="web")
        training, other = samples.prediction(kind="training"), samples.prediction(account="bob")
        for prediction in (mine, web, training, other):
            await store.predictions.accept(prediction)
        assert (await store.predictions.page("Ann")).items == [web, mine]
        assert (await store.predictions.page("ann", kind="training")).items == [training]
        assert (await store.predictions.page("ann", source="web")).items == [web]
        assert (await store.predictions.page("ann", source="api")).items == [mine]
        assert (await store.predictions.page("ann", source="phone")).items == []
        assert (await store.predictions.page("nobody")) == Page([], has_next=False, has_previous=False)

    play(story)


def test_a_list_leaves_logs_out(play: Play):
    async def story(store: Store) -> None:
        given = samples.prediction(status=Status.PROCESSING)
        await store.predictions.accept(given)
        await store.predictions.finish(given.id, samples.ending())
        (found,) = (await store.predictions.page("ann")).items
        assert (found.logs, found.output) == ("", samples.ending().output)

    play(story)


def test_a_cursor_from_anywhere_is_harmless(play: Play):
    async def story(store: Store) -> None:
        given = samples.prediction()
        await store.predictions.accept(given)
        for cursor in (Cursor(2**80, "x"), Cursor(-(2**80), "x", reverse=True)):
            assert (await store.predictions.page("ann", cursor=cursor)).items == [given]
        page = await store.predictions.page("ann", created_after_us=2**80, created_before_us=-(2**80))
        assert page.items == []

    play(story)
