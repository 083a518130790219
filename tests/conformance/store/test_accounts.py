"""Accounts and their tokens, and the secrets of the installation."""

import pytest

from stoker.core.errors import Conflict
from stoker.ports.store import Store
from tests.conformance.store import samples
from tests.conformance.store.conftest import Play


def test_an_account_is_created_once_under_any_case(play: Play):
    async def story(store: Store) -> None:
        given = samples.account("Ann", kind="organization")
        assert await store.accounts.create(given)
        assert not await store.accounts.create(samples.account("aNN"))
        assert await store.accounts.get("ann") == given
        assert await store.accounts.get("bob") is None

    play(story)


def test_a_token_is_found_by_its_digest(play: Play):
    async def story(store: Store) -> None:
        given = samples.token()
        await store.accounts.create_token(given)
        assert await store.accounts.token_by_digest(given.digest) == given
        assert await store.accounts.token_by_digest(given.digest.upper()) is None
        for twin in (samples.token(id=given.id), samples.token(digest=given.digest)):
            with pytest.raises(Conflict):
                await store.accounts.create_token(twin)
        assert await store.accounts.list_tokens("ann") == [given]

    play(story)


def test_tokens_are_listed_oldest_first_revoked_ones_too(play: Play):
    async def story(store: Store) -> None:
        late, early = samples.token(created_us=20), samples.token(created_us=10, revoked_us=15)
        for given in (late, early, samples.token(account="bob")):
            await store.accounts.create_token(given)
        assert await store.accounts.list_tokens("Ann") == [early, late]

    play(story)


def test_a_token_is_revoked_once_and_by_its_account(play: Play):
    async def story(store: Store) -> None:
        given = samples.token()
        await store.accounts.create_token(given)
        assert not await store.accounts.revoke_token("bob", given.id, 5)
        assert await store.accounts.revoke_token("ann", given.id, 6)
        assert not await store.accounts.revoke_token("ann", given.id, 7)
        found = await store.accounts.token_by_digest(given.digest)
        assert found is not None
        assert found.revoked_us == 6

    play(story)


def test_a_secret_stays_what_it_first_was(play: Play):
    async def first(store: Store) -> None:
        assert await store.secret("links", "one") == "one"
        assert await store.secret("links", "two") == "one"

    async def after_a_restart(store: Store) -> None:
        assert await store.secret("links", "three") == "one"
        assert await store.secret("other", "four") == "four"

    play(first)
    play(after_a_restart)
