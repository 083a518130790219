"""A server that is killed in the middle of a build, and the next one's start."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.packaging.yard import Yard
from tests.processes import working_in

_SERVER = """
import asyncio, sys
from pathlib import Path
from tests.packaging.yard import Yard, echo, until

YAML = "build: {python_version: '3.11', run: ['echo $((271828 + 1)); setsid sleep 600']}\\nrun: run.py:Runner"

async def main():
    yard = await Yard.open(Path(sys.argv[1]), cache=Path(sys.argv[2]))
    live = await yard.start(echo(YAML))
    await until(live, "271829")  # which the command has to say itself: its own line is logged before it runs
    print("failed" if live.is_over else "building", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


def test_nothing_half_made_and_no_process_stays(tmp_path: Path, uv_cache: Path) -> None:
    folder = tmp_path / "data"
    root = Path(__file__).parents[2]
    server = subprocess.Popen(
        [sys.executable, "-c", _SERVER, str(folder), str(uv_cache)],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    with server.stdout:
        assert server.stdout.readline() == "building\n"
        server.send_signal(signal.SIGKILL)
        server.wait()
    assert working_in(folder)
    assert len(list(folder.glob("environments/*"))) == 1
    asyncio.run(_start_again(folder, uv_cache))
    assert not working_in(folder)
    assert not any(folder.glob("environments/*"))
    assert not any(folder.glob("scratch/*"))


async def _start_again(folder: Path, cache: Path) -> None:
    yard = await Yard.open(folder, cache=cache)
    assert await yard.environments.sweep() == 1
    await yard.close()
