"""Environments: one folder per set of packages, shared by every version that needs exactly those.

Called by the builder and the workspace. An environment is made in its final place (its scripts name their
interpreter by path) and is one only when its marker file is there, which is written last; a folder without
marker is what a build left behind, and goes.

``run`` commands of cog.yaml are executed by the server's user with the environment's ``bin`` first on PATH,
in a scratch folder. What they leave inside the environment stays: packages, and HOME, which is its ``home``;
whoever runs in the environment sees that in a home of its own.
"""

import asyncio
import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import ParamSpec

import msgspec

from stoker.core.environments import EnvironmentSpec
from stoker.core.errors import BuildFailed
from stoker.packaging.ages import Ages
from stoker.packaging.commands import Outcome, kill_marked, run
from stoker.packaging.environments import bytecode
from stoker.packaging.environments.pythons import Pythons
from stoker.packaging.environments.resolutions import PLATFORM, Resolutions
from stoker.packaging.environments.uv import OnLine, Uv
from stoker.packaging.sharing import Shared
from stoker.packaging.source import local
from stoker.ports.blobs import Blobs
from stoker.ports.clock import Clock

P = ParamSpec("P")

_MARKER = "stoker.json"
_INSTALL_S = 3600.0
_COMMAND_S = 3600.0
_ALIKE = 3
"""In so many environments it is looked for what Python has compiled; the first nearly always has it."""


class Environments:
    """One a server. ``uv`` and ``pythons`` are for the rest of a build, too."""

    def __init__(
        self, data_dir: Path, blobs: Blobs, clock: Clock, *, environ: Mapping[str, str] = os.environ
    ):
        data_dir = data_dir.resolve()
        self.uv = Uv(data_dir, environ)
        self.pythons = Pythons(self.uv, clock, environ, data_dir)
        self.scratch = data_dir / "scratch"
        """Where builds have their folders while they run; emptied by ``sweep``."""
        self.mark = f"{data_dir}:"
        """How the mark of every process of this server's builds begins."""
        self.resolutions = Resolutions(data_dir, self.uv)
        self._folder = data_dir / "environments"
        self._blobs = blobs
        self._builds = Shared[Path]()
        self._ages = Ages()

    def python(self, id: str) -> Path:
        """Where an environment's interpreter is, or will be."""
        return self._folder / id / "bin" / "python"

    def is_ready(self, id: str) -> bool:
        """Whether it is here, whole, and its base interpreter still is too."""
        return (self._folder / id / _MARKER).exists() and self.python(id).exists()

    def home(self, id: str) -> Path | None:
        """What the commands left in their home, where they left anything."""
        home = self._folder / id / "home"
        return home if home.is_dir() else None

    async def ensure(self, spec: EnvironmentSpec, *, on_line: OnLine) -> Path:
        """The environment's interpreter; makes the environment where it is not here.

        Callers of one environment share one run of the installer and all hear its output; it ends when the
        last of them is cancelled. Raises ``BuildFailed``.
        """
        id = spec.id
        if self.is_ready(id) and self._ages.renew(self._folder / id / _MARKER):
            return self.python(id)
        return await self._builds.run(id, lambda tell: self._make(spec, tell), on_line)

    async def sweep(self) -> int:
        """At the server's start: ends what earlier builds left running and removes what is half made."""
        return await asyncio.to_thread(self._sweep)

    async def remove_unused(self, keep: set[str], *, older_than_s: float) -> int:
        """Removes environments that no version needs and that nobody asked for lately; how many."""
        return await asyncio.to_thread(self._remove_unused, keep, older_than_s)

    def _sweep(self) -> int:
        kill_marked(self.mark)
        shutil.rmtree(self.scratch, ignore_errors=True)
        broken = [folder for folder in self._folders() if not (folder / _MARKER).exists()]
        for folder in broken:
            _remove(folder)
        return len(broken)

    def _remove_unused(self, keep: set[str], older_than_s: float) -> int:
        unused = [folder for folder in self._folders() if folder.name not in keep]
        self.scratch.mkdir(parents=True, exist_ok=True)
        return sum(
            self._ages.remove(folder, aged=folder / _MARKER, older_than_s=older_than_s, trash=self.scratch)
            for folder in unused
        )

    def _folders(self) -> list[Path]:
        return [entry for entry in self._folder.iterdir() if entry.is_dir()] if self._folder.is_dir() else []

    async def _make(self, spec: EnvironmentSpec, on_line: OnLine) -> Path:
        if spec.platform != PLATFORM:
            raise BuildFailed(f"This version was built for {spec.platform}, and this machine is {PLATFORM}.")
        folder = self._folder / spec.id
        scratch = await asyncio.to_thread(self._prepare, folder)
        making = _Making(spec, folder, scratch, self.uv, self.mark + spec.id, on_line)
        try:
            await making.artifacts(self._blobs)
            version = spec.python.split(".")
            base = await self.pythons.exactly((int(version[0]), int(version[1])), mark=making.mark)
            await making.create(base)
            await making.install()
            await _to_its_end(self._take_bytecode, spec)
            await making.commands()
            await _to_its_end(_finish, folder, spec)
        except BaseException:
            await asyncio.shield(asyncio.to_thread(_remove, folder))
            raise
        finally:
            await asyncio.shield(asyncio.to_thread(_remove, scratch))
        return self.python(spec.id)

    def _take_bytecode(self, spec: EnvironmentSpec) -> None:
        """What was compiled for environments with many of the same packages need not be compiled again."""
        wanted = set(spec.lock)
        common = {folder: len(wanted.intersection(_packages(folder))) for folder in self._folders()}
        for folder in sorted(filter(common.get, common), key=common.__getitem__, reverse=True)[:_ALIKE]:
            bytecode.share(folder / "lib", self._folder / spec.id / "lib")

    def _prepare(self, folder: Path) -> Path:
        _remove(folder)
        self.scratch.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix="environment-", dir=self.scratch))


