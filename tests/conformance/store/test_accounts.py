"""Accounts and their tokens, and the secrets of the installation."""

import math

import msgspec
import pytest

from stoker.core.catalog import Member
from stoker.core.errors import Conflict
from stoker.ports.store import Cursor, Store
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


def test_what_may_change_of_an_account(play: Play):
    async def story(store: Store) -> None:
        given = samples.account("ann", display_name="Ann", avatar_url="https://a.test/x.png")
        await store.accounts.create(given)
        assert await store.accounts.get("ann") == given
        changed = await store.accounts.update("ANN", display_name="", avatar_url=None, retention_s=math.inf)
        assert changed is not None
        assert (changed.display_name, changed.avatar_url, changed.retention_s) == ("", None, math.inf)
        assert await store.accounts.get("ann") == changed
        assert await store.accounts.update("bob", display_name="Bob") is None
        with pytest.raises(ValueError, match="created_us cannot be changed"):
            await store.accounts.update("ann", created_us=1)
        await store.accounts.create(samples.account("bob"))
        assert await store.accounts.retentions() == {"ann": math.inf, "bob": None}

    play(story)


def test_accounts_are_listed_newest_first(play: Play):
    async def story(store: Store) -> None:
        made = [samples.account(f"a{n}") for n in range(5)]
        for account in made:
            await store.accounts.create(account)
        first = await store.accounts.page(limit=3)
        assert (first.items, first.has_next) == (made[:1:-1], True)
        last = first.items[-1]
        rest = await store.accounts.page(cursor=Cursor(last.created_us, last.name), limit=3)
        assert (rest.items, rest.has_next, rest.has_previous) == (made[1::-1], False, True)

    play(story)


def test_members_come_change_and_go(play: Play):
    async def story(store: Store) -> None:
        for name in ("team", "crew", "ann", "bob"):
            await store.accounts.create(samples.account(name))
        ann = Member(organization="team", account="ann", role="admin", created_us=1)
        for member in (Member(organization="team", account="bob", created_us=2), ann):
            await store.accounts.set_member(member)
        await store.accounts.set_member(Member(organization="crew", account="ann", created_us=3))
        assert [member.account for member in await store.accounts.members("TEAM")] == ["ann", "bob"]
        assert await store.accounts.roles("Ann") == {"team": "admin", "crew": "member"}
        await store.accounts.set_member(msgspec.structs.replace(ann, role="member", created_us=9))
        assert (await store.accounts.members("team"))[0] == msgspec.structs.replace(ann, role="member")
        assert await store.accounts.remove_member("team", "ann")
        assert not await store.accounts.remove_member("team", "ann")
        assert await store.accounts.roles("ann") == {"crew": "member"}

    play(story)


def test_models_and_versions_of_ones_organisations_are_seen(play: Play):
    async def story(store: Store) -> None:
        for name in ("team", "ann", "bob"):
            await store.accounts.create(samples.account(name))
        await store.accounts.set_member(Member(organization="team", account="ann", created_us=1))
        shared = samples.model("m", owner="team")
        await store.models.create(shared)
        await store.versions.create(samples.version(model="team/m"))
        assert [model.ref for model in (await store.models.page("ann")).items] == ["team/m"]
        assert (await store.models.page("bob")).items == []
        assert await store.versions.get_visible(samples.VERSION, "ann") is not None
        assert await store.versions.get_visible(samples.VERSION, "bob") is None

    play(story)


def test_a_token_is_found_by_its_id_and_notes_its_use(play: Play):
    async def story(store: Store) -> None:
        given = samples.token(scope="read", expires_us=99)
        await store.accounts.create_token(given)
        assert await store.accounts.token(given.id) == given
        assert await store.accounts.token("nothing") is None
        await store.accounts.note_uses([given.id, "nothing"], 50)
        assert await store.accounts.token(given.id) == msgspec.structs.replace(given, used_us=50)

    play(story)
