"""A builder with everything around it in one folder: real environments, real model processes."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

from stoker.core.builds import Build, Order
from stoker.core.catalog import Model, SourceFile, Version
from stoker.files.local import LocalBlobs
from stoker.packaging.builder import Builder
from stoker.packaging.checkpoints.shelf import Shelf
from stoker.packaging.environments.environment import Environments
from stoker.packaging.live_build import LiveBuild
from stoker.packaging.machine import Machine
from stoker.packaging.workspace import LocalWorkspace
from stoker.runtime.clock import SystemClock
from stoker.store.sqlite.store import SqliteStore

Tree = Mapping[str, str | bytes]

BUILD_S = 120.0
"""How long a test waits for a build; only a broken one needs it."""

ECHO = """
from cog import BaseRunner

class Runner(BaseRunner):
    def run(self, text: str) -> str:
        return text
"""

ECHO_YAML = 'build:\n  python_version: "3.11"\nrun: run.py:Runner\n'


def echo(yaml: str = ECHO_YAML, code: str = ECHO, **more: str | bytes) -> dict[str, str | bytes]:
    """The smallest project, with other parts where they are given."""
    return {"cog.yaml": yaml, "run.py": code, **more}


class Yard:
    """One server's packaging over ``folder``. Use it within one event loop, then ``close`` it."""

    def __init__(self, folder: Path, store: SqliteStore, *, cache: Path, machine: Machine | None):
        self.folder = folder
        self.store = store
        environ = {**os.environ, "UV_CACHE_DIR": str(cache), "STOKER_TEST_SECRET": "hidden"}
        clock = SystemClock()
        self.blobs = LocalBlobs(folder)
        self.environments = Environments(folder, self.blobs, clock, environ=environ)
        self.shelf = Shelf(folder)
        self.workspace = LocalWorkspace(self.blobs, self.environments, self.shelf, folder)
        self.builder = Builder(
            store=self.store,
            blobs=self.blobs,
            environments=self.environments,
            workspace=self.workspace,
            shelf=self.shelf,
            clock=clock,
            machine=machine,
        )
        self.model = Model(owner="local", name="echo", account="local", created_us=1)

    @classmethod
    async def open(cls, folder: Path, *, cache: Path, machine: Machine | None = None) -> "Yard":
        store = await SqliteStore.open(folder)
        yard = cls(folder, store, cache=cache, machine=machine)
        await store.models.create(yard.model)
        return yard

    async def files(self, tree: Tree) -> list[SourceFile]:
        """The tree's files, their contents put into the blobs."""
        files: list[SourceFile] = []
        for path, content in tree.items():
            data = content.encode() if isinstance(content, str) else content
            blob = await self.blobs.put(_whole(data))
            files.append(SourceFile(path, blob.sha256, len(data)))
        return files

    async def start(self, tree: Tree, **order: Any) -> LiveBuild:
        """``order`` is what ``core.builds.Order`` takes."""
        files = await self.files(tree)
        build = await self.builder.start(self.model.ref, files, Order(**order))
        live = self.builder.get(build.id)
        assert live is not None
        return live

    async def push(self, tree: Tree, **order: Any) -> LiveBuild:
        """A build, after it has ended."""
        live = await self.start(tree, **order)
        await ended(live)
        return live

    async def version(self, live: LiveBuild) -> Version:
        assert live.seen.version is not None, live.seen.error
        version = await self.store.versions.get(live.seen.version)
        assert version is not None
        return version

    async def close(self) -> None:
        await self.builder.close()
        await self.store.close()


async def until(live: LiveBuild, what: str) -> None:
    """Waits for a log line or the end."""
    await _wait(live, lambda: live.is_over or what in log(live))


async def ended(live: LiveBuild) -> Build:
    await _wait(live, lambda: live.is_over)
    return live.seen


def log(live: LiveBuild) -> str:
    return "".join(str(event.data) for event in live.events if event.kind == "log")


async def _whole(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def _wait(live: LiveBuild, reached: Callable[[], bool]) -> None:
    changed = asyncio.Event()
    live.subscribe(changed.set)
    try:
        async with asyncio.timeout(BUILD_S):
            while not reached():
                changed.clear()
                await changed.wait()
    finally:
        live.unsubscribe(changed.set)
