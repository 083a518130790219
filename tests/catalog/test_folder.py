"""Weights from a folder of the server's machine: linked and not copied, checked, and watched for changes."""

import os
from pathlib import Path

import pytest

from stoker.core.checkpoints import Wanted
from stoker.core.errors import BuildFailed, Invalid
from tests.catalog.depot import Depot, play
from tests.catalog.weights import checkpoint, safetensors, write_safetensors

WEIGHTS = "model.safetensors"


def test_the_bytes_are_there_once_and_outlive_the_folder(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path / "weights")
    (folder / "pytorch_model.bin").write_bytes(b"pickled")
    inode = (folder / WEIGHTS).stat().st_ino

    async def story(depot: Depot) -> None:
        got = await depot.got(folder)
        assert {file.path for file in got.files} == {"config.json", WEIGHTS}
        assert ((await depot.shelf.place(got.id)) / WEIGHTS).stat().st_ino == inode
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()
        assert ((await depot.shelf.place(got.id)) / WEIGHTS).stat().st_ino == inode

    play(tmp_path / "data", story)


def test_links_in_the_folder_are_followed_to_their_files(tmp_path: Path) -> None:
    """A hub's own cache has nothing but links in its snapshots."""
    real, folder = checkpoint(tmp_path / "blobs"), tmp_path / "snapshot"
    folder.mkdir()
    for file in real.iterdir():
        (folder / file.name).symlink_to(os.path.relpath(file, folder))

    async def story(depot: Depot) -> None:
        place = await depot.shelf.place((await depot.got(folder)).id)
        assert (place / WEIGHTS).stat().st_ino == (real / WEIGHTS).stat().st_ino
        assert not (place / WEIGHTS).is_symlink()

    play(tmp_path / "data", story)


def test_another_file_system_is_linked_to_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = checkpoint(tmp_path / "weights")

    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)

    async def story(depot: Depot) -> None:
        got = await depot.got(folder)
        assert ((await depot.shelf.place(got.id)) / WEIGHTS).readlink() == folder / WEIGHTS
        (folder / WEIGHTS).unlink()
        with pytest.raises(BuildFailed, match=f"{WEIGHTS} of the weights from .* was changed or removed"):
            await depot.shelf.place(got.id)

    play(tmp_path / "data", story)


def test_a_file_that_changes_in_place_is_found_and_added_anew(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path / "weights", factor=3)

    async def story(depot: Depot) -> None:
        before = await depot.got(folder)
        write_safetensors(folder / WEIGHTS, {"factor": [4]})
        with pytest.raises(BuildFailed, match="changed or removed since they were added"):
            await depot.shelf.place(before.id)
        after = await depot.got(folder)
        assert after.id != before.id
        await depot.shelf.place(after.id)
        write_safetensors(folder / WEIGHTS, {"factor": [3]})  # the same bytes as at first, at another time
        assert (await depot.got(folder)).id == before.id
        await depot.shelf.place(before.id)

    play(tmp_path / "data", story)


def test_a_folder_that_is_as_it_was_is_not_read_again(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path / "weights")

    async def story(depot: Depot) -> None:
        first = await depot.got(folder)
        again = await depot.fetch(folder)
        assert (again.checkpoint, again.cached, again.total_bytes) == (first.id, True, None)

    play(tmp_path / "data", story)


def test_the_same_weights_from_two_folders_are_one_checkpoint(tmp_path: Path) -> None:
    async def story(depot: Depot) -> None:
        one = await depot.got(checkpoint(tmp_path / "one"))
        two = await depot.fetch(checkpoint(tmp_path / "two"))
        assert (two.checkpoint, two.cached) == (one.id, True)
        assert [kept.id for kept in await depot.shelf.all()] == [one.id]
        assert not list(depot.shelf.incoming.iterdir())

    play(tmp_path / "data", story)


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (Wanted(source="/nowhere/at/all"), "There is no folder /nowhere/at/all on the server's machine"),
        (Wanted(source="relative"), "neither a model of the hub"),
        (Wanted(source="../../etc"), "neither a model of the hub"),
        (Wanted(source="/", revision="main"), "A folder has no revisions"),
    ],
)
def test_what_cannot_be_a_source(tmp_path: Path, wanted: Wanted, words: str) -> None:
    async def story(depot: Depot) -> None:
        with pytest.raises(Invalid, match=words):
            await depot.fetches.start(wanted)

    play(tmp_path / "data", story)


