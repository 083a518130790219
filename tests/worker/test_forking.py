"""Fork servers: what they do before the fork, what a fork has of its own, and when nothing is forked."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from stoker.engines.forking import server as one_server
from stoker.engines.forking import servers as all_servers
from stoker.engines.process import ProcessEngine
from stoker.ports.engine import InstanceSpec
from stoker_worker import fork_server as in_worker
from tests.environments import make_environment
from tests.processes import is_alive, variables
from tests.worker.workbench import Started, Workbench, told_by_log, until_dead, warm

PLAIN = "WEIGHT = 1\n"
SLOW = "import time\ntime.sleep(0.35)\n"
PATHS = """
import os, pathlib
CACHE = os.path.expanduser("~/.cache")
FOLDER = pathlib.Path(os.getcwd())
KEPT = {"inner": os.path.expanduser("~/kept")}
"""


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    """One that starts plainly until there is a fork server."""
    return Workbench(tmp_path)


def environment(bench: Workbench, heavy: str = PLAIN, name: str = "environment") -> Path:
    """Of the models in ``forks.py``, with that code in the package that they import."""
    return make_environment(bench.data_dir.parent / name, {"heavy": heavy}, python=bench.python)


async def warmed(bench: Workbench, function: str, heavy: str = PLAIN, **options: Any) -> InstanceSpec:
    """A kind of instance for which the engine has, or has refused, a fork server."""
    spec = bench.spec(f"forks.py:{function}", id="x", python=environment(bench, heavy), **options)
    await warm(bench.engine, spec)
    return spec


async def start(bench: Workbench, spec: InstanceSpec, engine: ProcessEngine | None = None) -> Started:
    return await bench.start(
        spec.predictor, source=spec.source, engine=engine, python=spec.python, variables=spec.variables
    )


def test_both_sides_mean_the_same_folder() -> None:
    assert one_server.OWN_FOLDER == in_worker.OWN_FOLDER


async def test_slow_imports_make_one(bench: Workbench) -> None:
    python = environment(bench, SLOW)
    with told_by_log("stoker.engines.forking") as heard:
        first = await bench.start("forks.py:pid", python=python)
        while not bench.engine.forks.ready:
            await heard.wait()
            heard.clear()
    second = await bench.start("forks.py:pid", python=python)
    assert (first.instance.began, second.instance.began) == ("plain", "forked")
    assert first.told.stages == second.told.stages == ["imports", "setup"]


async def test_quick_imports_make_none(bench: Workbench) -> None:
    started = await bench.start("forks.py:pid", python=environment(bench))
    await started.succeed()
    assert _all_folders(bench) == bench.folders()


async def test_a_fork_is_as_a_plain_process(bench: Workbench) -> None:
    python = environment(bench)
    plain = (await (await bench.start("forks.py:look", python=python)).succeed()).output
    await warm(bench.engine, bench.spec("forks.py:look", id="x", python=python))
    started = await bench.start("forks.py:look", python=python)
    forked = (await started.succeed()).output
    assert started.instance.began == "forked"
    kinds = forked.pop("descriptors")
    own = [kind for kind in kinds if kind.endswith("/instances/instance1")]
    assert len(own) == 1  # its folder
    assert [kind for kind in kinds if kind not in own] == plain.pop("descriptors")
    assert forked == plain
    assert forked["ids"] == [True, True, os.getpid()]


async def test_its_random_state_is_its_own(bench: Workbench) -> None:
    spec = await warmed(bench, "draw")
    drawn = [(await (await start(bench, spec)).succeed()).output for _ in range(3)]
    assert all(len({values[place] for values in drawn}) == 3 for place in range(5))


async def test_its_paths_are_its_own(bench: Workbench) -> None:
    spec = await warmed(bench, "paths", PATHS)
    for _ in range(2):
        started = await start(bench, spec)
        root = bench.data_dir / "instances" / started.instance.id
        assert started.instance.began == "forked"
        home = str(root / "home")
        seen = (await started.succeed()).output
        assert seen == [f"{home}/.cache", str(root / "src"), f"{home}/kept", home]


async def test_its_mark_is_its_own(bench: Workbench) -> None:
    spec = await warmed(bench, "pid")
    for _ in range(2):
        started = await start(bench, spec)
        (mark,) = (
            found
            for found in variables((await started.succeed()).output)
            if found.startswith("STOKER_INSTANCE=")
        )
        assert mark.endswith(f".{started.instance.id}")


async def test_what_imports_print_is_in_every_log(bench: Workbench) -> None:
    spec = await warmed(bench, "pid", "import os\nprint('by Python')\nos.system('echo by another')\n")
    for _ in range(2):
        assert (await start(bench, spec)).told.logs == "by Python\nby another\n"


@pytest.mark.parametrize(
    ("heavy", "why"),
    [
        ("import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()", "thread"),
        ("import subprocess\nP = subprocess.Popen(['sleep', '1000'])", "started a process"),
        ("FILE = open('/etc/hostname')", "has left /etc/hostname open"),
        ("import socket\nS = socket.socket()", "has left socket:"),
        ("print('x' * 100_000)", "print too much"),
        ("import os\nif '/proc/self' in os.environ['HOME']: raise ValueError('not here')", "not here"),
        ("import os\nif '/proc/self' in os.environ['HOME']: os._exit(3)", "it ended"),
    ],
)
async def test_what_must_not_be_forked_is_not(bench: Workbench, heavy: str, why: str) -> None:
    spec = await warmed(bench, "pid", heavy)
    (reason,) = bench.engine.forks.refused.values()
    assert why in reason
    started = await start(bench, spec)
    await started.succeed()
    assert started.instance.began == "plain"
    await warm(bench.engine, spec)
    assert not bench.engine.forks.ready


async def test_a_module_that_the_model_has_itself(bench: Workbench, tmp_path: Path) -> None:
    """``import other`` in the package would have found the model's file."""
    python = make_environment(
        tmp_path / "own", {"heavy": "import other", "other": PLAIN}, python=bench.python
    )
    source = tmp_path / "source"
    source.mkdir()
    (source / "predict.py").write_text("import heavy\ndef run() -> str: return heavy.other.__file__\n")
    (source / "cog.yaml").touch()  # no module, though one is called cog
    spec = bench.spec("predict.py:run", source=source, id="x", python=python)
    await warm(bench.engine, spec)
    assert (await start(bench, spec)).instance.began == "forked"
    (source / "other.py").write_text("")
    started = await start(bench, spec)
    assert started.instance.began == "plain"
    assert (await started.succeed()).output.endswith("src/other.py")


