"""Sounds to samples: a formant voice in a few array operations.

Every pulse of the glottis rings each resonance of the vocal tract, so voiced sound is a sum of short
damped sines, one per pulse and formant; breath and hiss are noise shaped frame by frame. A track of
targets, smoothed so that sounds run into one another, says where the resonances are.
"""

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float64]

RATE = 16_000
FRAME = 80  # samples: targets change every 5 ms
BANDWIDTHS = np.array([70.0, 90.0, 130.0, 200.0])
LOUDNESS = np.array([1.0, 0.55, 0.28, 0.12])  # of the formants, falling as a voice's spectrum does
FOURTH = 3400.0

# Sound: the first three formants in Hz, length in ms, voicing and noise (0 to 1), the noise's middle in Hz.
# Vowels after Peterson and Barney's averages for men; the rest by ear and eye.
SOUNDS: dict[str, tuple[float, float, float, float, float, float, float]] = {
    "AA": (730, 1090, 2440, 120, 1.0, 0, 0),
    "AE": (660, 1720, 2410, 130, 1.0, 0, 0),
    "AH": (640, 1190, 2390, 90, 1.0, 0, 0),
    "AO": (570, 840, 2410, 130, 1.0, 0, 0),
    "AX": (500, 1400, 2400, 60, 0.8, 0, 0),
    "EH": (530, 1840, 2480, 100, 1.0, 0, 0),
    "ER": (490, 1350, 1690, 130, 1.0, 0, 0),
    "IH": (390, 1990, 2550, 80, 1.0, 0, 0),
    "IY": (270, 2290, 3010, 120, 1.0, 0, 0),
    "UH": (440, 1020, 2240, 90, 1.0, 0, 0),
    "UW": (300, 870, 2240, 120, 1.0, 0, 0),
    "L": (330, 1050, 2880, 65, 0.6, 0, 0),
    "R": (320, 1060, 1400, 65, 0.6, 0, 0),
    "W": (290, 610, 2150, 65, 0.6, 0, 0),
    "Y": (260, 2070, 3020, 60, 0.6, 0, 0),
    "M": (250, 1000, 2200, 75, 0.4, 0, 0),
    "N": (250, 1600, 2600, 70, 0.4, 0, 0),
    "NG": (250, 2200, 2700, 80, 0.4, 0, 0),
    "F": (300, 1100, 2300, 100, 0, 0.12, 5500),
    "S": (300, 1700, 2600, 110, 0, 0.45, 6000),
    "SH": (300, 1800, 2500, 110, 0, 0.5, 3200),
    "TH": (300, 1400, 2600, 95, 0, 0.1, 6500),
    "HH": (500, 1500, 2500, 60, 0, 0.2, 1500),
    "V": (300, 1100, 2300, 60, 0.35, 0.06, 5500),
    "Z": (300, 1700, 2600, 80, 0.3, 0.3, 6000),
    "ZH": (300, 1800, 2500, 80, 0.3, 0.3, 3200),
    "DH": (300, 1400, 2600, 50, 0.35, 0.05, 6500),
    # Stops are a closure, then a burst; the voiced ones murmur while closed.
    "P-": (300, 900, 2200, 70, 0, 0, 0),
    "P": (300, 900, 2200, 25, 0, 0.35, 1000),
    "T-": (300, 1700, 2600, 65, 0, 0, 0),
    "T": (300, 1700, 2600, 30, 0, 0.45, 4500),
    "K-": (300, 2000, 2400, 65, 0, 0, 0),
    "K": (300, 2000, 2400, 35, 0, 0.45, 2100),
    "B-": (220, 900, 2200, 55, 0.12, 0, 0),
    "B": (300, 900, 2200, 12, 0.4, 0.15, 1000),
    "D-": (220, 1700, 2600, 50, 0.12, 0, 0),
    "D": (300, 1700, 2600, 12, 0.4, 0.2, 4000),
    "G-": (220, 2000, 2400, 50, 0.12, 0, 0),
    "G": (300, 2000, 2400, 15, 0.4, 0.2, 2000),
    "_": (500, 1500, 2500, 90, 0, 0, 0),
}

