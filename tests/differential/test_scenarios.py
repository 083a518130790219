"""Every scenario ends alike on Cog's own server and on ours, but for the differences that the table names."""

import pytest

from tests.differential.comparison import complaints
from tests.differential.conftest import Sides
from tests.differential.differences import DIFFERENCES
from tests.differential.scenario import Scenario
from tests.differential.scenarios import SCENARIOS


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.id)
def test_both_end_alike(scenario: Scenario, sides: Sides):
    ours = sides.ours(scenario.model).run(scenario)
    cog = sides.cog(scenario.model).run(scenario)
    if scenario.spoils:
        sides.cogs.stop()
    assert not complaints(scenario.id, cog, ours, DIFFERENCES, ignores=scenario.ignores)
