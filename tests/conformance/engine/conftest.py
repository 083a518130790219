"""Every engine that there is, for the suite that each of them must pass."""

import asyncio
from pathlib import Path

import pytest
import uvloop

from tests.worker.conftest import LoopFactory, pytest_pyfunc_call
from tests.worker.workbench import Workbench

__all__ = ["bench", "pytest_pyfunc_call"]


@pytest.fixture(params=["process", "forked process"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Workbench:
    """A workbench whose engine is the adapter under test."""
    return Workbench(tmp_path, forked=request.param.startswith("forked"))


@pytest.fixture(params=["asyncio", "uvloop"], autouse=True)
def loop_factory(request: pytest.FixtureRequest) -> LoopFactory:
    """The event loops that an engine must work with: Python's own and the server's."""
    return uvloop.new_event_loop if request.param == "uvloop" else asyncio.new_event_loop
