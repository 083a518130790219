"""A caller's inputs as the decoder wants them.

Called by the predictor. Raises ``ValueError`` with a sentence for what cannot be done, and prints what is
done otherwise than asked.
"""

from dataclasses import dataclass

from checkpoint import Checkpoint
from decoding import Wishes

BEAMS = 5
"""With patience; the command-line tool that was published with Whisper has as many."""


@dataclass(frozen=True)
class Asked:
    """The inputs about decoding, under their own names."""

    temperature: float
    temperature_increment_on_fallback: float | None
    patience: float | None
    suppress_tokens: str | None
    compression_ratio_threshold: float | None
    logprob_threshold: float | None
    no_speech_threshold: float | None


def temperatures(first: float, increment: float | None) -> tuple[float, ...]:
    """The first, and those that are tried after it, up to 1."""
    if first < 0:
        raise ValueError("The temperature must not be below 0.")
    if not increment or increment < 0:
        return (first,)
    steps = int((1 - first) / increment + 1e-6)
    return tuple(round(first + step * increment, 6) for step in range(max(0, steps) + 1))


def beams(patience: float | None) -> int:
    """How many beams; patience itself is more than transformers' beam search can have."""
    if patience is None:
        return 1
    if patience <= 0:
        raise ValueError("The patience must be above 0.")
    if patience != 1:
        print(f"patience {patience}: the beam search here knows patience 1 only, that is what it does")
    return BEAMS


def suppressed(written: str | None, checkpoint: Checkpoint) -> tuple[int, ...]:
    """The tokens of a list with commas; -1 stands for the checkpoint's own list of marks and signs."""
    try:
        asked = [int(item) for item in (written or "").split(",") if item.strip()]
    except ValueError:
        raise ValueError("suppress_tokens must be numbers with commas, such as -1,50,77.") from None
    config = checkpoint.model.generation_config
    own = list(getattr(config, "suppress_tokens", None) or [])
    kept = own if -1 in asked else [token for token in own if token >= config.eos_token_id]
    wrong = [token for token in asked if token < -1 or token >= checkpoint.model.config.vocab_size]
    if wrong:
        raise ValueError(f"suppress_tokens has {wrong[0]}, which is no token of this checkpoint.")
    return tuple(sorted({*kept, *(token for token in asked if token >= 0)}))


def prompt(text: str | None, checkpoint: Checkpoint) -> list[int]:
    """The tokens of words that go before the first window."""
    if not text or not text.strip():
        return []
    # Without its first token, the mark that says that these are words from before.
    return checkpoint.processor.get_prompt_ids(text.strip(), return_tensors="np").tolist()[1:]


def wishes(asked: Asked, checkpoint: Checkpoint, *, language: str, task: str) -> Wishes:
    """All that the decoder needs to know."""
    if task == "translate" and not checkpoint.is_multilingual:
        raise ValueError("This checkpoint knows English alone and cannot translate.")
    return Wishes(
        task=task,
        language=language,
        temperatures=temperatures(asked.temperature, asked.temperature_increment_on_fallback),
        suppressed=suppressed(asked.suppress_tokens, checkpoint),
        beams=beams(asked.patience),
        compression_ratio_threshold=asked.compression_ratio_threshold,
        logprob_threshold=asked.logprob_threshold,
        no_speech_threshold=asked.no_speech_threshold,
    )
