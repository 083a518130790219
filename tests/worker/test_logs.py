"""Whose log gets what is printed."""

import os
from pathlib import Path

import pytest

from tests.worker.workbench import Workbench, is_instance


async def test_all_that_is_printed_belongs_to_the_run(bench: Workbench) -> None:
    started = await bench.start("prints.py:Everywhere")
    assert started.told.logs == "setup ends without a newline"
    for name in ("one", "two"):
        record = await started.succeed({"name": name})
        lines = record.logs.splitlines()
        for how in ("print", "stderr", "original", "buffer", "os", "subprocess", "printf", "thread", "fork"):
            assert f"{how} {name}" in lines
        assert f"WARNING:root:logging {name}" in lines
        assert f"UserWarning: warning {name}" in record.logs
        assert f"unfinished {name}" in record.logs
        assert "printf unfinished" in record.logs
    assert "one" not in started.told.run(2).logs
    assert started.told.logs == "setup ends without a newline"


async def test_bytes_become_text(bench: Workbench) -> None:
    started = await bench.start("prints.py:odd_bytes")
    for _ in range(2):
        assert (await started.succeed()).logs == "\u2603\ufffd\n\ufffd"


async def test_carriage_returns_are_kept(bench: Workbench) -> None:
    assert (await (await bench.start("prints.py:progress")).succeed()).logs == "\rstep 0\rstep 1\rstep 2"


async def test_logs_and_items_keep_their_order(bench: Workbench) -> None:
    record = await (await bench.start("prints.py:interleaves")).succeed()
    assert record.logs == "before 0\nbefore 1\nbefore 2\n"
    assert record.items == ["item 0", "item 1", "item 2"]


async def test_a_traceback_goes_to_the_log(bench: Workbench) -> None:
    record = await (await bench.start("prints.py:raises")).run()
    assert (record.status, record.error) == ("failed", "boom")
    assert record.logs.count("Traceback (most recent call last):") == 2
    assert "KeyError: 'the cause'" in record.logs
    assert record.logs.endswith("ValueError: boom\n")
    assert "stoker_worker" not in record.logs


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("empty", "ValueError"),
        ("exit", "SystemExit: 3"),
        ("interrupt", "KeyboardInterrupt"),
        ("unprintable", "<exception str() failed>"),
        ("memory", "out of memory"),
        ("base", "base"),
    ],
)
async def test_an_error_is_the_exceptions_own_words(bench: Workbench, kind: str, error: str) -> None:
    started = await bench.start("prints.py:bad")
    record = await started.run({"kind": kind})
    assert (record.status, record.error) == ("failed", error)
    assert "Traceback" in record.logs
    assert (await started.run({"kind": kind})).status == "failed"


@pytest.mark.parametrize(
    ("function", "slots"), [("floods", 1), ("slot_floods", 1), ("slot_floods", 2), ("thread_floods", 2)]
)
async def test_a_flood_of_logs_needs_no_memory(bench: Workbench, function: str, slots: int) -> None:
    started = await bench.start(f"prints.py:{function}", slots=slots)
    pids = (os.getpid(), _worker_pid())
    before = [_resident_bytes(pid) for pid in pids]
    counted = 0

    def count(run: int, text: str) -> None:
        nonlocal counted
        counted += len(text)

    started.told.log = count
    await started.succeed({"megabytes": 200})
    after = [_resident_bytes(pid) for pid in pids]
    assert counted == 200 * 1024 * 1024
    assert all(grown - once < 40 * 1024**2 for once, grown in zip(before, after, strict=True))


async def test_a_child_that_never_stops_printing_ends_no_run_late(bench: Workbench) -> None:
    started = await bench.start("prints.py:flooded_by_child")
    for _ in range(2):
        assert (await started.succeed()).output == "done"
    await started.told.until(lambda: "still here" in started.told.logs)
    await started.instance.stop(1)


async def test_slots_keep_their_logs_apart(bench: Workbench) -> None:
    started = await bench.start("prints.py:Slotted", slots=8)
    assert started.told.logs == "async setup\n"
    names = [f"n{i}n" for i in range(8)]
    numbers = {name: started.begin({"name": name}) for name in names}
    for name, number in numbers.items():
        logs = (await started.told.until_done(number)).logs
        turns = "".join(f" {name}{turn}" for turn in range(20))
        assert f"begin {name}{turns}\n" in logs
        for how in ("stderr begins", "thread", "task 0", "task 1", "buffer", "lines", "unfinished"):
            assert f"{how} {name}" in logs
        assert f"descriptor {name}" not in logs
        assert not any(other in logs for other in names if other != name)
    await started.told.until(lambda: started.told.logs.count("descriptor") == 8)


async def test_a_slots_stream_is_a_real_text_stream(bench: Workbench) -> None:
    assert (await (await bench.start("prints.py:stream_of_slot", slots=2)).succeed()).output == {
        "text": True,
        "encoding": "utf-8",
        "errors": "backslashreplace",
        "name": "<stdout>",
        "tty": False,
        "fileno": 1,
        "writable": True,
        "closed": False,
    }


async def test_what_a_left_over_task_prints_belongs_to_no_run(bench: Workbench) -> None:
    started = await bench.start("prints.py:leaves_a_task", slots=2)
    record = await started.succeed()
    (bench.data_dir / "instances" / "instance0" / "src" / "go on").touch()
    await started.told.until(lambda: "too late" in started.told.logs)
    assert record.logs == ""


def _worker_pid() -> int:
    """Of the one instance that this process has started."""
    (task,) = Path("/proc/self/task").glob(str(os.getpid()))
    children = [int(pid) for pid in (task / "children").read_text().split()]
    (pid,) = filter(is_instance, children)
    return pid


def _resident_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
