"""A word model: interpolated Kneser-Ney over the n-grams of a text, learnt in a second.

Kneser-Ney's idea: how likely a word is where the longer context was never seen depends on how many
different words it has followed, not on how often it was written.
"""

import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import islice

TOKEN = re.compile(r"\n\n| ?\w+(?:['._-]\w+)*| ?[^\w\s]")
"""A token carries the blank before it, so that tokens joined are text again."""

Context = tuple[str, ...]


class NGrams:
    """``levels[n]`` maps a context of n tokens to what followed it and how often, the most frequent first."""

    def __init__(self, text: str, *, order: int):
        tokens = TOKEN.findall(text)
        self.token_count = len(tokens)
        self.levels: list[dict[Context, dict[str, int]]] = []
        self.discounts: list[float] = []
        counts = Counter(zip(*(tokens[start:] for start in range(order)), strict=False))
        for _ in range(order):
            self.levels.insert(0, _by_context(counts))
            self.discounts.insert(0, _discount(counts))
            counts = Counter(ngram[1:] for ngram in counts)
        self.vocabulary_size = len(self.levels[0][()])

    def sample(self, prompt: str, *, temperature: float, top_k: int, random: random.Random) -> Iterator[str]:
        """Tokens that go on from the prompt, without end."""
        context = tuple(TOKEN.findall("\n\n" + prompt.strip()))
        while True:
            context = context[-len(self.levels) + 1 :]
            chances = self._chances(context, top_k)
            best = max(chances.values())  # relative to it, a small temperature leaves more than zeros
            weights = [(chance / best) ** (1 / temperature) for chance in chances.values()]
            token = random.choices(list(chances), weights)[0]
            yield token
            context = (*context, token)

    def _chances(self, context: Context, top_k: int) -> dict[str, float]:
        """The likeliest tokens after this context, taken from the longest parts of it that are known."""
        parts = [context[len(context) - n :] for n in range(len(context) + 1)]
        known = [(n, self.levels[n][part]) for n, part in enumerate(parts) if part in self.levels[n]]
        candidates: dict[str, None] = {}
        for _, followers in reversed(known):
            candidates.update(dict.fromkeys(islice(followers, top_k)))
            if len(candidates) >= top_k:
                break
        chances = dict.fromkeys(candidates, 0.0)
        for n, followers in known:
            total, discount = sum(followers.values()), self.discounts[n]
            below = discount * len(followers) / total
            for token in candidates:
                chances[token] = max(followers.get(token, 0) - discount, 0) / total + below * chances[token]
        likeliest = sorted(chances.items(), key=lambda item: (-item[1], item[0]))
        return dict(likeliest[:top_k])


def _by_context(counts: Counter[Context]) -> dict[Context, dict[str, int]]:
    followers: dict[Context, dict[str, int]] = defaultdict(dict)
    for ngram, count in counts.most_common():
        followers[ngram[:-1]][ngram[-1]] = count
    return dict(followers)


def _discount(counts: Counter[Context]) -> float:
    """What is taken from each count to be given to the unseen (Ney, Essen and Kneser's estimate)."""
    once, twice = (sum(1 for count in counts.values() if count == n) for n in (1, 2))
    return min(once / (once + 2 * twice), 0.95) if once else 0.5
