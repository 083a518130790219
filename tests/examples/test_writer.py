"""The word model of the writer: what it learns is what it says."""

import importlib.util
import random
from itertools import islice
from pathlib import Path
from types import ModuleType

SOURCE = Path(__file__).parents[2] / "examples" / "writer" / "ngrams.py"


def ngrams() -> ModuleType:
    spec = importlib.util.spec_from_file_location("writer_ngrams", SOURCE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write(text: str, prompt: str, seed: int, count: int) -> str:
    model = ngrams().NGrams(text, order=4)
    tokens = model.sample(prompt, temperature=0.5, top_k=50, random=random.Random(seed))
    return "".join(islice(tokens, count))


def test_it_goes_on_as_the_text_does():
    text = "\n\nThe cat sat on the mat. The dog lay by the fire." * 20
    assert write(text, "The cat", 1, 4) == " sat on the mat"


def test_a_seed_decides():
    text = "\n\nOne and two. One and three. One or four. One or five." * 5
    assert write(text, "One", 7, 50) == write(text, "One", 7, 50)
    assert len({write(text, "One", seed, 50) for seed in range(5)}) > 1


def test_an_unknown_word_is_no_end():
    assert len(write("\n\nA b c d e f." * 3, "Zebra", 1, 20)) > 20
