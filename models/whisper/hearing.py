"""One prediction's way: read the sound, find its language, write down what is said.

Called by the predictor.
"""

from collections.abc import Iterator
from pathlib import Path

import languages
import torch
from audio import SAMPLE_RATE, read
from checkpoint import Checkpoint
from decoding import detect_language
from mel import WINDOW, Mel
from subtitles import clock
from transcript import Segment, Transcript
from wishes import Asked, prompt, wishes


class Hearing:
    """One sound, its language, and how it is to be decoded."""

    def __init__(self, checkpoint: Checkpoint, audio: Path, *, language: str, asked: Asked):
        self._checkpoint = checkpoint
        self._asked = asked
        torch.manual_seed(0)  # chance that comes again: the same request has the same answer
        given = languages.code(language, checkpoint.languages)
        self._samples = read(audio)
        self._mel = Mel(self._samples, checkpoint.processor.feature_extractor)
        self.seconds = round(len(self._samples) / SAMPLE_RATE, 3)
        self.language = given or self._detected()

    def segments(self, task: str, *, initial_prompt: str, remember: bool) -> list[Segment]:
        """All segments, each told of in the log as it is made; ``remember``: the words before count."""
        decided = wishes(self._asked, self._checkpoint, language=self.language, task=task)
        transcript = Transcript(self._checkpoint, self._mel, decided)
        before = prompt(initial_prompt, self._checkpoint)
        made = transcript.in_turn(before) if remember else transcript.at_once(before)
        return list(_told(made))

    def _detected(self) -> str:
        if not self._checkpoint.is_multilingual:
            return "en"
        code, share = detect_language(self._checkpoint, self._mel.window(0, min(WINDOW, self._mel.frames)))
        print(f"detected language: {languages.name(code)} ({share:.0%})")
        return code


def _told(segments: Iterator[Segment]) -> Iterator[Segment]:
    for segment in segments:
        print(f"[{clock(segment['start'])} --> {clock(segment['end'])}]{segment['text']}", flush=True)
        yield segment
