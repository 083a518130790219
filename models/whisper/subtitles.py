"""Segments as subtitles: SubRip (srt) and WebVTT.

Called by the predictor. Works on plain numbers and text.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

Segments = Iterable[Mapping[str, Any]]


def srt(segments: Segments) -> str:
    """Numbered blocks, with a comma before the milliseconds."""
    blocks = (
        f"{number}\n{_times(segment, _srt_clock)}\n{_line(segment)}\n"
        for number, segment in enumerate(segments, 1)
    )
    return "\n".join(blocks)


def vtt(segments: Segments) -> str:
    """A header and blocks without numbers; hours only where there are some."""
    blocks = (f"{_times(segment, clock)}\n{_escaped(_line(segment))}\n" for segment in segments)
    return "\n".join(["WEBVTT\n", *blocks])


def _srt_clock(at_s: float) -> str:
    return _clock(at_s, mark=",")


def clock(at_s: float) -> str:
    """Minutes, seconds and milliseconds; hours only where there are some."""
    return _clock(at_s, mark=".", short=True)


def _times(segment: Mapping[str, Any], told: Callable[[float], str]) -> str:
    return f"{told(segment['start'])} --> {told(segment['end'])}"


def _line(segment: Mapping[str, Any]) -> str:
    """One line of text; an arrow would be read as times."""
    return " ".join(segment["text"].split()).replace("-->", "->")


def _escaped(text: str) -> str:
    """WebVTT has markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _clock(at_s: float, *, mark: str, short: bool = False) -> str:
    seconds, milliseconds = divmod(round(at_s * 1000), 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    rest = f"{minutes:02}:{seconds:02}{mark}{milliseconds:03}"
    return rest if short and not hours else f"{hours:02}:{rest}"
