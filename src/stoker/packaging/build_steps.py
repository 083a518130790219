"""One build, from the files that were pushed to a version that can run: source, environment, schema, version.

Called by ``builder``, which owns the task and turns errors into the end of the build.
"""

import asyncio
import posixpath
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from stoker.core.builds import Order
from stoker.core.catalog import Recipe, SourceFile, Version, version_id
from stoker.core.checkpoints import CHECKPOINT_VARIABLE
from stoker.core.environments import EnvironmentSpec
from stoker.core.errors import BuildFailed, ConfigInvalid
from stoker.core.ignore import CONFIG_FILE
from stoker.packaging.checkpoints.shelf import Shelf
from stoker.packaging.cogyaml.config import Config
from stoker.packaging.cogyaml.reader import read_config
from stoker.packaging.cogyaml.weights import place_weights
from stoker.packaging.environments.environment import Environments, copy_artifacts
from stoker.packaging.environments.lock import SDK_VERSION
from stoker.packaging.environments.requirements import Requirements, read_requirements
from stoker.packaging.live_build import LiveBuild
from stoker.packaging.machine import Machine
from stoker.packaging.readmes import new_readme
from stoker.packaging.schema import Described, describe
from stoker.packaging.source import READY_SCHEMA, local, write_tree
from stoker.packaging.workspace import LocalWorkspace
from stoker.ports.blobs import Blobs
from stoker.ports.clock import Clock
from stoker.ports.store import Store

_CODE_LIMIT_BYTES = 1024 * 1024
_CONFIG_LIMIT_BYTES = 1024 * 1024
_README_LIMIT_BYTES = 1024 * 1024


class Tools(msgspec.Struct, frozen=True, kw_only=True):
    """What every build of a server works with."""

    store: Store
    blobs: Blobs
    clock: Clock
    environments: Environments
    workspace: LocalWorkspace
    shelf: Shelf
    machine: Machine


