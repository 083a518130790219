"""Tests here may be coroutines: each runs in an event loop of its own, and its workbench is cleared in it."""

import asyncio
import inspect
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.worker.workbench import Workbench

LoopFactory = Callable[[], asyncio.AbstractEventLoop]


@pytest.fixture(params=["plain", "forked"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Workbench:
    """What holds of an instance holds however its process came about."""
    return Workbench(tmp_path, forked=request.param == "forked")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    arguments = {name: pyfuncitem.funcargs[name] for name in names}

    async def story() -> None:
        try:
            await pyfuncitem.obj(**arguments)
        finally:
            bench = pyfuncitem.funcargs.get("bench")
            if isinstance(bench, Workbench):
                await bench.close()

    with asyncio.Runner(loop_factory=pyfuncitem.funcargs.get("loop_factory")) as runner:
        runner.run(story())
    return True
