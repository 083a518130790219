"""Adapters that are in form and yet harmful: whoever else the process serves must not notice."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.catalog.conftest import Tiny
from tests.catalog.things import Lab


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    lab = Lab("llama", "llama_wild_lab", tmp_path_factory.mktemp("lab") / "log")
    yield lab
    lab.close()


@pytest.fixture(scope="module")
def checkpoint(tiny: Tiny) -> str:
    return str(tiny("llama"))


@pytest.mark.parametrize(
    ("strength", "targets"),
    [
        pytest.param(1e20, None, id="infinite beside all layers"),
        pytest.param(1e20, ["down_proj"], id="infinite beside one, so in what the base makes of it"),
        pytest.param(1e17, ["k_proj"], id="large keys"),
        pytest.param(1e17, ["v_proj"], id="large values"),
    ],
)
def test_what_overflows_is_its_own_request_s(
    lab: Lab, checkpoint: str, tmp_path: Path, strength: float, targets: list[str] | None
) -> None:
    found = lab("neighbours", checkpoint=checkpoint, folder=str(tmp_path), strength=strength, targets=targets)
    assert found["together"] == found["alone"]
    if strength == 1e20:
        assert found["wild"] == "The adapter cannot be used: its numbers are so large that they overflow."


def test_a_tar_is_read_no_further_than_it_may_be_long(lab: Lab, tmp_path: Path) -> None:
    said = lab("bombs", folder=str(tmp_path))
    assert len(said) == 16
    for claim, words in said.items():
        assert words.startswith("The adapter is too large: "), claim
        assert (
            "adapter_config.json has more" in words if "config" in claim else "its tar has more" in words
        ), claim


def test_packed_adapters_are_read_and_broken_ones_refused(lab: Lab, checkpoint: str, tmp_path: Path) -> None:
    assert lab("packed", checkpoint=checkpoint, folder=str(tmp_path)) == [True] * 9


def test_where_there_is_no_place_at_all_that_is_said(lab: Lab, checkpoint: str, tmp_path: Path) -> None:
    weights = tmp_path / "any.tar"
    weights.write_bytes(b"any")
    assert lab("refused", checkpoint=checkpoint, weights=[str(weights)], most=0) == [
        "This model is to serve no adapters: LLAMA_ADAPTERS is 0."
    ]
