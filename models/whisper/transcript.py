"""Sound of any length becomes segments with times.

Called by the predictor. Two ways through the sound: window after window, each seeing the words before it and
beginning where the last whole segment ended; or, where the words before shall not matter, several windows at
once, cut where it is quiet.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from audio import Samples
from checkpoint import Checkpoint
from decoding import Decoded, Decoder, Wishes
from mel import FRAMES_PER_S, HOP, WINDOW, Mel
from slices import Slice, cut

BATCH = {"cuda": 16, "cpu": 4}
"""Windows at once."""
_SHORTEST = FRAMES_PER_S // 10
"""What is left at the end is not looked at when it is shorter than this."""
_UNSURE = 0.5
"""Above this temperature the words are too much by chance to be shown to the next window."""
_QUIET_WITHIN = 10 * FRAMES_PER_S
_QUIET_FOR = 20

Segment = dict[str, Any]


class Transcript:
    """Writes down one sound; each way gives segments as they are made."""

    def __init__(self, checkpoint: Checkpoint, mel: Mel, wishes: Wishes):
        self.mel = mel
        self._checkpoint = checkpoint
        self._decoder = Decoder(checkpoint, wishes)
        self._count = 0

    def in_turn(self, prompt: Sequence[int]) -> Iterator[Segment]:
        """Window after window; each sees the words before it, the first one the prompt."""
        said, first = list(prompt), 0
        while first == 0 or self.mel.frames - first >= _SHORTEST:
            length = min(WINDOW, self.mel.frames - first)
            (decoded,) = self._decoder.decode([self.mel.window(first, length)], self._shown(said))
            if self._decoder.is_silence(decoded):
                first += length
                continue
            pieces, goes_on = cut(decoded.tokens, length, self._checkpoint.first_timestamp)
            yield from self._segments(decoded, pieces, first, length)
            said += [token for piece in pieces for token in piece.tokens]
            if decoded.temperature > _UNSURE:
                said.clear()
            first += goes_on

    def at_once(self, prompt: Sequence[int]) -> Iterator[Segment]:
        """Several windows at once; only the first sees the prompt."""
        windows = list(quiet_windows(self.mel))
        size = BATCH[self._checkpoint.device.type]
        groups = [windows[:1]] + [windows[start : start + size] for start in range(1, len(windows), size)]
        for number, group in enumerate(groups):
            shown = self._shown(prompt if number == 0 else ())
            answers = self._decoder.decode([self.mel.window(*window) for window in group], shown)
            for (first, length), decoded in zip(group, answers, strict=True):
                if not self._decoder.is_silence(decoded):
                    pieces, _ = cut(decoded.tokens, length, self._checkpoint.first_timestamp)
                    yield from self._segments(decoded, pieces, first, length)

    def _shown(self, said: Sequence[int]) -> list[int]:
        """The words before, with the mark that makes them such: at most half of what the decoder holds."""
        if not said:
            return []
        mark = self._checkpoint.processor.tokenizer.convert_tokens_to_ids("<|startofprev|>")
        most = self._checkpoint.model.config.max_target_positions // 2 - 1
        return [mark, *said[-most:]]

    def _segments(
        self, decoded: Decoded, pieces: Sequence[Slice], first: int, length: int
    ) -> Iterator[Segment]:
        """Segments as the published model has them; those without words or length are left out."""
        for piece in pieces:
            text = self._checkpoint.words(piece.tokens)
            start, end = (first + min(frame, length) for frame in (piece.start, piece.end))
            if start >= end or not text.strip():
                continue
            yield {
                "id": self._count,
                "seek": first,
                "start": start / FRAMES_PER_S,
                "end": end / FRAMES_PER_S,
                "text": text,
                "tokens": piece.tokens,
                "temperature": decoded.temperature,
                "avg_logprob": decoded.avg_logprob,
                "compression_ratio": decoded.compression_ratio,
                "no_speech_prob": decoded.no_speech_prob,
            }
            self._count += 1


def quiet_windows(mel: Mel) -> Iterator[tuple[int, int]]:
    """First frame and length of windows that end where it is quiet."""
    first = 0
    while mel.frames - first > WINDOW:
        length = WINDOW - _QUIET_WITHIN + _quietest(mel.samples, first + WINDOW - _QUIET_WITHIN)
        yield first, length
        first += length
    if first == 0 or mel.frames - first >= _SHORTEST:
        yield first, mel.frames - first


def _quietest(samples: Samples, first: int) -> int:
    """The middle of the quietest fifth of a second of the ten seconds from that frame on, in frames."""
    heard = samples[first * HOP : (first + _QUIET_WITHIN) * HOP].reshape(-1, HOP)
    loudness = np.convolve((heard**2).mean(axis=1), np.ones(_QUIET_FOR), "valid")
    return int(loudness.argmin()) + _QUIET_FOR // 2
