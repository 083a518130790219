"""Languages as callers write them: codes and English names.

Called by the predictor. The names are those that transformers knows for Whisper.
"""

from collections.abc import Collection

from transformers.models.whisper.tokenization_whisper import LANGUAGES, TO_LANGUAGE_CODE

AUTO = "auto"


def code(written: str | None, known: Collection[str]) -> str | None:
    """The code of a language; None for ``auto``; raises ``ValueError`` for what the model does not know."""
    plain = (written or AUTO).strip().lower()
    if plain in (AUTO, "none", ""):
        return None
    found = plain if plain in LANGUAGES else TO_LANGUAGE_CODE.get(plain)
    if found is None:
        raise ValueError(f"Unknown language {written!r}: give a code ('de'), a name ('German'), or 'auto'.")
    if found not in (known or {"en"}):
        raise ValueError(f"This checkpoint does not know {name(found)}.")
    return found


def name(code: str) -> str:
    """The English name, in small letters."""
    return LANGUAGES.get(code, code)
