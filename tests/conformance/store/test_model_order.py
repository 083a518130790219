"""Models in either order and direction: complete and without repeats, whatever is added meanwhile."""

import asyncio
from collections.abc import Awaitable
from typing import Literal, get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from stoker.core.catalog import Member, Model
from stoker.ports.store import Cursor, ModelOrder, Page, Store
from tests.conformance.store import samples
from tests.conformance.store.conftest import STORY_S, Open, Play
from tests.conformance.store.test_pages import on_new_store

Who = Literal["public", "own", "team", "hidden"]

MADE = st.lists(
    st.tuples(st.integers(1, 5), st.none() | st.integers(1, 5), st.sampled_from(get_args(Who))),
    max_size=10,
)
"""When the model was made and when its version; few moments, so that many are equal."""


async def add(store: Store, number: int, made: tuple[int, int | None, Who]) -> Model:
    moment, versioned, who = made
    account = {"own": "ann", "team": "team"}.get(who, "bob")
    visibility = "public" if who == "public" else "private"
    model = samples.model(f"m{number}", account=account, visibility=visibility, created_us=moment)
    assert await store.models.create(model)
    if versioned is not None:
        await store.versions.create(samples.version(model=model.ref, created_us=versioned))
    found = await store.models.get(model.owner, model.name)
    assert found is not None
    return found


async def join_team(store: Store) -> None:
    """ann belongs to an organisation."""
    for account in (samples.account("ann"), samples.account("team", kind="organization")):
        await store.accounts.create(account)
    await store.accounts.set_member(Member(organization="team", account="ann", created_us=1))


@settings(max_examples=80, deadline=None)
@given(
    first=MADE,
    later=MADE,
    limit=st.integers(1, 4),
    order=st.sampled_from(["created", "recent"]),
    ascending=st.booleans(),
    back=st.booleans(),
)
def check_walks(
    open_store: Open,
    first: list[tuple[int, int | None, Who]],
    later: list[tuple[int, int | None, Who]],
    limit: int,
    order: ModelOrder,
    ascending: bool,
    back: bool,
) -> None:
    def place(model: Model) -> tuple[int, str]:
        return model.recent_us if order == "recent" else model.created_us, model.ref

    async def story(store: Store) -> None:
        def get_page(cursor: Cursor | None) -> Awaitable[Page[Model]]:
            return store.models.page("ann", cursor=cursor, limit=limit, order=order, ascending=ascending)

        await join_team(store)
        old = [await add(store, number, made) for number, made in enumerate(first)]
        seeable = [m for m in old if m.visibility == "public" or m.account in ("ann", "team")]
        wanted = sorted(seeable, key=place, reverse=not ascending)
        coming, seen = list(later), list[Model]()
        cursor = Cursor(99 if ascending else 0, "", reverse=True) if back else None
        while True:
            page = await get_page(cursor)
            seen = [*page.items, *seen] if back else [*seen, *page.items]
            if coming:
                await add(store, 100 + len(coming), coming.pop())
            if not (page.has_previous if back else page.has_next):
                break
            edge = page.items[0] if back else page.items[-1]
            cursor = Cursor(*place(edge), reverse=back)
        assert [m for m in seen if m in old] == wanted
        assert seen == sorted(seen, key=place, reverse=not ascending)
        assert len({m.ref for m in seen}) == len(seen)

    asyncio.run(asyncio.wait_for(on_new_store(open_store, story), STORY_S))


def test_a_walk_in_any_order_and_direction_is_the_whole_list(open_store: Open):
    check_walks(open_store)


def test_the_latest_version_says_when_a_model_was_recent(play: Play):
    async def story(store: Store) -> None:
        old, new = samples.model("old", created_us=10), samples.model("new", created_us=20)
        for model in (old, new):
            await store.models.create(model)
        await store.versions.create(samples.version("a" * 64, model="ann/old", created_us=30))
        await store.versions.create(samples.version("b" * 64, model="ann/old", created_us=40))
        page = await store.models.page("ann", order="recent")
        assert [(m.name, m.latest_version_us) for m in page.items] == [("old", 40), ("new", None)]
        await store.versions.create(samples.version("a" * 64, model="ann/old", created_us=50))
        assert (await store.models.page("ann", order="recent")).items[0].latest_version_us == 30
        await store.versions.delete("ann/old", "a" * 64)
        await store.versions.delete("ann/old", "b" * 64)
        page = await store.models.page("ann", order="recent")
        assert [(m.name, m.latest_version_us) for m in page.items] == [("new", None), ("old", None)]

    play(story)
