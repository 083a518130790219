"""What the sweep removes, and what it leaves: in the store, among the blobs, in the workspace."""

import math
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from stoker.core import ids
from stoker.core.catalog import Account, FileRecord
from stoker.core.hosting import pool_of
from stoker.core.trainings import trained_version
from stoker.ports.blobs import Blob
from stoker.runtime.sweep import DISK_EVERY_US, Sweep
from tests.runtime.stage import Stage, play, until
from tests.runtime.test_hosting import base, trained

WEEK_S = 7 * 86_400.0


class NotingBlobs:
    """Blobs of which only the sweep is asked."""

    def __init__(self) -> None:
        self.kept: list[set[str]] = []

    async def sweep(self, keep: set[str], *, older_than_s: float) -> int:
        self.kept.append(keep)
        return 0

    async def put(self, chunks: AsyncIterator[bytes], *, limit_bytes: int | None = None) -> Blob:
        raise AssertionError("the sweep puts nothing")

    async def adopt(self, path: Path) -> Blob:
        raise AssertionError("the sweep adopts nothing")

    async def missing(self, digests: set[str]) -> set[str]:
        raise AssertionError("the sweep misses nothing")

    def open(self, sha256: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        raise AssertionError("the sweep opens nothing")

    async def local(self, sha256: str) -> Path:
        raise AssertionError("the sweep reads nothing")


def sweep_of(stage: Stage, blobs: NotingBlobs | None = None) -> Sweep:
    return Sweep(
        store=stage.store,
        blobs=blobs or NotingBlobs(),
        workspace=stage.workspace,
        fleet=stage.fleet,
        errands=stage.errands,
        settings=stage.settings,
    )


def record(stage: Stage, **fields: Any) -> FileRecord:
    now_us = stage.clock.now_us()
    given: dict[str, Any] = {
        "id": "f", "account": "local", "origin": "upload", "name": "f", "content_type": "text/plain",
        "size_bytes": 1, "sha256": ids.token_digest("f"), "md5": "0" * 32, "created_us": now_us,
        "expires_us": now_us + 60_000_000,
    }  # fmt: skip
    return FileRecord(**given | fields)


def test_files_go_when_their_time_is_over_and_their_bytes_with_them(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        blobs = NotingBlobs()
        sweep = sweep_of(stage, blobs)
        kept = record(stage)
        await stage.store.files.create(kept)
        await sweep.step(stage.clock.advance(59))
        assert await stage.store.files.get("f") is not None
        await sweep.step(stage.clock.advance(2))
        assert await stage.store.files.get("f") is None
        await sweep.step(stage.clock.advance(DISK_EVERY_US / 1e6))
        assert blobs.kept == [{kept.sha256}, set()]

    play(tmp_path, story)


def test_data_of_predictions_goes_after_its_time(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        await account(stage)
        version = await stage.version()
        live = await stage.submit(version, source="api", input=b'{"a": 1}')
        instance = await stage.instance()
        instance.succeed(instance.runs[0].number)
        assert await live.wait_over()
        sweep = sweep_of(stage)
        await sweep.step(stage.clock.advance(3590))
        assert (await kept(stage, live.id)).output is not None
        await sweep.step(stage.clock.advance(20))
        assert (await kept(stage, live.id)).output is None

    play(tmp_path, story, retention_s=3600.0)


def test_an_account_may_keep_its_data_longer(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        await account(stage, retention_s=math.inf)
        live = await stage.submit(await stage.version(), source="api")
        instance = await stage.instance()
        instance.succeed(instance.runs[0].number)
        assert await live.wait_over()
        sweep = sweep_of(stage)
        await sweep.step(stage.clock.advance(10 * WEEK_S))
        assert (await kept(stage, live.id)).output is not None
        await stage.store.accounts.update("local", retention_s=0.0)
        await sweep.step(stage.clock.advance(60))
        assert (await kept(stage, live.id)).data_removed

    play(tmp_path, story, retention_s=60.0)


async def account(stage: Stage, **fields: Any) -> None:
    given = Account(name="local", created_us=1, webhook_secret="whsec_x", **fields)
    assert await stage.store.accounts.create(given)


async def kept(stage: Stage, id: str) -> Any:
    prediction = await stage.store.predictions.get(id)
    assert prediction is not None
    return prediction


def test_the_workspace_keeps_what_versions_need(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        version = await stage.version()
        await sweep_of(stage).step(stage.clock.now_us())
        assert stage.workspace.swept == [({version.id}, {version.recipe.environment}, set(), WEEK_S)]

    play(tmp_path, story, environment_keep_s=WEEK_S)


def test_the_workspace_keeps_what_runs_though_its_version_is_deleted(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        version = await stage.version()
        await stage.submit(version)
        instance = await stage.instance()
        assert await stage.store.versions.delete(version.model, version.id)
        sweep = sweep_of(stage)
        await sweep.step(stage.clock.now_us())
        instance.listener.exited("enough")
        await sweep.step(stage.clock.advance(DISK_EVERY_US / 1e6))
        running, gone = stage.workspace.swept
        assert running[:2] == ({version.id}, {version.recipe.environment})
        assert gone[:2] == (set(), set())

    play(tmp_path, story)


def test_trained_weights_stay_while_their_version_is_there_or_runs(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        base, weights = await stage.version(), ids.token_digest("weights")
        tuned = trained_version(base, weights=weights, name="w", destination=base.model, now_us=2)
        await stage.store.versions.create(tuned)
        blobs = NotingBlobs()
        sweep = sweep_of(stage, blobs)
        await sweep.step(stage.clock.now_us())
        await stage.submit(tuned)
        instance = await stage.instance()
        assert await stage.store.versions.delete(tuned.model, tuned.id)
        await sweep.step(stage.clock.advance(DISK_EVERY_US / 1e6))
        instance.listener.exited("enough")
        await sweep.step(stage.clock.advance(DISK_EVERY_US / 1e6))
        assert blobs.kept == [{weights}, {weights}, set()]

    play(tmp_path, story)


def test_weights_that_predictions_bring_stay_until_those_are_over(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        tuned = await trained(stage, await base(stage), "tuned")
        live = await stage.submit(tuned)
        await until(lambda: stage.dispatcher.lines.length(pool_of(tuned)) == 1)
        assert await stage.store.versions.delete(tuned.model, tuned.id)
        blobs = NotingBlobs()
        sweep = sweep_of(stage, blobs)
        await sweep.step(stage.clock.now_us())
        instance = await stage.instance()
        await until(lambda: bool(instance.runs))
        await sweep.step(stage.clock.advance(DISK_EVERY_US / 1e6))
        instance.succeed(1)
        assert await live.wait_over()
        await sweep.step(stage.clock.advance(DISK_EVERY_US / 1e6))
        assert blobs.kept == [{tuned.recipe.weights}, {tuned.recipe.weights}, set()]

    play(tmp_path, story)


def test_the_disk_is_looked_at_every_ten_minutes(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        sweep = sweep_of(stage)
        for _ in range(31):
            await sweep.step(stage.clock.advance(60))
        assert len(stage.workspace.swept) == 4

    play(tmp_path, story)