GLIDES = {
    "AW": ("AA", "UH"),
    "AY": ("AA", "IH"),
    "EY": ("EH", "IY"),
    "OW": ("AO", "UH"),
    "OY": ("AO", "IH"),
    "CH": ("T-", "SH"),
    "JH": ("D-", "ZH"),
}
STOPS = frozenset("PTKBDG")


def parts(sound: str) -> list[str]:
    """The steady parts that a sound is made of, in order."""
    if sound in STOPS:
        return [f"{sound}-", sound]
    return list(GLIDES.get(sound, (sound,)))


def say(
    sounds: list[str], pitches: list[float], stretches: list[float], *, size: float, seed: int
) -> Samples:
    """The samples, from -1 to 1, of sounds with a pitch in Hz and a stretch of length each.

    ``size`` is that of the vocal tract: 1 a man's, less for shorter ones.
    """
    rows, pitch = [], []
    for sound, hz, stretch in zip(sounds, pitches, stretches, strict=True):
        pieces = parts(sound)
        for piece in pieces:
            frames = max(2, round(SOUNDS[piece][3] * stretch / (5 * (1.25 if len(pieces) > 1 else 1))))
            rows += [SOUNDS[piece]] * frames
            pitch += [hz] * frames
    track = np.array(rows)
    formants = np.column_stack([_smooth(track[:, :3], 9), np.full(len(track), FOURTH)]) / size
    loudness = _smooth(track[:, 4:6], 3)
    voiced = _voice(formants, _smooth(np.array(pitch), 25), loudness[:, 0])
    hiss = _hiss(loudness[:, 1], track[:, 6] / size, np.random.default_rng(seed))
    mixed = voiced + hiss
    return mixed * (0.9 / max(1e-9, float(np.abs(mixed).max())))


def _smooth(track: Samples, frames: int) -> Samples:
    """Each column averaged over a raised cosine of that many frames."""
    window = np.hanning(frames + 2)[1:-1]
    window /= window.sum()
    padded = np.pad(track, [(frames // 2, frames // 2)] + [(0, 0)] * (track.ndim - 1), mode="edge")
    return np.apply_along_axis(lambda column: np.convolve(column, window, mode="valid"), 0, padded)


def _voice(formants: Samples, pitch: Samples, loudness: Samples) -> Samples:
    """A sum of damped sines: one per formant for each opening of the glottis."""
    grain = np.arange(int(0.03 * RATE)) / RATE
    attack = np.minimum(1, grain / 0.0015) ** 2
    out = np.zeros(len(formants) * FRAME + len(grain))
    place = 0.0
    while place < len(formants) * FRAME:
        frame = int(place) // FRAME
        if loudness[frame] > 0.01:
            tones = np.sin(2 * np.pi * formants[frame][:, None] * grain)
            decay = np.exp(-np.pi * BANDWIDTHS[:, None] * grain)
            start = int(place)
            out[start : start + len(grain)] += loudness[frame] * attack * (LOUDNESS @ (tones * decay))
        place += RATE / pitch[frame]
    return out[: len(formants) * FRAME]


def _hiss(loudness: Samples, middle: Samples, random: np.random.Generator) -> Samples:
    """White noise through a band around ``middle``, a window at a time, overlapping."""
    out = np.zeros((len(loudness) + 1) * FRAME)
    window = np.hanning(2 * FRAME)
    pitch_of_bin = np.fft.rfftfreq(2 * FRAME, 1 / RATE)
    for frame in np.flatnonzero((loudness > 0.005) & (middle > 0)):
        spectrum = np.fft.rfft(random.standard_normal(2 * FRAME))
        band = np.exp(-0.5 * ((pitch_of_bin - middle[frame]) / (0.25 * middle[frame] + 300)) ** 2)
        start = frame * FRAME
        out[start : start + 2 * FRAME] += loudness[frame] * window * np.fft.irfft(spectrum * band)
    return out[:-FRAME]
