"""What ``test_tiny`` asks of models/tiny; runs in the lab (see ``lab``), which has torch."""

from collections import Counter
from math import log
from pydoc_data.topics import topics
from typing import Any

import corpus
import llama
import torch

STEPS = 80


def rows(paragraph: str, common: list[str]) -> list[str]:
    """What a model may learn of it, where only these words are common."""
    return list(corpus.rows(paragraph, frozenset(common)))


def taught() -> dict[str, Any]:
    """A training of some steps by Python's help topics; its loss on others, and that of who counts words."""
    paragraphs = [" ".join(part.split()) for text in topics.values() for part in text.split("\n\n")]
    known = [one for number, one in enumerate(paragraphs) if number % 10]
    unknown = paragraphs[::10]
    tokenizer = llama.make_tokenizer(known, size=1024)
    model = llama.make_model(tokenizer, seed=0, width=64, layers=2, spread=0.02)
    learned, unseen = (llama.tokens_of(tokenizer, texts) for texts in (known, unknown))
    llama.learn(model, learned, gone=lambda step: step / STEPS, seed=0)
    windows = unseen[: len(unseen) // llama.WINDOW * llama.WINDOW].view(-1, llama.WINDOW)
    with torch.inference_mode():
        loss = model(input_ids=windows, labels=windows).loss.item()
    return {"loss": loss, "counting": _counting(learned.tolist(), unseen.tolist(), len(tokenizer))}


def _counting(learned: list[int], unseen: list[int], kinds: int) -> float:
    """The loss of whoever knows how frequent each token is and nothing of what was before."""
    counts = Counter(learned)
    of_all = len(learned) + kinds
    return -sum(log((counts[token] + 1) / of_all) for token in unseen) / len(unseen)
