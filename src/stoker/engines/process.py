"""Instances that are processes on this machine. Built by ``main``; used through ``stoker.ports.engine``.

Every process of an instance has ``STOKER_INSTANCE=<data directory's identity>.<instance id>`` in its
environment, so that a later server finds what an earlier one left behind, and two servers with their own
data directories leave each other alone.
"""

import asyncio
import functools
import hashlib
import os
import shutil
import stat
import threading
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from stoker.core.errors import InstanceFailed
from stoker.engines import surroundings
from stoker.engines.endings import OomKills
from stoker.engines.folders import Folders
from stoker.engines.forking.plans import Plan, plan
from stoker.engines.forking.servers import ForkServers
from stoker.engines.instance import ProcessInstance
from stoker.engines.spawn import Child, spawn
from stoker.host import memory, pages, processes
from stoker.ports.engine import InstanceSpec, Listener, OutputFile, Usage

_MARK_VARIABLE = "STOKER_INSTANCE"
"""In the environment of every process of an instance; inherited by those that the model starts."""

_FRAME_SLACK_BYTES = 1 << 20
"""What a frame may be longer than the output in it: names of files, and log text."""


class ProcessEngine:
    """``data_dir`` is this server's alone; limits are per instance, None is none."""

    def __init__(
        self,
        data_dir: Path,
        *,
        memory_limit_bytes: int | None = None,
        open_files_limit: int | None = None,
        output_limit_bytes: int = 256 * 1024 * 1024,
        variables: Mapping[str, str] | None = None,
        fork_servers: int = 4,
        fork_server_idle_s: float = 3600.0,
        gpu_bytes: Callable[[Collection[int]], int] = lambda _: 0,
    ):
        """``variables`` are told to every instance; ``gpu_bytes`` says what some processes take."""
        self._instances = data_dir.resolve() / "instances"
        self._given = data_dir.resolve() / "given"
        self._memory_limit_bytes = memory_limit_bytes
        self._open_files_limit = open_files_limit
        self._output_limit_bytes = output_limit_bytes
        self._variables = dict(variables or {})
        self._gpu_bytes = gpu_bytes
        self._mark = hashlib.sha256(os.fsencode(data_dir.resolve())).hexdigest()[:16] + "."
        self._living = set[str]()
        """Ids of the instances that are there, from before their folders are made until these are removed."""
        self._sessions: dict[int, str] = {}
        """Which instance each session of processes is."""
        self._claimed = 0
        self._oom = OomKills()
        self.forks = ForkServers(
            self._instances,
            mark=(_MARK_VARIABLE, self._mark),
            living=self._living,
            most=fork_servers,
            idle_s=fork_server_idle_s,
        )

    async def start(self, spec: InstanceSpec, listener: Listener) -> ProcessInstance:
        folders = Folders(self._instances / spec.id)
        self._living.add(spec.id)
        try:
            kind = await asyncio.to_thread(self._prepare, spec, folders)
            child = await self._begin(spec, folders, kind)
        except BaseException as error:
            folders.remove()
            self._living.discard(spec.id)
            if isinstance(error, OSError):
                why = (error.strerror or type(error).__name__).lower()
                raise InstanceFailed(f"the model process could not be started: {why}") from error
            raise
        self._sessions[child.pid] = spec.id
        self._read_ahead(spec)
        return ProcessInstance(
            spec,
            listener,
            child,
            claim=functools.partial(self._claim, folders),
            limit_bytes=self._output_limit_bytes + _FRAME_SLACK_BYTES,
            release=functools.partial(self._release, spec.id, folders, child.pid),
            oom=self._oom,
            booted=functools.partial(self._booted, kind, child.began == "forked"),
        )

    async def usage(self) -> dict[str, Usage]:
        self._oom.look()
        taken = await asyncio.to_thread(memory.taken_bytes, dict(self._sessions))
        return {
            id: Usage(size_bytes, self._gpu_bytes(pids)) for id, (size_bytes, pids) in taken.items() if pids
        }

    async def reclaimable_bytes(self) -> int:
        return await asyncio.to_thread(self.forks.memory_bytes)

    def reclaim(self, size_bytes: int) -> None:
        self.forks.give_back(size_bytes)

    async def disk_usage(self) -> dict[str, int]:
        ids = tuple(self._sessions.values())
        return await asyncio.to_thread(lambda: {id: Folders(self._instances / id).size_bytes() for id in ids})

    async def sweep(self) -> int:
        return await asyncio.to_thread(self._sweep)

    def step(self, now_us: int) -> None:
        """The regular look at the fork servers."""
        self.forks.step(now_us)

    async def close(self) -> None:
        """Ends what keeps itself ready for instances to come."""
        await self.forks.close()

    def _prepare(self, spec: InstanceSpec, folders: Folders) -> Plan | None:
        """Makes the folders; what a fork server for it would have to be, where one might be of use."""
        self._given.mkdir(parents=True, exist_ok=True)
        folders.make(spec.source, home=spec.home)
        if spec.weights is not None:
            folders.link_weights(spec.weights, spec.weights_name)
        return plan(spec, surroundings.variables(spec, folders)) if self.forks.enabled else None

    async def _begin(self, spec: InstanceSpec, folders: Folders, kind: Plan | None) -> Child:
        variables = self._variables | surroundings.variables(spec, folders)
        variables[_MARK_VARIABLE] = self._mark + spec.id
        config = {
            "predictor": spec.predictor,
            "mode": spec.mode,
            "slots": spec.slots,
            "outbox": str(folders.outbox),
            "memory_limit_bytes": self._memory_limit_bytes,
            "open_files_limit": self._open_files_limit,
            "output_limit_bytes": self._output_limit_bytes,
            "parent": os.getpid(),
        }
        if kind is not None:
            child = await self.forks.fork(
                kind, spec=spec, folders=folders, variables=variables, config=config
            )
            if child is not None:
                return child
        return spawn(spec.python, folders, variables=variables, config=config)

    def _read_ahead(self, spec: InstanceSpec) -> None:
        """Beside its imports: what it will load is on its way from the disk by then."""
        paths = [path for path in (spec.weights, spec.checkpoint, spec.source) if path is not None]
        most_bytes = memory.available_bytes() // 2
        threading.Thread(
            target=pages.read_ahead,
            args=(paths,),
            kwargs={"most_bytes": most_bytes},
            name="read-ahead",
            daemon=True,
        ).start()

    def _booted(self, kind: Plan | None, forked: bool, imports_s: float | None) -> None:
        if kind is not None:
            self.forks.booted(kind, forked=forked, imports_s=imports_s)

    def _claim(self, folders: Folders, file: OutputFile) -> OutputFile:
        """Moves an output file out of the instance's folders, which may be gone before the listener reads it.

        The model process names the file, so the name is believed only as one of the outbox, and only where
        what was moved turns out to be a plain file: a link could lead anywhere.
        """
        self._claimed += 1
        target = self._given / f"{folders.root.name}-{self._claimed}"
        (folders.outbox / Path(file.path).name).rename(target)
        if not stat.S_ISREG(target.lstat().st_mode):
            target.unlink()
            raise InstanceFailed("an output file is not a plain file")
        return OutputFile(at=file.at, path=str(target), name=Path(file.name).name or "file")

    def _release(self, id: str, folders: Folders, session: int) -> None:
        """Ends all that an instance has left behind. In a thread."""
        mark = self._mark + id
        processes.end_all(
            lambda: processes.belonging(_MARK_VARIABLE, mark.__eq__, folder=folders.root, session=session)
        )
        folders.remove()
        self._living.discard(id)
        self._sessions.pop(session, None)

    def _sweep(self) -> int:
        living = frozenset(self._mark + id for id in self._living)
        ended = processes.end_all(
            lambda: processes.belonging(
                _MARK_VARIABLE,
                lambda mark: mark.startswith(self._mark),
                folder=self._instances,
                spared=living,
            )
        )
        for folder in self._instances.glob("*"):
            if folder.name not in self._living:
                shutil.rmtree(folder, ignore_errors=True)
        if not living:  # before the first instance, nobody can own what is in there
            shutil.rmtree(self._given, ignore_errors=True)
        return ended
