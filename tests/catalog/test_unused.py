"""Which checkpoints the sweep removes, and that no version or build loses its own."""

import os
import time
from pathlib import Path

import pytest

from stoker.core.errors import BuildFailed
from stoker.packaging.checkpoints.shelf import GIVEN_UP_S
from tests.catalog.depot import Depot, play
from tests.catalog.weights import checkpoint

HOUR_S = 3600.0


def age(path: Path, seconds: float) -> None:
    """Makes it look as if it had last been touched so long ago."""
    then = time.time() - seconds
    os.utime(path, (then, then))


def manifest(depot: Depot, id: str) -> Path:
    return depot.folder / "checkpoints" / id / "manifest.json"


def test_what_no_version_names_goes_when_nobody_asks_for_it(tmp_path: Path) -> None:
    async def story(depot: Depot) -> None:
        named = await depot.got(checkpoint(tmp_path / "named", factor=1))
        young = await depot.got(checkpoint(tmp_path / "young", factor=2))
        held = await depot.got(checkpoint(tmp_path / "held", factor=3))
        unused = await depot.got(checkpoint(tmp_path / "unused", factor=4))
        for one in (named, held, unused):
            age(manifest(depot, one.id), 2 * HOUR_S)
        with depot.shelf.held(held.id):
            assert await depot.shelf.remove_unused({named.id}, older_than_s=HOUR_S) == 1
        assert {one.id for one in await depot.shelf.all()} == {named.id, young.id, held.id}
        with pytest.raises(
            BuildFailed, match=f"checkpoint {unused.id[:12]}.* are not on this server any more"
        ):
            await depot.shelf.place(unused.id)
        assert (tmp_path / "unused" / "model.safetensors").is_file()
        await depot.shelf.place(held.id)  # whoever asks makes it young again
        assert await depot.shelf.remove_unused({named.id}, older_than_s=HOUR_S) == 0

    play(tmp_path / "data", story)


def test_half_a_fetch_is_kept_for_a_week(tmp_path: Path) -> None:
    async def story(depot: Depot) -> None:
        half = depot.shelf.incoming / "half" / "unet"
        half.mkdir(parents=True)
        (half / "model.safetensors.part").write_bytes(b"some")
        for path in (half.parent, half):
            age(path, 2 * GIVEN_UP_S)
        await depot.shelf.remove_unused(set(), older_than_s=HOUR_S)
        assert half.exists()
        age(half / "model.safetensors.part", 2 * GIVEN_UP_S)
        with depot.shelf.held("half"):
            await depot.shelf.remove_unused(set(), older_than_s=HOUR_S)
            assert half.exists()
        await depot.shelf.remove_unused(set(), older_than_s=HOUR_S)
        assert not list(depot.shelf.incoming.iterdir())

    play(tmp_path / "data", story)
