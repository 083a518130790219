"""Where versions run from: made once, made again where it was lost, never half there."""

import asyncio
import os
import shutil
import time
from pathlib import Path

import msgspec
import pytest

from stoker.core.catalog import SourceFile
from stoker.core.errors import BuildFailed
from stoker.packaging.source import write_tree
from tests.packaging.conftest import Play
from tests.packaging.yard import ECHO_YAML, Yard, echo, until


def test_what_was_lost_is_made_again_the_same(play: Play) -> None:
    async def story(yard: Yard) -> None:
        version = await yard.version(await yard.push(echo()))
        first = await yard.workspace.place(version)
        shutil.rmtree(first.python.parent.parent)
        shutil.rmtree(first.source)
        places = await asyncio.gather(*(yard.workspace.place(version) for _ in range(3)))
        assert places == [first] * 3
        assert first.python.exists()
        assert (first.source / "run.py").exists()

    play(story)


def test_an_environment_without_its_marker_is_not_one(play: Play) -> None:
    async def story(yard: Yard) -> None:
        version = await yard.version(await yard.push(echo()))
        place = await yard.workspace.place(version)
        (place.python.parent.parent / "stoker.json").unlink()
        (place.python.parent.parent / "stray").touch()
        again = await yard.workspace.place(version)
        assert not (again.python.parent.parent / "stray").exists()

    play(story)


def test_unused_environments_go_and_used_ones_stay(play: Play) -> None:
    async def story(yard: Yard) -> None:
        version = await yard.version(await yard.push(echo()))
        id = version.recipe.environment
        assert await yard.environments.remove_unused({id}, older_than_s=-1) == 0
        assert await yard.environments.remove_unused(set(), older_than_s=3600) == 0
        assert await yard.environments.remove_unused(set(), older_than_s=-1) == 1
        assert not yard.environments.is_ready(id)

    play(story)


def age(path: Path, hours: float) -> None:
    then = time.time() - hours * 3600
    os.utime(path, (then, then))


def test_a_sweep_removes_what_no_version_needs_when_it_is_old(play: Play) -> None:
    async def story(yard: Yard) -> None:
        version = await yard.version(await yard.push(echo()))
        place = await yard.workspace.place(version)
        marker = place.python.parent.parent / "stoker.json"
        age(place.source, 2)
        age(marker, 2)
        kept = {version.id}, {version.recipe.environment}
        assert await yard.workspace.sweep(*kept, set(), environment_keep_s=3600) == 0
        assert await yard.workspace.sweep(set(), set(), set(), environment_keep_s=3 * 3600) == 1
        assert not place.source.exists()
        assert marker.exists()
        age(marker, 4)
        assert await yard.workspace.sweep(set(), set(), set(), environment_keep_s=3 * 3600) == 1
        assert not marker.parent.exists()
        assert not any((yard.folder / "scratch").iterdir())
        assert await yard.workspace.place(version) == place

    play(story)


def test_a_sweep_leaves_what_was_just_asked_for(play: Play) -> None:
    """As a build does, which nothing refers to until its version is kept."""

    async def story(yard: Yard) -> None:
        version = await yard.version(await yard.push(echo()))
        place = await yard.workspace.place(version)
        age(place.source, 24 * 30)
        age(place.python.parent.parent / "stoker.json", 24 * 30)
        assert await yard.workspace.place(version) == place
        assert await yard.workspace.sweep(set(), set(), set(), environment_keep_s=0) == 0
        assert place.source.exists()

    play(story)


def test_a_sweep_leaves_what_a_build_is_making(play: Play) -> None:
    yaml = ECHO_YAML.replace("run:", "  run: ['echo wait$((271828 + 1)); sleep 600']\nrun:")

    async def story(yard: Yard) -> None:
        live = await yard.start(echo(yaml))
        await until(live, "wait271829")
        (making,) = yard.folder.glob("environments/*")
        assert await yard.workspace.sweep(set(), set(), set(), environment_keep_s=0) == 0
        assert making.exists()
        assert not live.is_over

    play(story)


def test_what_commands_left_at_home_is_read_only_and_known(play: Play) -> None:
    yaml = ECHO_YAML.replace("run:", "  run: ['mkdir ~/.cache; echo hi > ~/.cache/words']\nrun:")

    async def story(yard: Yard) -> None:
        plain = await yard.workspace.place(await yard.version(await yard.push(echo())))
        assert plain.home is None
        place = await yard.workspace.place(await yard.version(await yard.push(echo(yaml))))
        assert place.home is not None
        assert (place.home / ".cache" / "words").read_text() == "hi\n"
        assert (place.home / ".cache" / "words").stat().st_mode & 0o222 == 0

    play(story)


def test_a_version_for_another_platform_says_so(play: Play) -> None:
    async def story(yard: Yard) -> None:
        version = await yard.version(await yard.push(echo()))
        spec = version.recipe.environment_spec
        assert spec is not None
        other = msgspec.structs.replace(spec, platform="plan9-vax")
        recipe = msgspec.structs.replace(version.recipe, environment_spec=other)
        with pytest.raises(BuildFailed, match="plan9-vax"):
            await yard.workspace.place(msgspec.structs.replace(version, recipe=recipe))

    play(story)


def test_a_lost_source_file_is_an_error_and_leaves_no_tree(play: Play) -> None:
    async def story(yard: Yard) -> None:
        version = await yard.version(await yard.push(echo()))
        place = await yard.workspace.place(version)
        shutil.rmtree(place.source)
        (await yard.blobs.local(version.source[0].sha256)).unlink()
        with pytest.raises(BuildFailed, match="is gone"):
            await yard.workspace.place(version)
        assert not place.source.exists()

    play(story)


def test_large_files_are_linked_and_all_are_read_only(play: Play) -> None:
    async def story(yard: Yard) -> None:
        large = b"w" * (5 * 1024 * 1024)
        files = await yard.files({"w.bin": large, "a/small.txt": "s"})
        files.append(SourceFile("tool.sh", files[1].sha256, 1, executable=True))
        folder = yard.folder / "tree"
        folder.mkdir()
        await write_tree(files, yard.blobs, folder)
        blob = await yard.blobs.local(files[0].sha256)
        assert (folder / "w.bin").samefile(blob)
        assert not (folder / "a/small.txt").samefile(await yard.blobs.local(files[1].sha256))
        modes = {path.name: path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_file()}
        assert modes == {"w.bin": 0o444, "small.txt": 0o444, "tool.sh": 0o555}

    play(story)


def test_a_file_of_another_size_than_announced_is_refused(play: Play) -> None:
    async def story(yard: Yard) -> None:
        files = [msgspec.structs.replace(file, size_bytes=1) for file in await yard.files({"a": "three"})]
        folder = yard.folder / "tree"
        folder.mkdir()
        with pytest.raises(BuildFailed, match="5 bytes, not the 1"):
            await write_tree(files, yard.blobs, folder)

    play(story)
