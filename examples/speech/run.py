"""Text to speech with a formant voice: no recordings, no weights, nothing but arithmetic."""

import re
import tempfile
import time
import wave

import numpy as np
from cog import BaseRunner, Input, Path
from voice import RATE, Samples, say
from words import VOWELS, sounds_of, spoken

# Pitch in Hz and size of the vocal tract.
VOICES = {"man": (110.0, 1.0), "woman": (200.0, 0.85), "child": (270.0, 0.75), "robot": (90.0, 0.95)}
PAUSES = {",": 1.5, ";": 2.0, ":": 2.0, ".": 3.5, "!": 3.5, "?": 3.5}


class Runner(BaseRunner):
    def run(
        self,
        text: str = Input(description="What to say, in English", min_length=1, max_length=2000),
        voice: str = Input(description="Who says it", choices=list(VOICES), default="man"),
        speed: float = Input(description="1 is an unhurried voice", ge=0.5, le=2.0, default=1.0),
    ) -> Path:
        """A WAV file, 16 bits, one channel, 16 kHz."""
        started = time.perf_counter()
        pitch, size = VOICES[voice]
        phrases = [
            phrase
            for phrase in re.findall(r"[^,;:.!?]+[,;:.!?]?", spoken(text))
            if re.search("[a-z]", phrase)
        ]
        if not phrases:
            raise ValueError("There is nothing in this text that could be said.")
        samples = np.concatenate(
            [_phrase(phrase, pitch, size=size, speed=speed, flat=voice == "robot") for phrase in phrases]
        )
        seconds = len(samples) / RATE
        self.record_metric("audio_seconds", round(seconds, 2))
        self.record_metric("times_real_time", round(seconds / (time.perf_counter() - started), 1))
        return _wav(samples)


def _phrase(phrase: str, pitch: float, *, size: float, speed: float, flat: bool) -> Samples:
    """One breath: the pitch falls towards its end, or rises in a question; the last sounds are drawn out."""
    words = [sounds_of(word) for word in re.findall("[a-z']+", phrase)]
    print(phrase.strip(), "->", " ".join("-".join(sounds) for sounds in words))
    sounds = [sound for word in words for sound in word]
    count = len(sounds)
    places = [place / max(1, count - 1) for place in range(count)]
    falls = [1.1 - 0.25 * place for place in places]
    if phrase.endswith("?"):
        falls = [fall + 0.5 * max(0.0, place - 0.75) * 4 for fall, place in zip(falls, places, strict=True)]
    accents = [1.06 if sound in VOWELS and sound != "AX" else 1.0 for sound in sounds]
    pitches = [pitch * (1 if flat else fall * accent) for fall, accent in zip(falls, accents, strict=True)]
    stretches = [(1.35 if place > 0.85 else 1.0) / speed for place in places]
    pause = PAUSES.get(phrase[-1], 1.0)
    return say([*sounds, "_"], [*pitches, pitches[-1]], [*stretches, pause / speed], size=size, seed=count)


def _wav(samples: Samples) -> Path:
    path = Path(tempfile.mkdtemp()) / "speech.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return path
