"""The table of differences itself: every row is used, and the docs have it word by word."""

import re
from pathlib import Path

import pytest

from tests.differential.comparison import Difference, complaints
from tests.differential.differences import DIFFERENCES
from tests.differential.outcome import Outcome
from tests.differential.scenarios import MODELS, SCENARIOS

DOCS = Path(__file__).parents[2] / "docs/models.md"


def test_names_are_unique():
    for names in ([row.case for row in DIFFERENCES], [scenario.id for scenario in SCENARIOS]):
        assert len(names) == len(set(names))


@pytest.mark.parametrize("row", DIFFERENCES, ids=lambda row: row.case)
def test_every_glob_of_a_row_means_some_scenario(row: Difference):
    for glob in row.scenarios:
        alone = Difference(case="", cog="", ours="", why="", scenarios=(glob,), fields={})
        assert any(alone.concerns(scenario.id) for scenario in SCENARIOS), glob


@pytest.mark.parametrize("row", DIFFERENCES, ids=lambda row: row.case)
def test_the_docs_have_the_row(row: Difference):
    assert row.row() in DOCS.read_text().splitlines()


def test_the_list_of_models_is_complete():
    listed = re.findall(r"^\| `([a-z_]+)` \|", (MODELS / "README.md").read_text(), re.MULTILINE)
    assert listed == sorted(folder.name for folder in MODELS.iterdir() if (folder / "cog.yaml").exists())


ELSEWHERE = {
    "async_health",
    "endless",
    "health",
    "import_fails",
    "memory",
    "setup_crashes",
    "setup_exits",
    "setup_fails",
    "setup_slow",
    "sleeper",
    "state",
    "surroundings",
}
"""Models of which one prediction would show nothing; other tests have them."""


def test_every_model_has_a_scenario():
    models = {folder.name for folder in MODELS.iterdir() if (folder / "cog.yaml").exists()}
    assert {scenario.model for scenario in SCENARIOS} == models - ELSEWHERE


ROW = Difference(
    case="words",
    cog="",
    ours="",
    why="",
    scenarios=("errors/*",),
    fields={"error": (r"Prediction failed: (?P<words>.*)", r"(?P=words)")},
)


def test_a_difference_needs_a_row_and_a_row_a_difference():
    cog, ours = Outcome(status="failed", error="Prediction failed: x"), Outcome(status="failed", error="x")
    assert complaints("errors/one", cog, ours, (ROW,), ignores=()) == []
    assert len(complaints("other/one", cog, ours, (ROW,), ignores=())) == 1
    assert len(complaints("errors/one", ours, ours, (ROW,), ignores=())) == 1
    assert complaints("other/one", cog, ours, (ROW,), ignores=("error",)) == []


def test_values_of_other_types_are_not_equal():
    one, whole = Outcome(status="succeeded", output=1), Outcome(status="succeeded", output=1.0)
    assert complaints("a/b", one, whole, (), ignores=()) != []
