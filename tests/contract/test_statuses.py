"""Each status that the OpenAPI document names for an operation is one that the operation can answer with.

That nothing else is ever answered, the clients of all tests hold (``tests/documented``). A status that no
request can bring about has no place in the document.
"""

from pathlib import Path

import pytest

from tests.contract.asking import EVERY, LIMITS, OPERATOR, Asker, Operation, populate
from tests.contract.platform import Platform
from tests.contract.scripted import echo
from tests.contract.statuses import OWN, way
from tests.contract.story import story_with
from tests.documented import OPERATIONS, plain


def documented() -> dict[int, list[Operation]]:
    """The operations that have each status."""
    found: dict[int, list[Operation]] = {}
    for operation in EVERY:
        for status in OPERATIONS[operation.method, plain(operation.route)]["responses"]:
            found.setdefault(int(status), []).append(operation)
    return found


DOCUMENTED = documented()


def test_nothing_is_said_of_what_is_not_documented() -> None:
    undocumented = [key for key in OWN if Operation(*key[:2]) not in DOCUMENTED[key[2]]]
    assert not undocumented, f"take them out of OWN in tests/contract/statuses.py: {undocumented}"


@pytest.mark.parametrize("status", sorted(DOCUMENTED))
def test_every_operation_that_has_the_status_answers_with_it(status: int, tmp_path: Path) -> None:
    limits = {"rate_limit_per_minute": 1, "rate_limit_create_per_minute": 1} if status == 429 else {}

    @story_with(account=OPERATOR, within_s=120, **LIMITS, **limits)
    async def tell(p: Platform) -> None:
        await populate(p)
        missed = await misses(p, status)
        assert not missed, (
            f"never {status}: {missed}. Say in tests/contract/statuses.py what brings it about; where "
            "nothing does, take it out of the document (src/stoker/api/openapi)."
        )

    tell(tmp_path)


async def misses(p: Platform, status: int) -> dict[Operation, str]:
    """The operations that answer otherwise, and how."""
    found: dict[Operation, str] = {}
    for operation in DOCUMENTED[status]:
        p.dispatcher.script = echo
        answer = await way(operation, status)(Asker(p, operation))
        if answer.status_code != status:
            found[operation] = f"{answer.status_code} {answer.text[:200]}"
    return found
