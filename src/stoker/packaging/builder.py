"""Builds: takes what was pushed, runs the build as a task, keeps its events for whoever asks.

Called by the api (``start``, ``get``) and by the composition root (``close``). Builds live in
memory only: one that a server's end cut off has left nothing behind, and is pushed again.
"""

import asyncio
import logging
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from stoker.core.builds import PLAIN, Build, Order
from stoker.core.catalog import SourceFile
from stoker.core.errors import BuildFailed, Invalid, StokerError
from stoker.core.ignore import CONFIG_FILE
from stoker.packaging.build_steps import Building, Tools
from stoker.packaging.checkpoints.shelf import Shelf
from stoker.packaging.environments.environment import Environments
from stoker.packaging.live_build import LiveBuild
from stoker.packaging.machine import Machine
from stoker.packaging.source import check_files
from stoker.packaging.tasks import Tasks
from stoker.packaging.workspace import LocalWorkspace
from stoker.ports.blobs import Blobs
from stoker.ports.clock import Clock
from stoker.ports.store import Store

_log = logging.getLogger(__name__)

_AT_ONCE = 2


class Builder:
    """One a server; its builds are ended by ``close``."""

    def __init__(
        self,
        *,
        store: Store,
        blobs: Blobs,
        environments: Environments,
        workspace: LocalWorkspace,
        shelf: Shelf,
        clock: Clock,
        machine: Machine | None = None,
    ):
        self._tools = Tools(
            store=store,
            blobs=blobs,
            clock=clock,
            environments=environments,
            workspace=workspace,
            shelf=shelf,
            machine=machine or Machine(),
        )
        self._scratch = environments.scratch
        self._builds: Tasks[LiveBuild] = Tasks()
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def start(self, model: str, files: Sequence[SourceFile], order: Order = PLAIN) -> Build:
        """Begins a build of files whose blobs are here.

        Raises ``Invalid`` for paths that make no tree and for a checkpoint that is not here, ``Unavailable``
        while stopping.
        """
        self._builds.check_open()
        check_files(files)
        if not any(file.path == CONFIG_FILE for file in files):
            raise Invalid(f"There is no {CONFIG_FILE} in what was pushed.")
        if order.checkpoint is not None and await self._tools.shelf.get(order.checkpoint) is None:
            raise Invalid(f"There is no checkpoint {order.checkpoint} here; fetch it first.")
        build = Build(id=self._builds.new_id(), model=model, created_us=self._tools.clock.now_us())
        _log.info("build %s of %s", build.id, model)
        live = LiveBuild(build)
        self._builds.begin(build.id, live, self._run(live, files, order))
        return build

    def get(self, id: str) -> LiveBuild | None:
        """A build of this server's lifetime: those that run, and the latest that are over."""
        return self._builds.get(id)

    async def close(self) -> None:
        """Cancels what is being built, and returns when nothing of it is left. May be called again."""
        await self._builds.close()

    async def _run(self, live: LiveBuild, files: Sequence[SourceFile], order: Order) -> None:
        """The edge of a build: whatever happens in it becomes its last event."""
        try:
            async with self._turns:
                version, cached = await self._build(live, files, order)
            live.succeed(version, cached=cached)
        except asyncio.CancelledError:
            live.fail("The server is stopping. Push again in a moment.")
        except BuildFailed as error:
            live.fail(error.message)
        except StokerError as error:
            live.fail(f"The build failed: {error.message}")
        except Exception:  # noqa: BLE001 - the edge of a loop
            _log.exception("build %s of %s broke", live.seen.id, live.seen.model)
            live.fail("The build failed for a reason that is in the server's log.")

    async def _build(self, live: LiveBuild, files: Sequence[SourceFile], order: Order) -> tuple[str, bool]:
        self._scratch.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix="build-", dir=self._scratch))
        try:
            return await Building(live, files, order, tools=self._tools, scratch=scratch).run()
        finally:
            await asyncio.shield(asyncio.to_thread(shutil.rmtree, scratch, ignore_errors=True))