async def test_a_crash_is_nobody_elses(bench: Workbench) -> None:
    spec = await warmed(bench, "dies")
    first, second = await start(bench, spec), await start(bench, spec)
    await first.run()
    assert first.told.exit_reason == "killed by signal SIGSEGV (segmentation fault)"
    second.instance.check_health()
    await second.told.until(lambda: second.told.health_answers == [None])
    assert (await start(bench, spec)).instance.began == "forked"


async def test_a_killed_fork_server_takes_nobody_along(bench: Workbench) -> None:
    spec = await warmed(bench, "dies")
    started = await start(bench, spec)
    with told_by_log("stoker.engines.forking") as heard:
        os.kill(_fork_server(bench), signal.SIGKILL)
        await heard.wait()
    started.instance.check_health()
    await started.told.until(lambda: started.told.health_answers == [None])
    assert (await start(bench, spec)).instance.began == "plain"
    await warm(bench.engine, spec)
    assert (await start(bench, spec)).instance.began == "forked"
    await started.run()
    assert started.told.exit_reason == "killed by signal SIGSEGV (segmentation fault)"
    await warm(bench.engine, spec)
    assert (await start(bench, spec)).instance.began == "forked"


async def test_one_that_is_killed_while_it_is_asked_is_made_again(bench: Workbench) -> None:
    """The fork is asked for before its end has been noticed."""
    spec = await warmed(bench, "pid")
    pid = _fork_server(bench)
    os.kill(pid, signal.SIGSTOP)
    asked = asyncio.create_task(start(bench, spec))
    while not bench.folders():
        await asyncio.sleep(0)
    os.kill(pid, signal.SIGKILL)
    assert (await asked).instance.began == "plain"
    assert not bench.engine.forks.refused
    await warm(bench.engine, spec)
    assert (await start(bench, spec)).instance.began == "forked"


