"""Resolves what a project wants into pins for every package: one call of the resolver, ours and theirs.

Called by ``resolutions``, which remembers the answer. The user's packages and the SDK are resolved together,
so that a conflict is reported instead of one of them being replaced silently.
"""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from stoker.core.errors import BuildFailed
from stoker.packaging.commands import Outcome
from stoker.packaging.environments.pipsettings import local_wheel_folders
from stoker.packaging.environments.requirements import Requirements
from stoker.packaging.environments.torch import CPU, brings_cuda, cpu_constraints
from stoker.packaging.environments.uv import OnLine, Uv

SDK_VERSION = "0.23.1"
"""The release of ``cog`` that the worker is written against."""

_RESOLVE_S = 600.0


class Lock(msgspec.Struct, frozen=True):
    lines: tuple[str, ...]
    torch_backend: str | None = None
    warnings: tuple[str, ...] = ()


class Resolver:
    """Resolves in ``folder``, which holds the project's local artifacts as ``SHA256/NAME``."""

    def __init__(self, uv: Uv, folder: Path, python: Path, *, mark: str, on_line: OnLine):
        self._uv = uv
        self._folder = folder
        self._python = python
        self._mark = mark
        self._on_line = on_line

    async def resolve(
        self, wanted: Requirements, *, version: tuple[int, int], gpu: bool, overrides: str, with_pip: bool
    ) -> Lock:
        """The pins; raises ``BuildFailed`` with the resolver's words where there are none."""
        self._write(wanted, overrides, with_pip)
        constraints = [] if gpu else self._cpu_constraints(wanted, version)
        if constraints and (lines := await self._try(wanted, constraints)) is not None:
            return Lock(lines)
        outcome = await self._compile(wanted, ())
        if outcome.code != 0:
            raise BuildFailed(_why(outcome))
        lines = self._read(wanted)
        if gpu or not brings_cuda(lines):
            return Lock(lines)
        return await self._for_cpu(wanted, lines)

    async def _for_cpu(self, wanted: Requirements, plain: tuple[str, ...]) -> Lock:
        self._on_line("Looking for a CPU build of PyTorch.")
        lines = await self._try(wanted, (), torch_backend=CPU)
        if lines is not None:
            return Lock(lines, CPU)
        return Lock(
            plain,
            warnings=(
                "No CPU build of PyTorch that fits was found: the CUDA build and its libraries "
                "(gigabytes) are installed.",
            ),
        )

    async def _try(
        self, wanted: Requirements, constraints: Sequence[str], *, torch_backend: str | None = None
    ) -> tuple[str, ...] | None:
        """Pins under conditions that are ours and not the author's; None where they cannot be met."""
        outcome = await self._compile(wanted, constraints, torch_backend=torch_backend, quiet=True)
        return self._read(wanted) if outcome.code == 0 else None

    async def _compile(
        self,
        wanted: Requirements,
        constraints: Sequence[str],
        *,
        torch_backend: str | None = None,
        quiet: bool = False,
    ) -> Outcome:
        (self._folder / "constraints.txt").write_text("\n".join(constraints))
        (self._folder / "lock.txt").unlink(missing_ok=True)
        options = ["--constraint=constraints.txt", "--override=overrides.txt"]
        options += [f"--torch-backend={torch_backend}"] if torch_backend else []
        options += ["--generate-hashes"] if wanted.hashed else []
        return await self._uv(
            "pip",
            "compile",
            "requirements.in",
            "--output-file=lock.txt",
            f"--python={self._python}",
            "--no-header",
            "--no-annotate",
            "--quiet",
            *options,
            cwd=self._folder,
            mark=self._mark,
            on_line=None if quiet else self._on_line,
            timeout_s=_RESOLVE_S,
            variables={"UV_HTTP_RETRIES": "0"} if torch_backend else {},
        )

    def _write(self, wanted: Requirements, overrides: str, with_pip: bool) -> None:
        ours = [f"cog=={SDK_VERSION}", *(["pip"] if with_pip else [])]
        lines = [*wanted.options, *wanted.lines, *ours]
        (self._folder / "requirements.in").write_text("\n".join(lines) + "\n")
        (self._folder / "overrides.txt").write_text(overrides)

    def _read(self, wanted: Requirements) -> tuple[str, ...]:
        lines = (self._folder / "lock.txt").read_text().splitlines()
        return (*wanted.options, *(line for line in lines if line.strip()))

    def _cpu_constraints(self, wanted: Requirements, version: tuple[int, int]) -> list[str]:
        folders = local_wheel_folders(self._uv.variables)
        wheels = [wheel.name for folder in folders for wheel in folder.glob("*.whl")]
        return cpu_constraints(wheels, wanted.lines, version)


def _why(outcome: Outcome) -> str:
    if outcome.timed_out:
        return "Resolving the Python packages took longer than ten minutes."
    return "The Python packages cannot be resolved:\n" + "\n".join(outcome.tail)
