"""English text to sounds: numbers to words, some exceptions, then letter-to-sound rules.

Sounds have ARPAbet's names. The rules are a sketch of English spelling and make a sketch's mistakes.
"""

import re
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
VOWELS = frozenset(
    ["AA", "AE", "AH", "AO", "AW", "AX", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW"]
)

ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


class Rule(NamedTuple):
    before: re.Pattern[str]
    letters: str
    after: re.Pattern[str]
    sounds: list[str]

    def fits(self, word: str, place: int) -> bool:
        return (
            word.startswith(self.letters, place)
            and self.before.search(word[:place]) is not None
            and self.after.match(word, place + len(self.letters)) is not None
        )


def _rule(line: str) -> Rule:
    before, letters, after, sounds = (part.strip() for part in line.split("/"))
    return Rule(re.compile(f"(?:{before})$"), letters, re.compile(after), sounds.split())


def _lines(name: str) -> list[str]:
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


RULES = [_rule(line) for line in _lines("rules.txt")]
EXCEPTIONS = {word: sounds for word, *sounds in map(str.split, _lines("exceptions.txt"))}


def sounds_of(word: str) -> list[str]:
    """The sounds of one lower-case word."""
    if word in EXCEPTIONS:
        return EXCEPTIONS[word]
    if word.endswith("s") and word[:-1] in EXCEPTIONS:
        return [*EXCEPTIONS[word[:-1]], "Z"]
    sounds: list[str] = []
    place = 0
    while place < len(word):
        rule = next((rule for rule in RULES if rule.fits(word, place)), None)
        sounds += rule.sounds if rule else []
        place += len(rule.letters) if rule else 1
    return sounds


def words_of(number: int) -> str:
    """A number below a thousand million, in words."""
    if number < 20:
        return ONES[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return TENS[tens - 2] + (f" {ONES[ones]}" if ones else "")
    size, name = next(
        pair for pair in ((10**6, "million"), (1000, "thousand"), (100, "hundred")) if number >= pair[0]
    )
    many, rest = divmod(number, size)
    return f"{words_of(many)} {name}" + (f" {words_of(rest)}" if rest else "")


def spoken(text: str) -> str:
    """The text in lower case with its numbers written out; longer ones are read digit by digit."""

    def write_out(digits: re.Match[str]) -> str:
        figure = digits[0]
        whole = words_of(int(figure)) if len(figure) <= 9 else " ".join(ONES[int(digit)] for digit in figure)
        return f" {whole} "

    plain = text.lower().replace("\u2019", "'").replace("&", " and ").replace("%", " percent ")
    return re.sub(r"[0-9]+", write_out, plain)
