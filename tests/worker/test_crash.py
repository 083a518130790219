"""Processes that end in bad ways: the reason is told, nothing of them is left."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import is_alive
from tests.worker.workbench import MODELS, Workbench, until_dead

PARENT = """
import asyncio, sys
from pathlib import Path
from tests.worker.workbench import Workbench

async def main():
    bench = Workbench(Path(sys.argv[1]), forked=sys.argv[3] == "True")
    started = await bench.start(sys.argv[2])
    number = started.begin({"wait": True} if "family" in sys.argv[2] else {})
    await started.told.until(lambda: started.told.run(number).logs.endswith("\\n"))
    print(started.told.run(number).logs, end="", flush=True)
    await started.told.until_done(number)

asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("kill", "killed by signal SIGKILL"),
        ("segfault", "killed by signal SIGSEGV (segmentation fault)"),
        ("abort", "killed by signal SIGABRT (aborted)"),
        ("exit", "exited with code 3"),
        ("exit0", "exited with code 0"),
        ("garbage", "broke the protocol: frame of kind 0"),
        ("huge", "broke the protocol: the model process sent 4294967295 bytes at once"),
        ("not json", "broke the protocol: JSON is malformed"),
    ],
)
async def test_the_reason_is_told(bench: Workbench, how: str, reason: str) -> None:
    started = await bench.start("crashes.py:ends")
    record = await started.run({"how": how})
    assert (await started.told.until_exited()).startswith(reason)
    assert record.status is None
    assert record.logs.startswith("last words\n")
    await started.instance.stop(1)
    assert bench.folders() == []


async def test_a_crash_shows_where_it_was(bench: Workbench) -> None:
    started = await bench.start("crashes.py:ends")
    record = await started.run({"how": "segfault"})
    assert "Fatal Python error: Segmentation fault" in record.logs
    assert "crashes.py" in record.logs


@pytest.mark.parametrize("end", ["stop", "kill", "crash"])
async def test_nothing_is_left_of_a_family(bench: Workbench, end: str) -> None:
    started = await bench.start("crashes.py:family")
    pids = (await started.succeed()).output
    assert all(is_alive(pid) for pid in pids)
    if end == "kill":
        started.instance.kill("enough")
        assert await started.told.until_exited() == "enough"
    elif end == "crash":
        os.kill(pids[0], signal.SIGSEGV)
        await started.told.until_exited()
    await started.instance.stop(0.1)
    assert not any(is_alive(pid) for pid in pids)


def start_parent(folder: Path, predictor: str, *, forked: bool) -> tuple[subprocess.Popen[str], list[int]]:
    """A server of its own with a busy instance; the instance's processes."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(folder), predictor, str(forked)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=MODELS.parent.parent.parent,
    )
    assert parent.stdout is not None
    return parent, [int(pid) for pid in parent.stdout.readline().split()]


@pytest.mark.parametrize("predictor", ["crashes.py:family", "crashes.py:holds_the_lock"])
async def test_processes_die_with_their_server(bench: Workbench, predictor: str) -> None:
    folder = bench.data_dir.parent / "server"
    parent, pids = await asyncio.to_thread(start_parent, folder, predictor, forked=bench.forked)
    bench = Workbench(folder)
    with parent:
        assert pids
        assert all(is_alive(pid) for pid in pids)
        parent.kill()
        # One has neither our mark nor our session: it is known by its folder, to the next sweep.
        followed = pids if predictor.endswith("lock") else [*pids[:5], *pids[6:]]
        for pid in followed:
            await until_dead(pid)
        await bench.engine.sweep()
    assert not any(is_alive(pid) for pid in pids)
    assert bench.folders() == []


async def test_sweep_leaves_the_living_and_other_servers_alone(bench: Workbench, tmp_path: Path) -> None:
    mine = await bench.start("crashes.py:number")
    other = Workbench(tmp_path / "other")
    theirs = await other.start("crashes.py:number")
    assert await bench.engine.sweep() == 0
    assert await bench.make_engine().sweep() == (2 if bench.forked else 1)  # the fork server, too
    await mine.told.until_exited()
    assert (await theirs.succeed({"value": 1})).output == 1
    await other.close()


async def test_exits_in_async_code_fail_the_run_only(bench: Workbench) -> None:
    started = await bench.start("crashes.py:async_exits")
    for _ in range(2):
        record = await started.run()
        assert (record.status, record.error) == ("failed", "SystemExit: 5")
    started = await bench.start("crashes.py:async_task_exits")
    assert (await started.succeed()).output == "still here"
    assert (await started.succeed()).output == "still here"


async def test_the_kernel_takes_models_before_the_server_where_memory_runs_out(bench: Workbench) -> None:
    started = await bench.start("crashes.py:family")
    for pid in (await started.succeed()).output:
        assert _score(pid) == _score(os.getpid()) + 500
    servers = bench.engine.forks._servers.values()
    assert [_score(server.pid) for server in servers] == [_score(os.getpid()) + 700] * bench.forked


async def test_a_forked_copy_tells_nothing(bench: Workbench) -> None:
    started = await bench.start("crashes.py:tells_more_in_a_fork")
    record = await started.run()
    assert (record.status, record.outputs) == ("succeeded", [1, 2])
    assert (await started.run()).outputs == [1, 2]


async def test_an_output_file_must_be_a_file(bench: Workbench) -> None:
    started = await bench.start("crashes.py:links")
    await started.run()
    assert await started.told.until_exited() == "broke the protocol: an output file is not a plain file"
    assert Path("/etc/hostname").exists()


async def test_a_process_that_closes_its_connection_is_ended(bench: Workbench) -> None:
    started = await bench.start("crashes.py:ends")
    await started.run({"how": "close"})
    assert started.told.exit_reason == "closed its connection"


def _score(pid: int) -> int:
    return int(Path(f"/proc/{pid}/oom_score_adj").read_text())
