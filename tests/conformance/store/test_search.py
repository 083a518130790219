"""Searching models: all the words, the best first, only what one may see."""

from stoker.core.catalog import Member
from stoker.ports.store import Store
from tests.conformance.store import samples
from tests.conformance.store.conftest import Play


async def found(store: Store, *words: str, account: str = "ann", limit: int = 25) -> list[str]:
    hits = await store.models.search(words, account, limit=limit)
    weights = [hit.weight for hit in hits]
    assert weights == sorted(weights, reverse=True)
    return [hit.model.ref for hit in hits]


def test_a_model_is_found_by_every_text_of_it(play: Play):
    async def story(store: Store) -> None:
        texts = {"description": "Paints with oil", "readme": "# Trained on seascapes"}
        await store.models.create(samples.model("easel-v2", owner="acme", account="ann", **texts))
        await store.models.create(samples.model("other"))
        for words in (["easel"], ["v2"], ["acme"], ["oil", "paints"], ["seascapes"], ["acme", "seasc"]):
            assert await found(store, *words) == ["acme/easel-v2"], words
        assert await found(store, "oil", "water") == []

    play(story)


def test_a_word_in_the_name_counts_more_than_one_in_the_readme(play: Play):
    async def story(store: Store) -> None:
        await store.models.create(samples.model("a", readme="an upscaler, in passing " + "word " * 50))
        await store.models.create(samples.model("b", description="an upscaler"))
        await store.models.create(samples.model("upscaler"))
        assert await found(store, "upscaler") == ["ann/upscaler", "ann/b", "ann/a"]
        assert await found(store, "upscaler", limit=1) == ["ann/upscaler"]

    play(story)


def test_what_others_keep_private_is_not_found(play: Play):
    async def story(store: Store) -> None:
        await store.models.create(samples.model("hidden-kite", owner="bob"))
        await store.models.create(samples.model("open-kite", owner="bob", visibility="public"))
        assert await found(store, "kite") == ["bob/open-kite"]
        assert sorted(await found(store, "kite", account="Bob")) == ["bob/hidden-kite", "bob/open-kite"]
        for account in (samples.account("ann"), samples.account("bob", kind="organization")):
            await store.accounts.create(account)
        await store.accounts.set_member(Member(organization="bob", account="ann", created_us=1))
        assert sorted(await found(store, "kite")) == ["bob/hidden-kite", "bob/open-kite"]

    play(story)


def test_a_change_is_found_at_once_and_what_was_is_not(play: Play):
    async def change(store: Store) -> None:
        await store.models.create(samples.model("kite", readme="old words", visibility="public"))
        await store.models.create(samples.model("gone"))
        await store.models.update("ann", "kite", readme="new words", description="flies")
        await store.models.delete("ann", "gone")

    async def look(store: Store) -> None:
        assert await found(store, "new", "flies") == ["ann/kite"]
        assert await found(store, "old") == []
        assert await found(store, "gone") == []

    play(change)
    play(look)


def test_words_are_never_commands(play: Play):
    async def story(store: Store) -> None:
        await store.models.create(samples.model("kite", description="and or not near"))
        assert await found(store, "or", "not", "near", "and") == ["ann/kite"]
        assert await found(store, "ünïcode") == []

    play(story)
