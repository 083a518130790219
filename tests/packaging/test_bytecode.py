"""What environments have in common is compiled by Python once."""

import asyncio
import compileall
import os
import py_compile
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from stoker.core.environments import EnvironmentSpec
from stoker.packaging.environments import bytecode
from tests.packaging.conftest import Play
from tests.packaging.yard import BUILD_S, ECHO_YAML, Yard, echo

WHERE = "def where():\n    return where.__code__.co_filename\n"
PACKAGES = "lib/python3.11/site-packages"


def environment(folder: Path) -> Path:
    """One with a package that Python has compiled."""
    package = folder / PACKAGES / "part"
    package.mkdir(parents=True)
    for name in ("__init__", "linked", "copied", "gone"):
        (package / f"{name}.py").write_text(WHERE)
    assert compileall.compile_dir(package, quiet=1)
    return package


def twin(folder: Path, below: str = "") -> Path:
    """Another environment with the same files as ``made``, where nothing is compiled."""
    made, new = (folder / name / below / PACKAGES / "part" for name in ("made", "new"))
    new.mkdir(parents=True)
    for source in made.glob("*.py"):
        os.link(source, new / source.name)
    return new


def compiled(package: Path, module: str) -> Path:
    return package / "__pycache__" / f"{module}.{sys.implementation.cache_tag}.pyc"


def test_what_is_the_same_file_is_compiled_already(tmp_path: Path) -> None:
    made, new = environment(tmp_path / "made"), tmp_path / "new" / PACKAGES / "part"
    rewritten = made / "__pycache__" / f"linked.{sys.implementation.cache_tag}-pytest-9.pyc"
    rewritten.write_bytes(b"what a library made of it on import")
    new.mkdir(parents=True)
    for name in ("__init__", "linked"):
        os.link(made / f"{name}.py", new / f"{name}.py")
    shutil.copy2(made / "copied.py", new / "copied.py")
    assert bytecode.share(tmp_path / "made", tmp_path / "new") == 2
    assert {path.name for path in (new / "__pycache__").iterdir()} == {
        compiled(new, name).name for name in ("__init__", "linked")
    }
    assert bytecode.share(tmp_path / "made", tmp_path / "new") == 0

    code = "import part.linked; print(part.linked.where())"
    done = subprocess.run(
        [sys.executable, "-v", "-c", code],
        env={"PYTHONPATH": str(new.parent), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"{compiled(new, 'linked')} matches {new}/linked.py" in done.stderr
    assert done.stdout.strip() == f"{new}/linked.py", (
        "errors name the file of the environment that they happen in"
    )


@pytest.mark.parametrize(
    "mode", [py_compile.PycInvalidationMode.CHECKED_HASH, py_compile.PycInvalidationMode.UNCHECKED_HASH]
)
def test_what_names_a_hash_of_its_source_is_not_shared(
    tmp_path: Path, mode: py_compile.PycInvalidationMode
) -> None:
    made, new = environment(tmp_path / "made"), twin(tmp_path)
    py_compile.compile(str(made / "linked.py"), invalidation_mode=mode)
    compiled(made, "copied").write_bytes(b"cut")
    compiled(made, "gone").unlink()
    compiled(made, "gone").symlink_to(compiled(made, "__init__"))
    assert bytecode.share(tmp_path / "made", tmp_path / "new") == 1
    assert list((new / "__pycache__").iterdir()) == [compiled(new, "__init__")]


def test_a_file_that_is_patched_afterwards_is_compiled_anew(tmp_path: Path) -> None:
    environment(tmp_path / "made")
    new = twin(tmp_path)
    assert bytecode.share(tmp_path / "made", tmp_path / "new") == 4
    (new / "linked.py").unlink()
    (new / "linked.py").write_text("def where():\n    return 'in what was patched'\n")
    code = "import part.linked; print(part.linked.where())"
    environ = {"PYTHONPATH": str(new.parent)}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True)
    assert done.stdout.strip() == "in what was patched", done.stderr


@pytest.mark.parametrize(("gone", "shared"), [("__pycache__", 4), ("linked", 7)])
def test_what_is_removed_meanwhile_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gone: str, shared: int
) -> None:
    made = environment(tmp_path / "made")
    environment(tmp_path / "made" / "other")
    for below in ("", "other"):
        twin(tmp_path, below)
    going = made / gone if gone == "__pycache__" else compiled(made, gone)
    listed = Path.iterdir

    def iterdir(folder: Path) -> Iterator[Path]:
        """The moment is the worst: the folder was seen, or what is in it was."""
        if going == folder:
            shutil.rmtree(going)
        found = list(listed(folder))
        if going in found:
            going.unlink()
        return iter(found)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    assert bytecode.share(tmp_path / "made", tmp_path / "new") == shared
    assert not going.exists()


def test_a_folder_without_anything_in_common_stays_as_it_is(tmp_path: Path) -> None:
    environment(tmp_path / "made")
    other = tmp_path / "new" / PACKAGES / "part"
    other.mkdir(parents=True)
    (other / "linked.py").write_text(WHERE)
    assert bytecode.share(tmp_path / "made", tmp_path / "new") == 0
    assert bytecode.share(tmp_path / "removed meanwhile", tmp_path / "new") == 0
    assert [path.name for path in other.iterdir()] == ["linked.py"]


def test_a_new_environment_takes_what_another_has_compiled(play: Play) -> None:
    async def story(yard: Yard) -> None:
        first = await yard.version(await yard.push(echo()))
        commands = ECHO_YAML.replace("run: run.py", "  run:\n    - echo > /dev/null\nrun: run.py")
        second = await yard.version(await yard.push(echo(yaml=commands)))
        assert first.recipe.environment != second.recipe.environment
        folders = [
            yard.folder / "environments" / str(version.recipe.environment) / PACKAGES
            for version in (first, second)
        ]
        ours, theirs = (
            {path.relative_to(folder) for path in folder.glob("cog/__pycache__/*")} for folder in folders
        )
        assert ours and ours <= theirs
        for path in ours:
            assert (folders[0] / path).samefile(folders[1] / path)

    play(story)


def test_a_build_that_is_cancelled_meanwhile_leaves_no_folder(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    sharing, go_on, over = threading.Event(), threading.Event(), threading.Event()
    stood: list[bool] = []
    share = bytecode.share

    def held(made: Path, new: Path) -> int:
        sharing.set()
        assert go_on.wait(BUILD_S)
        stood.append(new.is_dir())
        try:
            return share(made, new)
        finally:
            over.set()

    async def story(yard: Yard) -> None:
        first = (
            yard.folder
            / "environments"
            / str((await yard.version(await yard.push(echo()))).recipe.environment)
        )
        spec = msgspec.json.decode((first / "stoker.json").read_bytes(), type=EnvironmentSpec)
        other = msgspec.structs.replace(spec, commands=("true",))
        # One thread shares and one is left, so what is asked of it is done in turn.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(max_workers=2))
        monkeypatch.setattr(bytecode, "share", held)
        making = asyncio.create_task(yard.environments.ensure(other, on_line=print))
        assert await asyncio.to_thread(sharing.wait, BUILD_S)
        making.cancel()
        for _ in range(20):  # turns for the cancellation to get through, and for a removal to be over
            await asyncio.to_thread(lambda: None)
        go_on.set()
        await asyncio.wait([making])
        assert await asyncio.to_thread(over.wait, BUILD_S)
        assert stood == [True], "the folder goes when nobody writes to it any more"
        assert making.cancelled()
        assert list(first.parent.iterdir()) == [first]

    play(story)
