"""What a model that listens has given, in OpenAI's formats: JSON, text and subtitles. Pure."""

from typing import Any, Literal, NamedTuple, cast, get_args

import msgspec

from stoker.api.openai.answers import Counted, Finish, joined
from stoker.api.openai.surface import TRANSCRIPTS
from stoker.api.wire import encode
from stoker.core.errors import PredictionFailed

Format = Literal["json", "text", "srt", "vtt", "verbose_json"]
FORMATS: tuple[str, ...] = get_args(Format)
TIMED = ("srt", "vtt", "verbose_json")
"""What needs to know when things were said."""
LANGUAGES = ("detected_language", "language")


class Segment(msgspec.Struct, frozen=True):
    start: float
    end: float
    text: str


class Transcript(NamedTuple):
    text: str
    language: str
    given: list[dict[str, Any]]
    """The segments as the model told of them."""

    @property
    def segments(self) -> list[Segment]:
        """Their times and texts; raises ``PredictionFailed`` where they have none."""
        try:
            return msgspec.convert(self.given, list[Segment])
        except msgspec.ValidationError as error:
            raise PredictionFailed(f"The model's segments cannot be read: {error}") from None


def read(output: Any, *, translated: bool = False) -> Transcript:
    """The transcript in a model's output: a text, or an object with one."""
    if not isinstance(output, dict):
        return Transcript(joined(output), "", [])
    members = cast(dict[str, Any], output)
    names = ("translation", *TRANSCRIPTS) if translated else TRANSCRIPTS
    text = next((members[name] for name in names if isinstance(members.get(name), str)), None)
    if text is None:
        raise PredictionFailed("The model gave no text.")
    language = next((members[name] for name in LANGUAGES if isinstance(members.get(name), str)), "")
    segments = members.get("segments")
    return Transcript(text, language, cast(list[Any], segments) if isinstance(segments, list) else [])


def rendered(transcript: Transcript, format: Format, *, task: str) -> tuple[bytes, str]:
    """The body of an answer, and its media type."""
    if format == "json":
        return encode({"text": transcript.text}), "application/json"
    if format == "verbose_json":
        return encode(_verbose(transcript, task)), "application/json"
    text = transcript.text + "\n"
    if format == "srt":
        text = _srt(transcript.segments)
    elif format == "vtt":
        text = _vtt(transcript.segments)
    return text.encode(), "text/plain; charset=utf-8"


def _verbose(transcript: Transcript, task: str) -> dict[str, Any]:
    segments = transcript.segments
    return {
        "task": task,
        "language": transcript.language,
        "duration": segments[-1].end if segments else 0.0,
        "text": transcript.text,
        "segments": [{"id": n, **segment} for n, segment in enumerate(transcript.given)],
    }


def _srt(segments: list[Segment]) -> str:
    return "".join(
        f"{n}\n{_clock(s.start, ',')} --> {_clock(s.end, ',')}\n{_lines(s)}\n\n"
        for n, s in enumerate(segments, start=1)
    )


def _vtt(segments: list[Segment]) -> str:
    cues = (f"{_clock(s.start, '.')} --> {_clock(s.end, '.')}\n{_lines(s)}\n\n" for s in segments)
    return "WEBVTT\n\n" + "".join(cues)


def _lines(segment: Segment) -> str:
    """The text of a cue: an empty line or an arrow would end it."""
    lines = (line.strip() for line in segment.text.splitlines())
    return "\n".join(line for line in lines if line).replace("-->", "->")


def _clock(seconds: float, point: str) -> str:
    ms = round(max(0.0, seconds) * 1000)
    s, ms = divmod(ms, 1000)
    return f"{s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}{point}{ms:03d}"


class Events:
    """The events of a transcript that is streamed (a ``chunks.Shape``)."""

    def __init__(self) -> None:
        self._said: list[str] = []

    def opening(self, index: int) -> bytes:
        return b""

    def piece(self, index: int, text: bytes) -> bytes:
        self._said.append(msgspec.json.decode(text, type=str))
        return b'data: {"type":"transcript.text.delta","delta":' + text + b"}\n\n"

    def closing(self, index: int, finish: Finish) -> bytes:
        done = {"type": "transcript.text.done", "text": "".join(self._said)}
        return b"data: " + encode(done) + b"\n\n"

    def counted(self, usage: Counted | None) -> bytes:
        return b""