class Building:
    """``scratch`` is a folder of its own; the builder removes it."""

    def __init__(
        self,
        live: LiveBuild,
        files: Sequence[SourceFile],
        order: Order,
        *,
        tools: Tools,
        scratch: Path,
    ):
        self._live = live
        self._pushed = {file.path: file for file in sorted(files)}
        self._order = order
        self._tools = tools
        self._scratch = scratch
        self._mark = f"{tools.environments.mark}{live.seen.id}"

    async def run(self) -> tuple[str, bool]:
        """The version's id, and whether the model had it. Raises ``BuildFailed``."""
        with self._tools.shelf.held(self._order.checkpoint):
            return await self._run()

    async def _run(self) -> tuple[str, bool]:
        config, requirements = await self._read_source()
        spec, python = await self._make_environment(config, requirements)
        id = version_id(self._pushed.values(), spec.id, self._order.checkpoint)
        known = await self._tools.store.versions.get(id)
        if known is not None and known.imported_from is not None:
            known = None
        described = _of(known) if known else await self._describe(config, python, spec)
        self._live.progress("version", f"Keeping version {id[:12]}.")
        version = self._version(id, config, spec, described)
        await self._tools.workspace.place(version)
        readme = await new_readme(self._tools.store, version.model, self._pushed.values())
        about = await self._readme_text(readme) if readme else None
        is_new = await self._tools.store.versions.create(version)
        if about is not None:
            owner, _, name = version.model.partition("/")
            await self._tools.store.models.update(owner, name, readme=about)
        return id, not is_new

    # -- source ------------------------------------------------------------------------------------

    async def _read_source(self) -> tuple[Config, Requirements]:
        self._live.progress("source", "Reading cog.yaml.")
        text = await self._text(CONFIG_FILE, limit_bytes=_CONFIG_LIMIT_BYTES)
        config = read_config(text, sdk_version=SDK_VERSION)
        for note in config.notes:
            self._live.log(note)
        requirements = await self._requirements(config)
        self._check_references(config)
        warnings = [*config.warnings, *requirements.warnings, *await self._warnings_of_machine(config)]
        config = msgspec.structs.replace(config, gpu=config.gpu or self._order.gpu)
        self._warn(*warnings, *await self._warnings_of_code())
        return config, requirements

    async def _requirements(self, config: Config) -> Requirements:
        if config.requirements is None:
            place = "python_packages in cog.yaml"
            return read_requirements(config.packages, folder="", files=self._pushed, place=place)
        path = self._inside(config.requirements, "python_requirements")
        lines = (await self._text(path, limit_bytes=_CONFIG_LIMIT_BYTES)).splitlines()
        return read_requirements(lines, folder=posixpath.dirname(path), files=self._pushed, place=path)

    def _check_references(self, config: Config) -> None:
        for key, reference in (("run", config.predict), ("train", config.train)):
            if reference is not None:
                self._inside(reference.partition(":")[0], key)

    def _inside(self, path: str, key: str) -> str:
        normal = posixpath.normpath(path)
        if normal in self._pushed:
            return normal
        raise ConfigInvalid(
            f"cog.yaml: {key}: the file {path} does not exist in what was pushed (is it outside the project, "
            f"or left out by .dockerignore or .cogignore?)"
        )

    async def _warnings_of_machine(self, config: Config) -> list[str]:
        machine = self._tools.machine
        if config.gpu:
            machine.check_gpu()
        for command in config.commands:
            if command.secrets:
                raise BuildFailed(
                    f"The command `{command.line}` mounts the secret {command.secrets[0].id!r}. Builds on "
                    f"this server have no secrets: fetch what the command needs before the push, and put it "
                    f"into the project."
                )
        warning = await asyncio.to_thread(machine.check_packages, config.system_packages)
        return [warning] if warning else []

    async def _warnings_of_code(self) -> list[str]:
        """Cog's images have the project at ``/src``, which does not exist here."""
        code = [
            (file.path, await local(self._tools.blobs, file.sha256, file.path))
            for file in self._pushed.values()
            if file.path.endswith(".py") and file.size_bytes <= _CODE_LIMIT_BYTES
        ]
        names = await asyncio.to_thread(_that_name_src, code)
        if not names:
            return []
        return [
            f'"/src/" in {", ".join(names[:5])}: there is no /src here; use paths relative to the project, '
            f"which is the model's working directory."
        ]

    # -- environment -------------------------------------------------------------------------------

    async def _make_environment(
        self, config: Config, requirements: Requirements
    ) -> tuple[EnvironmentSpec, Path]:
        self._live.progress("environment", "Preparing the environment.")
        environments, log = self._tools.environments, self._live.log
        choice = await environments.pythons.choose(config.python, mark=self._mark, on_line=log)
        self._warn(*[choice.warning] if choice.warning else [])
        folder = self._folder("resolve")
        await copy_artifacts(requirements.artifacts, self._tools.blobs, folder)
        overrides = await self._overrides(config)
        wanted = environments.resolutions.wanted(config, requirements, overrides, choice.version)
        spec, warnings = await environments.resolutions.resolve(
            wanted, choice, scratch=folder, mark=self._mark, on_line=log
        )
        self._warn(*warnings)
        return spec, await environments.ensure(spec, on_line=log)

    async def _overrides(self, config: Config) -> str:
        if config.overrides is None:
            return ""
        path = self._inside(config.overrides, "python_overrides")
        return await self._text(path, limit_bytes=_CONFIG_LIMIT_BYTES)

    # -- schema and version ------------------------------------------------------------------------

    async def _describe(self, config: Config, python: Path, spec: EnvironmentSpec) -> Described:
        self._live.progress("schema", "Importing the model for its schema.")
        if READY_SCHEMA in self._pushed:
            return await self._ready_schema(config)
        source = self._folder("source")
        await write_tree(self._source(config), self._tools.blobs, source)
        described = await describe(
            python,
            source=source,
            home=self._folder("home"),
            kept=self._tools.environments.home(spec.id),
            predict=config.predict,
            train=config.train,
            concurrency=config.concurrency,
            variables=config.variables | await self._place_checkpoint(),
            mark=self._mark,
            on_line=self._live.log,
        )
        for warning in described.warnings:
            if "deprecated" in warning:
                self._live.log(warning)
        self._warn(*(warning for warning in described.warnings if "deprecated" not in warning))
        return described

    async def _ready_schema(self, config: Config) -> Described:
        text = await self._text(READY_SCHEMA, limit_bytes=_CODE_LIMIT_BYTES)
        takes, gives = ("Input", "Output") if config.predict else ("TrainingInput", "TrainingOutput")
        try:
            schema = msgspec.json.decode(text, type=dict[str, Any])
            parts = schema["components"]["schemas"]
            if not isinstance(parts[takes], dict) or not isinstance(parts[gives], dict):
                raise TypeError
        except (msgspec.DecodeError, KeyError, TypeError):
            raise BuildFailed(f"The OpenAPI schema that was pushed has no {takes} and {gives}.") from None
        return Described(schema=schema, slots=config.concurrency or 1, cog_version=SDK_VERSION)

    async def _place_checkpoint(self) -> dict[str, str]:
        """As an instance has it: a module may look at the weights' configuration when it is imported."""
        if self._order.checkpoint is None:
            return {}
        return {CHECKPOINT_VARIABLE: str(await self._tools.shelf.place(self._order.checkpoint))}

    def _source(self, config: Config) -> list[SourceFile]:
        return place_weights(self._pushed.values(), config.weights)

    def _version(self, id: str, config: Config, spec: EnvironmentSpec, described: Described) -> Version:
        recipe = Recipe(
            environment=spec.id,
            environment_spec=spec,
            predict=config.predict,
            train=config.train,
            slots=described.slots,
            variables=config.variables,
            gpu=config.gpu,
            checkpoint=self._order.checkpoint,
            warnings=self._live.seen.warnings,
        )
        return Version(
            id=id,
            model=self._live.seen.model,
            created_us=self._tools.clock.now_us(),
            cog_version=described.cog_version,
            openapi_schema=described.schema,
            recipe=recipe,
            source=tuple(self._source(config)),
        )

    async def _readme_text(self, file: SourceFile) -> str | None:
        try:
            return await self._text(file.path, limit_bytes=_README_LIMIT_BYTES)
        except BuildFailed as error:
            self._live.log(f"The README is not shown: {error.message}")
            return None

    # -- small things ------------------------------------------------------------------------------

    def _warn(self, *messages: str) -> None:
        for message in messages:
            self._live.warn(message)
        if self._order.strict and messages:
            raise BuildFailed("The build is strict, and there were warnings:\n" + "\n".join(messages))

    async def _text(self, path: str, *, limit_bytes: int) -> str:
        blob = await local(self._tools.blobs, self._pushed[path].sha256, path)
        if blob.stat().st_size > limit_bytes:
            raise BuildFailed(f"{path} is larger than {limit_bytes} bytes.")
        try:
            return blob.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            raise BuildFailed(f"{path} is not text in UTF-8.") from None

    def _folder(self, name: str) -> Path:
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self._scratch))


def _that_name_src(code: Sequence[tuple[str, Path]]) -> list[str]:
    return [path for path, blob in code if b"/src/" in blob.read_bytes()]


def _of(version: Version) -> Described:
    """What an existing version was described as."""
    return Described(
        schema=version.openapi_schema, slots=version.recipe.slots, cog_version=version.cog_version
    )
