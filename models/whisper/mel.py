"""What the model looks at: log-mel spectrograms of 30 seconds, cut from sound of any length.

Called by the transcript. Works on stretches of some minutes at a time, so that hours of sound do not need
gigabytes of spectrum.
"""

import numpy as np
import torch
from audio import SAMPLE_RATE, Samples
from transformers import WhisperFeatureExtractor

HOP = 160
FRAMES_PER_S = SAMPLE_RATE // HOP
WINDOW = 30 * FRAMES_PER_S
_STRETCH = 5 * 60 * FRAMES_PER_S


class Mel:
    """The spectrogram of one sound; the stretch that was looked at last is kept."""

    def __init__(self, samples: Samples, extractor: WhisperFeatureExtractor):
        self.samples = samples
        self.frames = -(-len(samples) // HOP)
        self._extractor = extractor
        self._first = -1
        self._stretch = torch.empty(0)

    def window(self, first: int, length: int = WINDOW) -> torch.Tensor:
        """Thirty seconds from that frame on, (bands, 3000), silent from ``length`` frames on."""
        if length < WINDOW:
            return self._features(self._cut(first, length), WINDOW)
        stretch = first - first % _STRETCH
        if stretch != self._first:
            # A window may begin at the very end of a stretch: each reaches as far as such a one.
            length = _STRETCH + WINDOW
            self._stretch = self._features(self._cut(stretch, length), length)
            self._first = stretch
        return self._stretch[:, first - stretch : first - stretch + WINDOW]

    def _cut(self, first: int, length: int) -> Samples:
        return self.samples[first * HOP : (first + length) * HOP]

    def _features(self, samples: Samples, frames: int) -> torch.Tensor:
        """The sound and then silence, up to so many frames."""
        made = self._extractor(
            samples,
            sampling_rate=SAMPLE_RATE,
            max_length=frames * HOP,
            padding="max_length",
            truncation=True,
            return_tensors="np",
        )
        return torch.from_numpy(np.asarray(made["input_features"][0]))
