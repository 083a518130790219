"""Yards to build in; packages are fetched once for all of them."""

import asyncio
import contextlib
import io
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from stoker.packaging.machine import Machine
from tests.packaging.yard import Yard

Play = Callable[..., None]
Story = Callable[[Yard], Awaitable[None]]


@pytest.fixture(scope="session")
def uv_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("uv-cache")


@pytest.fixture
def play(tmp_path: Path, uv_cache: Path) -> Play:
    """``play(story)``: runs the story in an event loop with a yard of its own, which ends with it."""

    def run(story: Story, *, machine: Machine | None = None) -> None:
        async def whole() -> None:
            async with _yard(tmp_path / "data", uv_cache, machine) as yard:
                await story(yard)

        asyncio.run(whole())

    return run


@contextlib.asynccontextmanager
async def _yard(folder: Path, cache: Path, machine: Machine | None) -> AsyncIterator[Yard]:
    yard = await Yard.open(folder, cache=cache, machine=machine)
    try:
        yield yard
    finally:
        await yard.close()


@pytest.fixture(scope="session")
def wheel() -> tuple[str, bytes]:
    """A wheel with one module, ``tiny_part``: its file name and content."""
    name = "tiny_part-1.0-py3-none-any.whl"
    info = "tiny_part-1.0.dist-info"
    files = {
        "tiny_part.py": "VALUE = 1\n",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: tiny-part\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,\n" for path in (*files, f"{info}/RECORD"))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, text in (*files.items(), (f"{info}/RECORD", record)):
            archive.writestr(zipfile.ZipInfo(path), text)
    return name, buffer.getvalue()