class _Making:
    """One run: the steps from nothing to a finished environment."""

    def __init__(
        self, spec: EnvironmentSpec, folder: Path, scratch: Path, uv: Uv, mark: str, on_line: OnLine
    ):
        self.mark = mark
        self._spec = spec
        self._folder = folder
        self._scratch = scratch
        self._uv = uv
        self._on_line = on_line

    async def artifacts(self, blobs: Blobs) -> None:
        await copy_artifacts(self._spec.artifacts, blobs, self._scratch)

    async def create(self, base: Path) -> None:
        outcome = await self._call_uv(
            ["venv", "--quiet", "--no-project", f"--python={base}", str(self._folder)]
        )
        _check(outcome, "The virtual environment could not be made")

    async def install(self) -> None:
        (self._scratch / "lock.txt").write_text("\n".join(self._spec.lock) + "\n")
        backend = self._spec.torch_backend
        options = [f"--torch-backend={backend}"] if backend else []
        python = self._folder / "bin" / "python"
        arguments = ["pip", "install", "--no-deps", f"--python={python}", "-r", "lock.txt", *options]
        outcome = await self._call_uv(arguments)
        _check(outcome, "The Python packages could not be installed")

    async def commands(self) -> None:
        """Each in a shell, with the same scratch folder, as the lines of one recipe would have."""
        if not self._spec.commands:
            return
        home, work = self._folder / "home", self._scratch / "work"
        for folder in (home, work):
            folder.mkdir()
        for line in self._spec.commands:
            self._on_line(f"$ {line}")
            outcome = await run(
                ["/bin/sh", "-c", line],
                cwd=work,
                env=self._command_environment(home),
                mark=self.mark,
                timeout_s=_COMMAND_S,
                on_line=self._on_line,
            )
            _check(outcome, f"The command `{line}` of cog.yaml failed")
        await asyncio.to_thread(_close_home, home)

    def _command_environment(self, home: Path) -> dict[str, str]:
        environment = self._uv.environment
        path = f"{self._folder / 'bin'}:{environment.get('PATH', os.defpath)}"
        own = {
            "PATH": path,
            "VIRTUAL_ENV": str(self._folder),
            "HOME": str(home),
            "TMPDIR": str(self._scratch),
        }
        cache = {"PIP_CACHE_DIR": str(self._scratch / "pip")}  # unless set: a cache in HOME would be kept
        return {**cache, **environment, **dict(self._spec.variables), **own}

    async def _call_uv(self, arguments: Sequence[str]) -> Outcome:
        return await self._uv(
            *arguments, cwd=self._scratch, mark=self.mark, on_line=self._on_line, timeout_s=_INSTALL_S
        )


async def _to_its_end(write: Callable[P, None], *args: P.args, **named: P.kwargs) -> None:
    """In a thread that is over when this is, cancelled too: whoever removes the folder then is alone."""
    work = asyncio.ensure_future(asyncio.to_thread(write, *args, **named))
    try:
        await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait([work])
        raise


async def copy_artifacts(artifacts: Sequence[tuple[str, str]], blobs: Blobs, folder: Path) -> None:
    """Puts local wheels where a lock names them: ``SHA256/NAME`` in the folder."""
    for digest, name in artifacts:
        blob = await local(blobs, digest, name)
        target = folder / digest / name
        target.parent.mkdir(exist_ok=True)
        await asyncio.to_thread(shutil.copyfile, blob, target)


def _check(outcome: Outcome, what: str) -> None:
    if outcome.timed_out:
        raise BuildFailed(f"{what}: it took longer than an hour.")
    if outcome.code != 0:
        raise BuildFailed(f"{what} (exit status {outcome.code}):\n" + "\n".join(outcome.tail))


def _close_home(home: Path) -> None:
    """Instances are shown links to large files, so these must not be written to; an empty home goes."""
    for folder, _, names in os.walk(home):
        for path in (Path(folder, name) for name in names):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode & ~0o222)
    with contextlib.suppress(OSError):
        home.rmdir()


def _packages(folder: Path) -> tuple[str, ...]:
    """The pins of an environment; none where it is not whole."""
    try:
        return msgspec.json.decode((folder / _MARKER).read_bytes(), type=EnvironmentSpec).lock
    except (OSError, msgspec.MsgspecError):
        return ()


def _finish(folder: Path, spec: EnvironmentSpec) -> None:
    partial = folder / f"{_MARKER}.partial"
    partial.write_bytes(msgspec.json.encode(spec))
    partial.replace(folder / _MARKER)


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
