"""Files that models give: taken over, linked, and as durable as the prediction that they are of."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from stoker.core.catalog import Account, FileRecord, Model
from stoker.core.prediction import Kind, Status
from stoker.ports.engine import OutputFile
from stoker.runtime.live import Live
from tests.runtime.stage import ScriptedInstance, Stage, play


def give(instance: ScriptedInstance, run: int, path: Path) -> None:
    path.write_bytes(f"picture of run {run}".encode())
    instance.listener.output(run, b"null", item=False, files=[OutputFile([], str(path), "a.png")])


def finish(instance: ScriptedInstance, run: int) -> None:
    instance.listener.done(run, "succeeded", None)
    instance.listener.turn_ended()


async def output_of(live: Live) -> None:
    """Waits until it has output."""
    woken = asyncio.Event()
    live.subscribe(woken.set)
    while not live.items:
        await woken.wait()
        woken.clear()


async def record_of(stage: Stage, live: Live) -> FileRecord:
    id = stage.links.own_file(msgspec.json.decode(bytes(live.output() or b""), type=str))
    record = await stage.store.files.get(id or "")
    assert record is not None
    return record


def waits_for_disk(stage: Stage, record: FileRecord) -> bool:
    """Whether its bytes are where a power cut could take them; else they are where those on disk are."""
    blobs = stage.settings.data_dir / "blobs"
    places = {(blobs / "fresh" / record.sha256): True, (blobs / record.sha256[:2] / record.sha256): False}
    (waits,) = [waits for path, waits in places.items() if path.is_file()]
    return waits


def test_a_file_is_on_disk_before_the_output_of_a_prediction_that_somebody_knows_of(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        live = await stage.submit(version)
        instance = await stage.instance()
        give(instance, 1, tmp_path / "picture")
        await output_of(live)
        record = await record_of(stage, live)
        assert (record.name, record.content_type, record.md5) == ("a.png", "image/png", None)
        assert (record.size_bytes, record.prediction) == (len("picture of run 1"), live.id)
        assert not waits_for_disk(stage, record)

    play(tmp_path, story)


def test_a_file_of_one_that_nobody_knows_of_waits_for_no_disk(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        await stage.submit(version)
        instance = await stage.instance(slots=2)
        live = stage.dispatcher.submit(stage.prediction(version), version, told=False)
        give(instance, 2, tmp_path / "picture")
        finish(instance, 2)
        assert await live.wait_over()
        assert live.seen.status is Status.SUCCEEDED
        assert waits_for_disk(stage, await record_of(stage, live))

    play(tmp_path, story)


def test_if_somebody_learns_of_it_while_its_file_is_taken_over_that_is_on_disk_before_its_end(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        await stage.submit(version)
        instance = await stage.instance(slots=2)
        live = stage.dispatcher.submit(stage.prediction(version), version, told=False)
        give(instance, 2, tmp_path / "picture")
        finish(instance, 2)
        await asyncio.sleep(0)
        live.synced = True
        assert await live.wait_over()
        assert live.seen.status is Status.SUCCEEDED
        assert not waits_for_disk(stage, await record_of(stage, live))

    play(tmp_path, story)


def test_many_files_of_one_output_keep_their_places(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        live = await stage.submit(version)
        instance = await stage.instance()
        files: list[OutputFile] = []
        for number in range(20):
            (tmp_path / f"file{number}").write_bytes(b"x" * number)
            files.append(OutputFile(["all", number], str(tmp_path / f"file{number}"), f"{number}.png"))
        value = msgspec.json.encode({"all": [None] * 20})
        instance.listener.output(1, value, item=False, files=files)
        finish(instance, 1)
        assert await live.wait_over()
        urls = msgspec.json.decode(bytes(live.output() or b""), type=dict[str, list[str]])["all"]
        for number, url in enumerate(urls):
            record = await stage.store.files.get(stage.links.own_file(url) or "")
            assert record is not None
            assert (record.name, record.size_bytes) == (f"{number}.png", number)

    play(tmp_path, story)


@pytest.mark.parametrize(("kind", "life_s"), [("prediction", 100 + 7), ("training", 5000 + 7)])
def test_a_link_outlives_the_longest_run_and_then_the_accounts_retention(
    tmp_path: Path, kind: Kind, life_s: int
):
    async def story(stage: Stage) -> None:
        account = Account(name="local", created_us=1, webhook_secret="whsec_x", retention_s=7.0)
        await stage.store.accounts.create(account)
        await stage.store.models.create(Model(owner="local", name="tuned", account="local", created_us=1))
        live = await stage.submit(await stage.version(), kind=kind, destination="local/tuned")
        instance = await stage.instance()
        give(instance, 1, tmp_path / "weights")
        finish(instance, 1)
        assert await live.wait_over()
        output = msgspec.json.decode(bytes(live.output() or b""))
        url = output if kind == "prediction" else output["weights"]
        record = await stage.store.files.get(stage.links.own_file(url) or "")
        assert record is not None
        assert record.expires_us - stage.clock.now_us() == life_s * 1_000_000

    play(tmp_path, story, retention_s=1.0, run_timeout_s=100.0, train_timeout_s=5000.0)
