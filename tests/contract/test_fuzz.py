"""A short fuzzing by the OpenAPI document, the same each time; ``make fuzz`` looks for longer."""

import re
from collections.abc import Iterator

import pytest

from tests.contract.fuzzing import Fuzzed, fuzzed
from tests.documented import OPERATIONS

RUNS = {
    "admin": ("--max-examples", "3"),
    "run": ("--max-examples", "1", "--phases", "fuzzing"),
    "read": ("--max-examples", "1", "--phases", "fuzzing"),
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzzed]:
    with fuzzed(tmp_path_factory.mktemp("fuzz")) as made:
        yield made


@pytest.mark.parametrize("scope", RUNS)
def test_every_answer_is_in_the_document(scope: str, world: Fuzzed) -> None:
    done = world.run(scope, "--generation-deterministic", "--no-shrink", *RUNS[scope])
    assert done.returncode == 0, done.stdout + done.stderr
    tested = re.findall(r"Tested: +(\d+)", done.stdout)
    assert tested == [str(len(OPERATIONS))], done.stdout
