"""Sound of any kind as Whisper hears it: one channel of 16,000 numbers a second.

Called by the predictor. PyAV brings ffmpeg's decoders in its wheel, so that nothing needs to be installed on
the machine. Never opens anything but the file that it is given: ffmpeg would follow the links of a playlist.
"""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from av.audio.resampler import AudioResampler
from av.container import InputContainer

SAMPLE_RATE = 16_000
LONGEST_HOURS = 24
"""Where reading ends with an error: a day of sound takes 5.5 GB of memory."""

Samples = np.ndarray
"""Numbers from -1 to 1, float32."""


class UnreadableAudio(ValueError):
    """The file is no sound that ffmpeg can read."""


def read(path: Path) -> Samples:
    """The whole sound of an audio or video file; raises ``UnreadableAudio`` where there is none."""
    try:
        with path.open("rb") as file, av.open(file, options={"protocol_whitelist": "none"}) as container:
            if not container.streams.audio:
                raise UnreadableAudio("The file has no sound in it.")
            pieces = list(_pieces(container))
    except (av.error.FFmpegError, OSError) as error:
        raise UnreadableAudio(f"This is no audio file that can be read: {error.strerror or error}") from error
    if not pieces:
        raise UnreadableAudio("The audio file is empty: there is no sound to hear.")
    return np.concatenate(pieces)


def _pieces(container: InputContainer) -> Iterator[Samples]:
    """The sound bit by bit, of the stream that a player would choose."""
    resampler = AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE)
    left = LONGEST_HOURS * 3600 * SAMPLE_RATE
    for frame in _frames(container):
        for heard in resampler.resample(frame):
            left -= heard.samples
            if left < 0:
                raise UnreadableAudio(f"The audio is longer than {LONGEST_HOURS} hours.")
            yield heard.to_ndarray()[0]


def _frames(container: InputContainer) -> Iterator[av.AudioFrame | None]:
    """Decoded frames, and None at the end; a damaged packet is left out, as players do."""
    stream = container.streams.best("audio") or container.streams.audio[0]
    damaged = 0
    for packet in container.demux(stream):
        try:
            yield from packet.decode()
        except av.error.InvalidDataError:
            damaged += 1
    if damaged:
        print(f"{damaged} damaged pieces of the audio were left out")
    yield None