async def test_one_that_ends_while_a_model_is_looked_at(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = await warmed(bench, "pid")
    loop, (server,) = asyncio.get_running_loop(), bench.engine.forks._servers.values()

    async def drop() -> bool:
        server.drop("memory is short")
        return False

    def looks(*_: object) -> bool:
        return asyncio.run_coroutine_threadsafe(drop(), loop).result()

    monkeypatch.setattr(all_servers, "shadowed", looks)
    started = await start(bench, spec)
    await started.succeed()
    assert started.instance.began == "plain"


async def test_a_fork_that_is_killed_while_it_boots_is_no_fault(bench: Workbench) -> None:
    spec = await warmed(bench, "Waits")
    started = await bench.launch(spec.predictor, python=spec.python)
    assert started.instance.began == "forked"
    (pid,) = bench.engine._sessions
    os.kill(pid, signal.SIGKILL)
    assert await started.told.until_exited() == "killed by signal SIGKILL"
    assert not bench.engine.forks.refused


async def test_its_memory_is_known_and_given_back_when_it_is_asked_for(bench: Workbench) -> None:
    spec = await warmed(bench, "pid", "BLOCK = bytearray(b'x') * (64 << 20)")
    assert await bench.engine.reclaimable_bytes() >= 64 << 20
    started = await start(bench, spec)
    assert started.instance.began == "forked"
    assert await bench.engine.reclaimable_bytes() < 64 << 20, "its fork has the same memory"
    pid = _fork_server(bench)
    bench.engine.reclaim(1)
    await until_dead(pid)
    assert await bench.engine.reclaimable_bytes() == 0
    assert is_alive((await started.succeed()).output)
    assert not bench.engine.forks.refused


async def test_one_that_does_not_answer_is_not_waited_for(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(one_server, "ANSWER_S", 0.05)
    spec = await warmed(bench, "pid")
    stopped = _fork_server(bench)
    os.kill(stopped, signal.SIGSTOP)
    started = await start(bench, spec)
    assert started.instance.began == "plain"
    await until_dead(stopped)


async def test_one_whose_forks_do_not_speak(bench: Workbench) -> None:
    """The package lets no process go on that was forked from the one in which it was imported."""
    spec = await warmed(bench, "pid", "import os\nos.register_at_fork(after_in_child=lambda: os._exit(1))")
    started = await start(bench, spec)
    await started.succeed()
    assert started.instance.began == "plain"
    assert list(bench.engine.forks.refused.values()) == ["a fork of it ended before it spoke"]


async def test_a_new_environment_has_a_new_one(bench: Workbench) -> None:
    spec = await warmed(bench, "pid")
    (kind,) = bench.engine.forks.ready
    file = spec.python.parent.parent / "pyvenv.cfg"
    text = file.read_text()
    file.unlink()
    bench.engine.step(0)
    assert bench.engine.forks.ready == []
    file.write_text(text)
    await warm(bench.engine, spec)
    assert bench.engine.forks.ready != [kind]
    assert (await start(bench, spec)).instance.began == "forked"


async def test_it_goes_when_memory_is_short(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = await warmed(bench, "pid")
    started = await start(bench, spec)
    pid = _fork_server(bench)
    bench.engine.step(0)
    assert bench.engine.forks.ready
    monkeypatch.setattr(bench.engine.forks, "_available", lambda: 0)
    bench.engine.step(0)
    await until_dead(pid)
    assert is_alive((await started.succeed()).output)
    assert (await start(bench, spec)).instance.began == "plain"
    assert not bench.engine.forks.refused


async def test_it_goes_when_it_is_not_used(bench: Workbench) -> None:
    bench.engine = bench.make_engine(fork_server_idle_s=0.0)
    await warmed(bench, "pid")
    pid = _fork_server(bench)
    bench.engine.step(0)
    await until_dead(pid)
    await bench.engine.close()
    assert _all_folders(bench) == []


async def test_there_are_no_more_than_wanted(bench: Workbench) -> None:
    bench.engine = bench.make_engine(fork_servers=1)
    first = await warmed(bench, "pid")
    second = bench.spec("forks.py:pid", id="x", python=environment(bench, name="second"))
    await warm(bench.engine, second)
    assert [kind.python for kind in bench.engine.forks.ready] == [second.python]
    assert (await start(bench, first)).instance.began == "plain"


async def test_none_where_none_is_wanted(bench: Workbench) -> None:
    bench.engine = bench.make_engine(fork_servers=0)
    started = await bench.start("forks.py:pid", python=environment(bench, SLOW))
    await started.succeed()
    assert _all_folders(bench) == bench.folders()


async def test_variables_are_part_of_the_kind(bench: Workbench) -> None:
    """A package may read one at its import."""
    heavy = "import os\nCACHE = FOLDER = os.environ.get('GREETING')\nKEPT = {'inner': '/tmp'}"
    spec = await warmed(bench, "pid", heavy, variables={"GREETING": "hello"})
    assert (await start(bench, spec)).instance.began == "forked"
    other = bench.spec("forks.py:pid", id="x", python=spec.python, variables={"GREETING": "bye"})
    assert (await start(bench, other)).instance.began == "plain"


def _fork_server(bench: Workbench) -> int:
    (server,) = bench.engine.forks._servers.values()
    return server.pid


def _all_folders(bench: Workbench) -> list[str]:
    return [path.name for path in (bench.data_dir / "instances").iterdir()]
