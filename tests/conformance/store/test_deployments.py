"""Deployments: releases in a row, versions that must exist, lists, and what may be deleted."""

import msgspec
import pytest

from stoker.core.deployments import Release
from stoker.core.errors import VersionUnknown
from stoker.ports.store import Cursor, Store
from tests.conformance.store import samples
from tests.conformance.store.conftest import Play

OTHER = "b" * 64


async def prepare(store: Store) -> None:
    """The model and the two versions that the samples run."""
    await store.models.create(samples.model())
    for id in (samples.VERSION, OTHER):
        await store.versions.create(samples.version(id))


def after(release: Release, **fields: object) -> Release:
    return msgspec.structs.replace(release, number=release.number + 1, created_us=777, **fields)


def test_a_deployment_comes_back_as_it_was_given_under_any_case_of_its_name(play: Play):
    given = samples.deployment("App")

    async def write(store: Store) -> None:
        await prepare(store)
        assert await store.deployments.create(given)

    async def read(store: Store) -> None:
        assert await store.deployments.get("ann", "App") == given
        assert await store.deployments.get("ANN", "aPP") == given
        assert await store.deployments.get("ann", "other") is None
        assert await store.deployments.all() == [given]

    play(write)
    play(read)


def test_a_name_is_taken_once(play: Play):
    async def story(store: Store) -> None:
        await prepare(store)
        given = samples.deployment("app")
        assert await store.deployments.create(given)
        assert not await store.deployments.create(samples.deployment("APP", owner="Ann"))
        assert await store.deployments.get("ann", "app") == given
        assert await store.deployments.create(samples.deployment("app", owner="bob"))

    play(story)


def test_a_release_takes_over_from_the_one_before_it_only(play: Play):
    async def story(store: Store) -> None:
        await prepare(store)
        given = samples.deployment("app")
        await store.deployments.create(given)
        second = after(given.release, version=OTHER, hardware="gpu", min_instances=1, max_instances=9)
        assert await store.deployments.release("Ann/APP", second)
        assert await store.deployments.get("ann", "app") == msgspec.structs.replace(given, release=second)
        assert not await store.deployments.release("ann/app", second)
        assert not await store.deployments.release("ann/app", after(after(second)))
        assert not await store.deployments.release("ann/none", second)
        assert await store.deployments.all() == [msgspec.structs.replace(given, release=second)]

    play(story)


def test_only_a_version_that_exists_can_be_released(play: Play):
    async def story(store: Store) -> None:
        await prepare(store)
        missing = "c" * 64
        with pytest.raises(VersionUnknown):
            await store.deployments.create(samples.deployment("app", version=missing))
        assert await store.deployments.get("ann", "app") is None
        given = samples.deployment("app")
        await store.deployments.create(given)
        with pytest.raises(VersionUnknown):
            await store.deployments.release("ann/app", after(given.release, model="ann/none"))
        assert await store.deployments.get("ann", "app") == given

    play(story)


def test_a_version_that_a_current_release_runs_stays(play: Play):
    async def story(store: Store) -> None:
        await prepare(store)
        given = samples.deployment("app")
        await store.deployments.create(given)
        assert await store.deployments.runs("Ann/Model", samples.VERSION)
        assert not await store.deployments.runs("ann/model", OTHER)
        assert not await store.versions.delete("ann/model", samples.VERSION)
        assert await store.versions.get(samples.VERSION, model="ann/model") is not None
        await store.deployments.release("ann/app", after(given.release, version=OTHER))
        assert await store.versions.delete("ann/model", samples.VERSION)
        assert await store.deployments.delete("ann/app", unused_since_us=None)
        assert await store.versions.delete("ann/model", OTHER)

    play(story)


def test_a_list_has_ones_own_newest_first(play: Play):
    async def story(store: Store) -> None:
        await prepare(store)
        one, two = samples.deployment("one"), samples.deployment("two", owner="Ann")
        others = samples.deployment("others", owner="bob")
        three = samples.deployment("three", created_us=two.created_us)
        for given in (one, two, others, three):
            await store.deployments.create(given)
        first = await store.deployments.page("ann", limit=2)
        assert (first.items, first.has_next, first.has_previous) == ([two, three], True, False)
        cursor = Cursor(three.created_us, three.ref)
        second = await store.deployments.page("ANN", cursor=cursor, limit=2)
        assert (second.items, second.has_next, second.has_previous) == ([one], False, True)
        back = Cursor(one.created_us, one.ref, reverse=True)
        assert (await store.deployments.page("ann", cursor=back, limit=2)).items == [two, three]
        assert (await store.deployments.page("carol")).items == []

    play(story)


def test_one_is_deleted_when_nothing_of_it_waits_runs_or_has_ended_lately(play: Play):
    async def story(store: Store) -> None:
        await prepare(store)
        await store.deployments.create(samples.deployment("app"))
        used = samples.prediction(deployment="ann/app")
        await store.predictions.accept(samples.prediction())
        await store.predictions.accept(samples.prediction(deployment="ann/other"))
        await store.predictions.accept(used)
        assert not await store.deployments.delete("ann/app", unused_since_us=10**9)
        await store.predictions.finish(used.id, samples.ending(completed_us=1000))
        assert not await store.deployments.delete("ann/app", unused_since_us=999)
        assert await store.deployments.delete("ANN/App", unused_since_us=1000)
        assert await store.deployments.get("ann", "app") is None
        assert not await store.deployments.delete("ann/app", unused_since_us=1000)
        assert await store.deployments.create(samples.deployment("app"))

    play(story)


def test_a_disabled_one_is_deleted_whatever_it_did(play: Play):
    async def story(store: Store) -> None:
        await prepare(store)
        await store.deployments.create(samples.deployment("app"))
        await store.predictions.accept(samples.prediction(deployment="ann/app"))
        assert await store.deployments.delete("ann/app", unused_since_us=None)
        assert not await store.deployments.delete("ann/app", unused_since_us=None)

    play(story)
