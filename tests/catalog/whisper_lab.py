"""What ``test_whisper`` and ``test_whisper_parts`` ask of models/whisper; runs in the lab (see ``lab``)."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch
from audio import UnreadableAudio, read
from checkpoint import Checkpoint, Shelf
from decoding import Decoder, Wishes, detect_language
from hearing import Hearing
from mel import WINDOW, Mel
from predict import Predictor
from slices import cut
from subtitles import srt, vtt
from transcript import quiet_windows
from transformers.utils import logging
from wishes import Asked, beams, suppressed, temperatures

logging.set_verbosity_error()
RATE = 16_000
CODECS = {
    ".mp3": "mp3",
    ".ogg": "libopus",
    ".m4a": "aac",
    ".flac": "flac",
    ".webm": "libopus",
    ".wav": "pcm_s16le",
}
PLAIN: dict[str, Any] = {
    "temperature": 0,
    "temperature_increment_on_fallback": 0,
    "patience": None,
    "suppress_tokens": "-1",
    "compression_ratio_threshold": None,
    "logprob_threshold": None,
    "no_speech_threshold": None,
}


def convert(source: str, target: str) -> None:
    """The same sound in the format that the target's name says."""
    codec = CODECS[Path(target).suffix]
    with av.open(source) as given, av.open(target, "w") as made:
        stream = made.add_stream(codec, rate=48_000 if "opus" in codec else 22_050, layout="mono")
        resampler = av.AudioResampler(format=stream.format, layout=stream.layout, rate=stream.rate)
        fifo = av.AudioFifo()
        for frame in [*given.decode(audio=0), None]:
            for part in resampler.resample(frame):
                part.pts = None
                fifo.write(part)
        size = stream.codec_context.frame_size or 1024
        while part := fifo.read(size, partial=True):
            made.mux(stream.encode(part))
        made.mux(stream.encode(None))


