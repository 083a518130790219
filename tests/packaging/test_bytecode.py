"""What environments have in common is compiled by Python once."""

import compileall
import os
import shutil
import subprocess
import sys
from pathlib import Path

from stoker.packaging.environments import bytecode
from tests.packaging.conftest import Play
from tests.packaging.yard import ECHO_YAML, Yard, echo

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
