"""What a store makes of predictions whose server died, and of data that has had its time."""

import msgspec

from stoker.core.prediction import INTERRUPTED, Status
from stoker.ports.store import Store
from tests.conformance.store import samples
from tests.conformance.store.conftest import Play

FAR_US = 10**15


def test_what_was_running_fails_and_what_waited_goes_on_waiting(play: Play):
    running = samples.prediction(created_us=1_000_000, status=Status.PROCESSING, started_us=2_000_000)
    waiting, ended = samples.prediction(), samples.prediction()

    async def die(store: Store) -> None:
        for given in (running, waiting, ended):
            await store.predictions.accept(given)
        await store.predictions.finish(ended.id, samples.ending())

    async def recover(store: Store) -> None:
        before = await store.predictions.get(ended.id)
        assert await store.predictions.interrupt(5_000_000, INTERRUPTED) == 1
        assert await store.predictions.interrupt(6_000_000, INTERRUPTED) == 0
        found = await store.predictions.get(running.id)
        assert found is not None
        assert (found.status, found.error, found.completed_us) == (Status.FAILED, INTERRUPTED, 5_000_000)
        assert msgspec.json.decode(found.metrics) == {"predict_time": 3.0, "total_time": 4.0}
        assert await store.predictions.waiting() == [waiting]
        assert await store.predictions.get(ended.id) == before

    play(die)
    play(recover)


def test_what_a_running_one_had_given_is_kept(play: Play):
    running = samples.prediction(status=Status.PROCESSING)
    waiting, ended = samples.prediction(), samples.prediction(status=Status.PROCESSING)

    async def die(store: Store) -> None:
        for given in (running, waiting, ended):
            await store.predictions.accept(given)
        await store.predictions.finish(ended.id, samples.ending())
        before = await store.predictions.get(ended.id)
        for output in (b'{"weights":"first"}', b'{"weights":"second"}'):
            assert await store.predictions.keep_output(running.id, output)
        assert not await store.predictions.keep_output(waiting.id, b"1")
        assert not await store.predictions.keep_output(ended.id, b"1")
        assert await store.predictions.get(ended.id) == before

    async def recover(store: Store) -> None:
        assert await store.predictions.interrupt(5, INTERRUPTED) == 1
        found = await store.predictions.get(running.id)
        assert found is not None
        assert found.status is Status.FAILED
        assert msgspec.json.decode(found.output or b"") == {"weights": "second"}
        assert await store.predictions.waiting() == [waiting]

    play(die)
    play(recover)


def test_an_interrupted_prediction_owes_its_completed_webhook(play: Play):
    async def story(store: Store) -> None:
        wants = [
            samples.prediction(status=Status.PROCESSING, webhook="https://x.test", webhook_events=events)
            for events in ((), ("completed",), ("start", "completed", "logs"))
        ]
        others = [
            samples.prediction(status=Status.PROCESSING, webhook="https://x.test", webhook_events=("start",)),
            samples.prediction(status=Status.PROCESSING),
            samples.prediction(webhook="https://x.test"),
        ]
        for given in [*wants, *others]:
            await store.predictions.accept(given)
        assert await store.predictions.interrupt(77, INTERRUPTED) == 5
        owed = await store.outbox.due(77)
        assert {d.prediction for d in owed} == {p.id for p in wants}
        assert {(d.event, d.created_us, d.next_us, d.attempts) for d in owed} == {("completed", 77, 77, 0)}
        assert len({d.id for d in owed}) == 3
        assert all(d.id.startswith("msg_") for d in owed)

    play(story)


def test_an_interrupted_run_counts(play: Play):
    async def story(store: Store) -> None:
        await store.models.create(samples.model())
        await store.predictions.accept(samples.prediction(status=Status.PROCESSING))
        await store.predictions.interrupt(1, INTERRUPTED)
        found = await store.models.get("ann", "model")
        assert found is not None
        assert found.run_count == 1

    play(story)


def test_trainings_keep_their_data(play: Play):
    """Their output names the version that they made."""

    async def story(store: Store) -> None:
        training = samples.whole(kind="training", source="api")
        await store.predictions.accept(training)
        assert await store.predictions.get(training.id) == training
        await store.predictions.finish(training.id, samples.ending(completed_us=10))
        assert await store.predictions.remove_data("ann", 20) == []

    play(story)


def test_data_of_old_api_predictions_is_removed_a_part_at_a_time(play: Play):
    async def story(store: Store) -> None:
        old = [samples.whole(source="api") for _ in range(3)]
        young, web, running = (
            samples.whole(source="api"),
            samples.whole(source="web"),
            samples.whole(source="api"),
        )
        for given in [*old, young, web, running]:
            await store.predictions.accept(given)
        for moment, given in [(12, old[2]), (10, old[0]), (11, old[1]), (20, young), (1, web)]:
            await store.predictions.finish(given.id, samples.ending(completed_us=moment))
        assert await store.predictions.remove_data("ann", 20, limit=2) == [old[0].id, old[1].id]
        assert await store.predictions.remove_data("ann", 20, limit=2) == [old[2].id]
        assert await store.predictions.remove_data("ann", 20, limit=2) == []
        emptied, kept = await store.predictions.get(old[0].id), await store.predictions.get(web.id)
        assert emptied is not None
        assert (bytes(emptied.input), emptied.output, emptied.logs) == (b"{}", None, "")
        assert (emptied.data_removed, emptied.status, emptied.completed_us) == (True, Status.SUCCEEDED, 10)
        assert bytes(emptied.metrics) == b'{"predict_time":0.5}'
        assert kept is not None
        assert (kept.data_removed, kept.logs) == (False, "one\ntwo\n")
        assert await store.predictions.get(running.id) == running

    play(story)


def test_data_goes_by_account_takes_its_files_along_and_leaves_what_is_kept(play: Play):
    async def story(store: Store) -> None:
        ours, theirs, example = samples.prediction(), samples.prediction(account="bob"), samples.prediction()
        for prediction in (ours, theirs, example):
            await store.predictions.accept(prediction)
            await store.predictions.finish(prediction.id, samples.ending(completed_us=10))
            await store.files.create(
                samples.file(id=prediction.id, origin="output", prediction=prediction.id)
            )
        await store.models.create(samples.model())
        assert await store.examples.keep("ann/model", example.id, files=[example.id], now_us=11)
        assert await store.predictions.remove_data("ann", 20) == [ours.id]
        assert await store.files.get(ours.id) is None
        assert await store.files.get(theirs.id) is not None
        kept, record = await store.predictions.get(example.id), await store.files.get(example.id)
        assert kept is not None and kept.kept and kept.output is not None and record is not None
        assert await store.examples.drop("ann/model", example.id)
        assert await store.predictions.remove_data("ann", 20) == [example.id]
        assert await store.files.get(example.id) is None

    play(story)
