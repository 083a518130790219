"""Models: names without case, visibility, what may be changed, what may be deleted."""

import pytest

from stoker.ports.store import Cursor, Store
from tests.conformance.store import samples
from tests.conformance.store.conftest import Play


def test_a_model_comes_back_as_it_was_given_under_any_case_of_its_name(play: Play):
    async def story(store: Store) -> None:
        texts = {"description": "Ünïcode", "github_url": "g", "paper_url": "p", "license_url": "l"}
        more = {"weights_url": "w", "cover_image_url": "c", "readme": "# Hi", "hardware": "gpu"}
        given = samples.model("Model", visibility="public", **texts, **more)
        assert await store.models.create(given)
        assert await store.models.get("ann", "model") == given
        assert await store.models.get("ANN", "Model") == given
        assert await store.models.get("ann", "other") is None

    play(story)


def test_a_name_is_taken_once(play: Play):
    async def story(store: Store) -> None:
        given = samples.model("Model")
        assert await store.models.create(given)
        assert not await store.models.create(samples.model("mODEL", owner="ANN", description="another"))
        assert await store.models.get("ann", "model") == given
        assert await store.models.create(samples.model("Model", owner="bob"))

    play(story)


def test_a_list_has_the_public_ones_and_ones_own_newest_first(play: Play):
    async def story(store: Store) -> None:
        own = samples.model("own", owner="team", account="ann")
        public = samples.model("public", owner="bob", visibility="public")
        hidden = samples.model("hidden", owner="ann", account="bob")
        tied = samples.model("A-tied", created_us=own.created_us)
        for given in (own, public, hidden, tied):
            await store.models.create(given)
        first = await store.models.page("Ann", limit=2)
        assert (first.items, first.has_next, first.has_previous) == ([public, own], True, False)
        second = await store.models.page("ann", cursor=Cursor(own.created_us, own.ref), limit=2)
        assert (second.items, second.has_next, second.has_previous) == ([tied], False, True)
        back = await store.models.page("ann", cursor=Cursor(tied.created_us, tied.ref, reverse=True), limit=1)
        assert (back.items, back.has_next, back.has_previous) == ([own], True, True)

    play(story)


def test_people_may_change_what_describes_a_model(play: Play):
    async def story(store: Store) -> None:
        given = samples.model("Model", description="old", readme="old")
        await store.models.create(given)
        changed = await store.models.update(
            "ann", "model", description=None, readme="new", visibility="public"
        )
        assert changed is not None
        assert (changed.description, changed.readme, changed.visibility) == (None, "new", "public")
        assert (changed.name, changed.created_us) == (given.name, given.created_us)
        assert await store.models.get("ann", "model") == changed
        assert await store.models.update("ann", "other", readme="x") is None

    play(story)


@pytest.mark.parametrize("fields", [{"latest_version": "x"}, {"run_count": "7"}, {"visibility": "secret"}])
def test_people_may_not_change_anything_else(play: Play, fields: dict[str, str]):
    async def story(store: Store) -> None:
        given = samples.model("model")
        await store.models.create(given)
        with pytest.raises(ValueError, match=r"model|visibility"):
            await store.models.update("ann", "model", **fields)
        assert await store.models.get("ann", "model") == given

    play(story)


def test_a_model_with_versions_stays(play: Play):
    async def story(store: Store) -> None:
        await store.models.create(samples.model())
        await store.versions.create(samples.version())
        assert not await store.models.delete("ann", "model")
        assert await store.versions.delete("ANN/Model", samples.VERSION)
        assert await store.models.delete("Ann", "Model")
        assert not await store.models.delete("ann", "model")
        assert await store.models.get("ann", "model") is None

    play(story)
