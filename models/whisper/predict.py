"""The published surface of openai/whisper: inputs and outputs. The work is done in the modules beside it."""

import os
import tempfile

import languages
from checkpoint import SIZES, Shelf, folder_from, use_threads
from cog import BaseModel, BaseRunner, Input, Path, current_scope
from hearing import Hearing
from subtitles import srt, vtt
from transcript import Segment
from transformers.utils import logging
from wishes import Asked

FORMATS = ("plain text", "srt", "vtt")


class Output(BaseModel):
    segments: list[dict]
    transcription: str
    detected_language: str
    translation: str | None
    txt_file: Path | None
    srt_file: Path | None


class Predictor(BaseRunner):
    def setup(self) -> None:
        use_threads()
        logging.set_verbosity_error()  # its advice is for who wrote the code, not for who calls the model
        logging.disable_progress_bar()
        self.shelf = Shelf(folder_from(os.environ))
        self.shelf.take(self.shelf.biggest())
        # One for all: what is given is copied before the next prediction.
        self.outputs = Path(tempfile.mkdtemp())

    def run(
        self,
        audio: Path = Input(description="An audio or video file of any kind and length."),
        model: str = Input(
            description="Which size to use, where the server holds several; else the one that it holds.",
            default="large-v3",
            choices=list(SIZES),
        ),
        transcription: str = Input(
            description="What the transcription is written as.", default="plain text", choices=list(FORMATS)
        ),
        language: str = Input(
            description="The language that is spoken: a code ('de'), an English name ('German'), or 'auto'.",
            default="auto",
        ),
        translate: bool = Input(description="Also translate what is said into English.", default=False),
        temperature: float = Input(
            description="Chance in the choice of words; 0 takes the likeliest ones.", default=0
        ),
        patience: float = Input(
            description="Search with five beams where the temperature is 0; 1 is what the search can do.",
            default=None,
        ),
        suppress_tokens: str = Input(
            description="Tokens that are never written, with commas; -1 stands for most signs and marks.",
            default="-1",
        ),
        initial_prompt: str = Input(
            description="Words to go before the first ones, for names and spellings.", default=None
        ),
        condition_on_previous_text: bool = Input(
            description="Let each half minute see the words before it. Without it several are done at once.",
            default=True,
        ),
        temperature_increment_on_fallback: float = Input(
            description="How much the temperature is raised where a try fails one of the two next tests.",
            default=0.2,
        ),
        compression_ratio_threshold: float = Input(
            description="A try fails when its text, packed, shrinks more than this: it repeats itself.",
            default=2.4,
        ),
        logprob_threshold: float = Input(
            description="A try fails when the mean log-probability of its tokens is below this.", default=-1
        ),
        no_speech_threshold: float = Input(
            description="Silence, when the model is surer of it than this and the try fails the test above.",
            default=0.6,
        ),
    ) -> Output:
        checkpoint = self.shelf.take(model)
        asked = Asked(
            temperature=temperature,
            temperature_increment_on_fallback=temperature_increment_on_fallback,
            patience=patience,
            suppress_tokens=suppress_tokens,
            compression_ratio_threshold=compression_ratio_threshold,
            logprob_threshold=logprob_threshold,
            no_speech_threshold=no_speech_threshold,
        )
        hearing = Hearing(checkpoint, audio, language=language, asked=asked)
        current_scope().record_metric("audio_seconds", hearing.seconds)
        how = {"initial_prompt": initial_prompt or "", "remember": condition_on_previous_text}
        segments = hearing.segments("transcribe", **how)
        return Output(
            segments=segments,
            detected_language=languages.name(hearing.language),
            translation=plain(hearing.segments("translate", **how)) if translate else None,
            **written(segments, transcription, self.outputs),
        )


def plain(segments: list[Segment]) -> str:
    return "".join(segment["text"] for segment in segments)


def written(segments: list[Segment], form: str, folder: Path) -> dict[str, str | Path | None]:
    """The transcription in that form; beside subtitles the words alone are a file, and so is an srt."""
    if form == "plain text":
        return {"transcription": plain(segments), "txt_file": None, "srt_file": None}
    subtitles = srt(segments) if form == "srt" else vtt(segments)
    return {
        "transcription": subtitles,
        "txt_file": file(folder / "transcription.txt", plain(segments).strip() + "\n"),
        "srt_file": file(folder / "transcription.srt", subtitles) if form == "srt" else None,
    }


def file(path: Path, text: str) -> Path:
    path.write_text(text)
    return Path(path)