def likeness(first: str, second: str) -> dict[str, float]:
    """How long both sounds are, and how alike at the best of the shifts that an encoder may cause."""
    one, other = read(Path(first)), read(Path(second))
    shared = min(len(one), len(other)) - RATE // 10
    shifts = range(-RATE // 20, RATE // 20, 1)
    middle = one[RATE // 20 : shared]
    found = max(_correlation(middle, other[RATE // 20 + shift : shared + shift]) for shift in shifts)
    return {"first": len(one) / RATE, "second": len(other) / RATE, "likeness": found}


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.dot(one, other) / (np.linalg.norm(one) * np.linalg.norm(other)))


def tone(target: str, seconds: float, silent: Sequence[Sequence[float]] = (), rate: int = 8000) -> None:
    """A wav with a tone, silent in the given stretches."""
    times = np.arange(int(seconds * rate)) / rate
    sound = np.sin(2 * np.pi * 440 * times) * 0.5
    for start, end in silent:
        sound[int(start * rate) : int(end * rate)] = 0
    with av.open(target, "w") as made:
        stream = made.add_stream("pcm_s16le", rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(
            (sound * 32767).astype(np.int16)[None], format="s16", layout="mono"
        )
        frame.rate = rate
        made.mux(stream.encode(frame))
        made.mux(stream.encode(None))


def refusal(path: str) -> str:
    try:
        read(Path(path))
    except UnreadableAudio as error:
        return str(error)
    return ""


def _load(checkpoint: str) -> Checkpoint:
    return Checkpoint.load("tiny", Path(checkpoint))


def hearing(
    checkpoint: str,
    audio: str,
    *,
    task: str,
    language: str,
    prompt: str = "",
    remember: bool = True,
    **asked: Any,
) -> Any:
    """What is written, and what the decoder began with each time; or what is said against it."""
    loaded = _load(checkpoint)
    starts: list[list[int]] = []
    _overhear(loaded, starts)
    try:
        heard = Hearing(loaded, Path(audio), language=language, asked=Asked(**(PLAIN | asked)))
        made = heard.segments(task, initial_prompt=prompt, remember=remember)
    except ValueError as error:
        return str(error)
    return {
        "segments": made,
        "starts": [loaded.processor.tokenizer.convert_ids_to_tokens(row) for row in starts],
    }


def _overhear(loaded: Checkpoint, starts: list[list[int]]) -> None:
    """Remembers what the decoder is given when it begins; later it is given single tokens."""
    plain = loaded.model.generate

    def generate(*args: Any, **named: Any) -> Any:
        def look(_: Any, args: Any, kwargs: Any) -> None:
            tokens = kwargs.get("input_ids", args[0] if args else None)
            if tokens is not None and tokens.shape[1] > 1:
                starts.append(tokens[0].tolist())

        hook = loaded.model.model.decoder.register_forward_pre_hook(look, with_kwargs=True)
        try:
            return plain(*args, **named)
        finally:
            hook.remove()

    loaded.model.generate = generate


def english_only(checkpoint: str, target: str) -> None:
    """A copy of the checkpoint that says of itself that it knows English alone."""
    for path in Path(checkpoint).iterdir():
        (Path(target) / path.name).write_bytes(path.read_bytes())
    config = Path(target) / "generation_config.json"
    told = json.loads(config.read_text()) | {"is_multilingual": False}
    for name in ("lang_to_id", "task_to_id"):
        told.pop(name)
    config.write_text(json.dumps(told))


def batch(checkpoint: str, audio: str, **wished: Any) -> list[list[list[Any]]]:
    """Tokens and certainty of some windows, decoded together and each alone."""
    loaded = _load(checkpoint)
    mel = Mel(read(Path(audio)), loaded.processor.feature_extractor)
    windows = [mel.window(first, WINDOW) for first in (0, 1500, 3000)] + [mel.window(3000, 700)]
    decoder = Decoder(loaded, Wishes("transcribe", "en", **({"temperatures": (0.0,)} | wished)))
    torch.manual_seed(0)
    together = decoder.decode(windows)
    alone = [answer for window in windows for answer in decoder.decode([window])]
    return [[[one.tokens, one.avg_logprob, one.no_speech_prob] for one in ways] for ways in (together, alone)]


def windows(audio: str) -> list[list[float]]:
    """From when to when each piece goes that is decoded by itself, in seconds."""
    extractor: Any = None
    return [
        [first / 100, (first + length) / 100]
        for first, length in quiet_windows(Mel(read(Path(audio)), extractor))
    ]


def features(checkpoint: str, audio: str) -> float:
    """The greatest difference to what transformers makes of a short sound."""
    loaded, samples = _load(checkpoint), read(Path(audio))
    mel = Mel(samples, loaded.processor.feature_extractor)
    theirs = loaded.processor.feature_extractor(
        samples, sampling_rate=RATE, return_tensors="pt"
    ).input_features[0]
    return float((mel.window(0, mel.frames) - theirs).abs().max())


def seam(checkpoint: str, audio: str, first: int) -> float:
    """The greatest difference between a window cut from a stretch and one by itself, but for the edges."""
    loaded, samples = _load(checkpoint), read(Path(audio))
    mel = Mel(samples, loaded.processor.feature_extractor)
    alone = Mel(samples[first * 160 : (first + WINDOW) * 160], loaded.processor.feature_extractor)
    return float((mel.window(first) - alone.window(0))[:, 3:-3].abs().max())


def detected(checkpoint: str, audio: str) -> list[Any]:
    loaded = _load(checkpoint)
    mel = Mel(read(Path(audio)), loaded.processor.feature_extractor)
    return [*detect_language(loaded, mel.window(0, min(WINDOW, mel.frames)))]


def pieces(tokens: list[int], length: int) -> list[Any]:
    """``slices.cut`` with 100 as the token of 0.00 seconds."""
    found, goes_on = cut(tokens, length, 100)
    return [[list(piece) for piece in found], goes_on]


def subtitles(segments: list[dict[str, Any]]) -> list[str]:
    return [srt(segments), vtt(segments)]


def tries(first: float, increment: float | None) -> list[float]:
    return list(temperatures(first, increment))


def searched(patience: float | None) -> int:
    return beams(patience)


def unwritten(checkpoint: str, written: str) -> Any:
    """The tokens that are suppressed, or what is said against the list."""
    try:
        return suppressed(written, _load(checkpoint))
    except ValueError as error:
        return str(error)


def taken(folder: str, size: str) -> str:
    """Which checkpoint is used for a size, or what is said."""
    try:
        shelf = Shelf(Path(folder))
        return f"{shelf.take(size).size} of {sorted(shelf.folders)}, first {shelf.biggest()}"
    except (ValueError, RuntimeError) as error:
        return f"refused: {error}"


def without_weights() -> str:
    """Why the predictor does not start."""
    try:
        Predictor().setup()
    except RuntimeError as error:
        return str(error)
    raise AssertionError("it started")
