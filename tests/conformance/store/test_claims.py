"""Idempotency keys."""

import msgspec

from stoker.core.claims import Claim
from stoker.ports.store import Store
from tests.conformance.store.conftest import Play


def claim(said: str, created_us: int, *, account: str = "ann", key: str = "k") -> Claim:
    return Claim(account=account, key=key, said=said, seed=b"seed" * 4, created_us=created_us)


def test_the_first_claim_of_a_key_stands_until_it_is_too_old(play: Play):
    async def story(store: Store) -> None:
        first = claim("a", 10)
        assert await store.claims.take(first, since_us=0) == first
        assert await store.claims.take(claim("b", 20, account="Ann"), since_us=10) == first
        other = claim("b", 20, account="bob")
        assert await store.claims.take(other, since_us=10) == other

    async def later(store: Store) -> None:
        assert await store.claims.take(claim("b", 30), since_us=10) == claim("a", 10)
        assert await store.claims.take(claim("b", 30), since_us=11) == claim("b", 30)

    play(story)
    play(later)


def test_an_answer_belongs_to_its_claim(play: Play):
    async def story(store: Store) -> None:
        first, answer = claim("a", 10), msgspec.Raw(b'{"id":"x"}')
        await store.claims.take(first, since_us=0)
        await store.claims.answer(claim("a", 9), msgspec.Raw(b"{}"), status=500)
        await store.claims.answer(first, answer, status=201)
        kept = await store.claims.take(claim("a", 20), since_us=0)
        assert (bytes(kept.answer or b""), kept.status) == (b'{"id":"x"}', 201)
        renewed = await store.claims.take(claim("c", 30), since_us=11)
        assert (renewed.said, renewed.answer, renewed.status) == ("c", None, 0)

    play(story)


def test_what_is_released_or_old_is_forgotten(play: Play):
    async def story(store: Store) -> None:
        for number in range(3):
            await store.claims.take(claim("a", 10 + number, key=f"k{number}"), since_us=0)
        await store.claims.release(claim("a", 9, key="k2"))
        await store.claims.release(claim("a", 11, key="k1"))
        assert await store.claims.take(claim("b", 20, key="k1"), since_us=0) == claim("b", 20, key="k1")
        assert await store.claims.forget(12) == 1
        assert await store.claims.forget(21) == 2

    play(story)
