"""Servers with a catalogue of the tests' own."""

from pathlib import Path

import pytest

ENTRIES = Path(__file__).parent / "entries"


@pytest.fixture
def entries() -> Path:
    """A catalogue as an operator may have one: ``stoker catalog add NAME --from DIR``."""
    return ENTRIES