def test_what_a_hubs_own_tools_keep_is_known_and_its_snapshot_named(tmp_path: Path) -> None:
    cache = tmp_path / "models--acme--scale"
    (cache / "blobs").mkdir(parents=True)
    older, newer = (checkpoint(cache / "snapshots" / name) for name in ("a" * 40, "b" * 40))
    os.utime(older, (1, 1))

    async def story(depot: Depot) -> None:
        with pytest.raises(Invalid, match=f"The weights are in {newer}"):
            await depot.fetches.start(Wanted(source=str(cache)))
        await depot.got(newer)

    play(tmp_path / "data", story)


def test_a_folder_without_weights(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    async def story(depot: Depot) -> None:
        assert "has no weights" in await depot.refused(tmp_path / "empty")
        (tmp_path / "empty" / "model.pt").write_bytes(b"pickled")
        assert "only model.pt" in await depot.refused(tmp_path / "empty")

    play(tmp_path / "data", story)


WHOLE = safetensors({"a": [1, 2], "b": [3]})
INDEX = b'{"weight_map": {"a": "model.safetensors", "c": "%s"}}'


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({WEIGHTS: WHOLE[:-1]}, "was cut off"),
        ({WEIGHTS: WHOLE + b"x"}, "has 25 bytes of weights where its header tells of 24"),
        ({WEIGHTS: WHOLE[:20]}, "was cut off"),
        ({WEIGHTS: b""}, "was cut off"),
        ({WEIGHTS: b"\xff" * 40}, "not a safetensors file"),
        ({WEIGHTS: (10).to_bytes(8, "little") + b"not a JSON"}, "no header that can be read"),
        ({WEIGHTS: WHOLE.replace(b'"shape": [2]', b'"shape": [9]')}, "the tensor a is not where"),
        ({WEIGHTS: WHOLE.replace(b"[0, 16]", b"[8, 16]")}, "the tensor a is not where"),
        (
            {WEIGHTS: WHOLE, f"{WEIGHTS}.index.json": INDEX % b"b.safetensors"},
            "names b.safetensors, which is not",
        ),
        ({WEIGHTS: WHOLE, f"{WEIGHTS}.index.json": INDEX % WEIGHTS.encode()}, "has the tensor c in"),
        ({WEIGHTS: WHOLE, f"{WEIGHTS}.index.json": b"[]"}, "has no weight_map"),
    ],
)
def test_damaged_weights_never_become_a_checkpoint(
    tmp_path: Path, files: dict[str, bytes], words: str
) -> None:
    folder = tmp_path / "weights"
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)

    async def story(depot: Depot) -> None:
        assert words in await depot.refused(folder)
        assert not list(depot.shelf.incoming.iterdir())

    play(tmp_path / "data", story)


def test_weights_in_parts_with_an_index_and_a_pipeline_in_folders(tmp_path: Path) -> None:
    folder = tmp_path / "weights"
    (folder / "unet").mkdir(parents=True)
    (folder / "model_index.json").write_text("{}")
    write_safetensors(folder / "unet" / "one.safetensors", {"a": [1]})
    write_safetensors(folder / "unet" / "two.safetensors", {"b": [], "c": [2]})
    index = b'{"weight_map": {"a": "one.safetensors", "b": "two.safetensors", "c": "two.safetensors"}}'
    (folder / "unet" / "diffusion.safetensors.index.json").write_bytes(index)

    async def story(depot: Depot) -> None:
        place = await depot.shelf.place((await depot.got(folder)).id)
        assert (place / "unet" / "two.safetensors").is_file()

    play(tmp_path / "data", story)
