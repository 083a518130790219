"""docs/openai.md has every path that is answered, the errors, and each parameter that changes nothing."""

import pytest

from stoker.api import problems
from stoker.api.openai.drafts import IGNORED, NEUTRAL
from stoker.api.openai.problems import CODES
from stoker.api.openai.routes import PREFIX, routes
from stoker.core.errors import Conflict, Forbidden, InputInvalid, StokerError, Throttled, Unavailable
from tests.docs.pages import ROOT

PAGE = (ROOT / "docs" / "openai.md").read_text()


def test_every_path_is_there():
    for route in routes(None):  # type: ignore[arg-type]
        assert f"`{route.path.removeprefix(PREFIX).replace(':path', '')}`" in PAGE


@pytest.mark.parametrize("name", sorted(IGNORED | NEUTRAL.keys()))
def test_every_parameter_that_changes_nothing_is_there(name: str):
    assert f"`{name}`" in PAGE


@pytest.mark.parametrize(
    "error",
    [InputInvalid([]), Conflict(), Forbidden(), Throttled(1), Unavailable()],
    ids=lambda error: type(error).__name__,
)
def test_statuses_are_as_they_are(error: StokerError):
    (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| {problems.openai_status(error)} |")]
    assert f"`{CODES.get(error.code, error.code)}`" in row
