"""Fork servers with torch and transformers: a fork computes what it should, on its own number of threads."""

from pathlib import Path

import pytest

from tests.catalog.things import PYTHON
from tests.worker.workbench import Workbench, warm

MODEL = """
import os

import numpy
import torch
from transformers import AutoTokenizer, LlamaConfig


def run() -> dict:
    torch.manual_seed(7)
    product = torch.rand(600, 600) @ torch.rand(600, 600)
    torch.seed()
    return {
        "sum": float(product.double().sum()),
        "threads": torch.get_num_threads(),
        "running": len(os.listdir("/proc/self/task")),
        "config": LlamaConfig().model_type,
    }


def draw() -> list[float]:
    return [float(torch.rand(1)), float(numpy.random.rand()), float(numpy.random.default_rng().random())]
"""


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    assert PYTHON.exists(), "the tests need an environment with torch: make .venv/models/.installed"
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "predict.py").write_text(MODEL)
    bench = Workbench(tmp_path)
    bench.python = PYTHON
    return bench


@pytest.mark.parametrize("threads", [1, 2])
async def test_forks_compute_as_plain_processes_do(bench: Workbench, tmp_path: Path, threads: int) -> None:
    options = {"source": tmp_path / "source", "threads": threads}
    plain = await bench.start("predict.py:run", **options)
    expected = (await plain.succeed()).output
    await warm(bench.engine, bench.spec("predict.py:run", id="x", **options))
    assert not bench.engine.forks.refused
    for _ in range(6):
        forked = await bench.start("predict.py:run", **options)
        assert forked.instance.began == "forked"
        for _ in range(2):
            seen = (await forked.succeed()).output
            assert seen["sum"] == pytest.approx(expected["sum"], rel=1e-6)
            assert (seen["threads"], seen["config"]) == (threads, "llama")
            assert (seen["running"] > 2) == (threads > 1)  # besides the main thread, one watches the server


async def test_their_random_state_is_their_own(bench: Workbench, tmp_path: Path) -> None:
    options = {"source": tmp_path / "source"}
    await warm(bench.engine, bench.spec("predict.py:draw", id="x", **options))
    drawn = []
    for _ in range(3):
        forked = await bench.start("predict.py:draw", **options)
        assert forked.instance.began == "forked"
        drawn.append((await forked.succeed()).output)
    assert all(len({values[place] for values in drawn}) == 3 for place in range(3))
