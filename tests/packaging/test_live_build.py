"""The event list of a build."""

from stoker.core.builds import Build
from stoker.packaging.live_build import LiveBuild


def live() -> LiveBuild:
    return LiveBuild(Build(id="b", model="a/b", created_us=1))


def test_events_wake_readers_until_they_leave() -> None:
    build, woken = live(), []
    waker = lambda: woken.append(len(build.events))  # noqa: E731
    build.subscribe(waker)
    build.progress("source", "Reading.")
    build.log("line")
    build.unsubscribe(waker)
    build.warn("careful")
    assert woken == [1, 2]
    assert [event.kind for event in build.events] == ["progress", "log", "warning"]
    assert build.seen.warnings == ("careful",)


def test_progress_counts_the_stages_that_are_done() -> None:
    build = live()
    build.progress("schema", "Importing.")
    assert build.events[0].data == {"stage": "schema", "message": "Importing.", "done": 2, "total": 4}


def test_it_ends_once_with_the_version_or_the_error() -> None:
    good, bad = live(), live()
    good.succeed("v" * 64, cached=True)
    bad.fail("because")
    assert good.is_over and bad.is_over
    assert (good.seen.status, good.seen.version) == ("succeeded", "v" * 64)
    assert (bad.seen.status, bad.seen.error) == ("failed", "because")


def test_much_output_keeps_its_beginning_and_its_end() -> None:
    build = live()
    for number in range(40_000):
        build.log(f"{number} " + "x" * 100)
    build.fail("too much")
    logs = [str(event.data) for event in build.events if event.kind == "log"]
    assert logs[0].startswith("0 ")
    assert "lines left out]" in logs[-1]
    assert "39999 " in logs[-1]
    assert sum(map(len, logs)) < 1_300_000
