"""Where versions run from: their source trees and environments on this machine (implements ports.Workspace).

Called by whoever starts instances, and by the builder when a version is new. A tree is written in
the scratch folder and moved to its place when it is whole, so what has a version's name is complete.
"""

import asyncio
import shutil
import tempfile
from pathlib import Path

import msgspec

from stoker.core.catalog import Version
from stoker.core.errors import BuildFailed
from stoker.packaging.ages import Ages
from stoker.packaging.checkpoints.shelf import Shelf
from stoker.packaging.environments.environment import Environments
from stoker.packaging.sharing import Shared
from stoker.packaging.source import READY_SCHEMA, local, write_tree
from stoker.ports.blobs import Blobs
from stoker.ports.workspace import Place

YOUNG_S = 3600.0
"""What was asked for this lately stays: a build may be under way that nothing refers to yet."""


class LocalWorkspace:
    """Sources in ``sources/VERSION``, the rest as ``Environments`` and ``Shelf`` keep it."""

    def __init__(self, blobs: Blobs, environments: Environments, shelf: Shelf, data_dir: Path):
        self._folder = data_dir.resolve() / "sources"
        self._blobs = blobs
        self._environments = environments
        self._shelf = shelf
        self._writing = Shared[Path]()
        self._ages = Ages()

    async def place(self, version: Version) -> Place:
        """Where the version is, after making what is not here. Raises ``BuildFailed``."""
        checkpoint = version.recipe.checkpoint
        weights = await self._shelf.place(checkpoint) if checkpoint is not None else None
        python = await self._python(version)
        folder = self._folder / version.id
        if not self._ages.renew(folder):
            await self._writing.run(version.id, lambda _tell: self._write(version, folder))
        home = self._environments.home(version.recipe.environment)
        return Place(python, folder, home, await self._weights(version), weights)

    async def sweep(
        self,
        versions: set[str],
        environments: set[str],
        checkpoints: set[str],
        *,
        environment_keep_s: float,
    ) -> int:
        trees = await asyncio.to_thread(self._remove_unused, versions)
        trees += await self._shelf.remove_unused(checkpoints, older_than_s=YOUNG_S)
        keep_s = max(environment_keep_s, YOUNG_S)
        return trees + await self._environments.remove_unused(environments, older_than_s=keep_s)

    async def _python(self, version: Version) -> Path:
        spec = version.recipe.environment_spec
        if spec is not None:
            return await self._environments.ensure(spec, on_line=lambda _line: None)
        if self._environments.is_ready(version.recipe.environment):
            return self._environments.python(version.recipe.environment)
        raise BuildFailed(
            "This version's environment is gone and cannot be made again. Push the model again."
        )

    async def _weights(self, version: Version) -> Path | None:
        if version.recipe.weights is None:
            return None
        return await local(self._blobs, version.recipe.weights, version.recipe.weights_name)

    async def _write(self, version: Version, folder: Path) -> Path:
        partial = await asyncio.to_thread(self._begin)
        try:
            source = [file for file in version.source if file.path != READY_SCHEMA]
            await write_tree(source, self._blobs, partial)
            await asyncio.to_thread(_complete, partial, folder, msgspec.json.encode(version.openapi_schema))
        finally:
            await asyncio.shield(asyncio.to_thread(shutil.rmtree, partial, ignore_errors=True))
        return folder

    def _remove_unused(self, keep: set[str]) -> int:
        trees = list(self._folder.iterdir()) if self._folder.is_dir() else []
        self._environments.scratch.mkdir(parents=True, exist_ok=True)
        return sum(
            self._ages.remove(tree, aged=tree, older_than_s=YOUNG_S, trash=self._environments.scratch)
            for tree in trees
            if tree.name not in keep
        )

    def _begin(self) -> Path:
        for folder in (self._folder, self._environments.scratch):
            folder.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix="source-", dir=self._environments.scratch))


def _complete(partial: Path, folder: Path, schema: bytes) -> None:
    path = partial / READY_SCHEMA
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(schema)
    partial.chmod(0o755)
    partial.replace(folder)
