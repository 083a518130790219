"""What answers each record of ``recorded-shapes.json``: a table.

Filled by ``recorded_runs`` and ``recorded_things``, read by ``test_recorded_shapes``.
"""

from collections.abc import Awaitable, Callable

import httpx

from tests.contract.platform import Platform

Record = tuple[str, str, int, str]
"""Method, path and status, and the variant up to its first comma."""
Maker = Callable[[Platform], Awaitable[httpx.Response]]

MAKERS: dict[Record, Maker] = {}


def answers(method: str, path: str, status: int, variant: str = "") -> Callable[[Maker], Maker]:
    """Registers the maker of our answer for that record."""

    def register(maker: Maker) -> Maker:
        assert (method, path, status, variant) not in MAKERS
        MAKERS[method, path, status, variant] = maker
        return maker

    return register
