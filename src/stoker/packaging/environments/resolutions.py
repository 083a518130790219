"""Remembers what requirements were resolved to, so that a push that changes only code asks no index.

Called by the builder. As with the layers of an image, the same lines keep the packages that they were first
resolved to until the lines change (or ``resolutions/`` in the data directory is removed).
"""

import hashlib
import os
import sysconfig
from pathlib import Path

import msgspec

from stoker.core.environments import EnvironmentSpec
from stoker.packaging.cogyaml.config import Config
from stoker.packaging.environments.lock import SDK_VERSION, Resolver
from stoker.packaging.environments.pythons import Choice
from stoker.packaging.environments.requirements import Requirements
from stoker.packaging.environments.uv import OnLine, Uv

PLATFORM = sysconfig.get_platform()


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What decides a resolution."""

    python: tuple[int, int]
    requirements: Requirements
    overrides: str = ""
    gpu: bool = False
    commands: tuple[str, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()
    platform: str = PLATFORM
    sdk: str = SDK_VERSION
    sources: tuple[tuple[str, str], ...] = ()
    """What uv is told about where packages come from."""

    @property
    def key(self) -> str:
        return hashlib.sha256(msgspec.json.encode(self, order="deterministic")).hexdigest()


class _Remembered(msgspec.Struct, frozen=True):
    spec: EnvironmentSpec
    warnings: tuple[str, ...]


class Resolutions:
    def __init__(self, data_dir: Path, uv: Uv):
        self._folder = data_dir / "resolutions"
        self._uv = uv

    def wanted(
        self, config: Config, requirements: Requirements, overrides: str, version: tuple[int, int]
    ) -> Wanted:
        """What a configuration asks for; commands see the variables, so only then do these count."""
        commands = tuple(command.line for command in config.commands)
        return Wanted(
            python=version,
            requirements=requirements,
            overrides=overrides,
            gpu=config.gpu,
            commands=commands,
            variables=tuple(sorted(config.variables.items())) if commands else (),
            sources=tuple(sorted(self._uv.variables.items())),
        )

    async def resolve(
        self, wanted: Wanted, choice: Choice, *, scratch: Path, mark: str, on_line: OnLine
    ) -> tuple[EnvironmentSpec, tuple[str, ...]]:
        """The environment for it, and warnings. ``scratch`` holds the artifacts and is written to."""
        path = self._folder / f"{wanted.key}.json"
        if path.exists():
            remembered = msgspec.json.decode(path.read_bytes(), type=_Remembered)
            return remembered.spec, remembered.warnings
        resolver = Resolver(self._uv, scratch, choice.python, mark=mark, on_line=on_line)
        lock = await resolver.resolve(
            wanted.requirements,
            version=wanted.python,
            gpu=wanted.gpu,
            overrides=wanted.overrides,
            with_pip=bool(wanted.commands),
        )
        spec = EnvironmentSpec(
            python=".".join(map(str, wanted.python)),
            platform=wanted.platform,
            lock=lock.lines,
            torch_backend=lock.torch_backend,
            artifacts=wanted.requirements.artifacts,
            commands=wanted.commands,
            variables=wanted.variables,
        )
        self._remember(path, _Remembered(spec, lock.warnings))
        return spec, lock.warnings

    def _remember(self, path: Path, resolution: _Remembered) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}")
        partial.write_bytes(msgspec.json.encode(resolution))
        partial.replace(path)
