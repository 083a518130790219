"""Which tests stay together where several processes share the work (``pytest -n``, as ``make test`` does).

Used by ``conftest`` only.
"""

from pathlib import PurePosixPath

from xdist.scheduler import LoadScopeScheduling

SUITES = (PurePosixPath("tests/catalog"), PurePosixPath("tests/differential"))
"""Stay whole: each process would make environments with torch, or start Cog's servers, of its own."""


class Bundles(LoadScopeScheduling):
    """Gives out files and whole suites in the order of collection, which has the longest suite first."""

    def _split_scope(self, nodeid: str) -> str:
        file = PurePosixPath(nodeid.partition("::")[0])
        return str(next((suite for suite in SUITES if suite in file.parents), file))
