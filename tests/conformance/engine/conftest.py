"""Every engine that there is, for the suite that each of them must pass."""

from pathlib import Path

import pytest

from tests.worker.conftest import pytest_pyfunc_call
from tests.worker.workbench import Workbench

__all__ = ["bench", "pytest_pyfunc_call"]


@pytest.fixture(params=["process"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Workbench:
    """A workbench whose engine is the adapter under test."""
    return Workbench(tmp_path)
