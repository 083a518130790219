"""A file of sound in, a transcript with times out, shaped as Whisper's: each line of the file is a second."""

from typing import Any, Optional

from cog import BaseModel, BaseRunner, Path


class Output(BaseModel):
    segments: Any
    transcription: str
    detected_language: str
    translation: Optional[str] = None


class Runner(BaseRunner):
    def run(
        self,
        audio: Path,
        language: str = "auto",
        translate: bool = False,
        temperature: float = 0,
        initial_prompt: str = "",
    ) -> Output:
        lines = audio.read_text().splitlines()
        if initial_prompt == "your inputs":
            lines = [f"{audio.name} {language} {translate} {temperature}"]
        segments = [
            {"start": float(n), "end": n + 0.5, "text": f" {line}", "temperature": temperature}
            for n, line in enumerate(lines)
        ]
        return Output(
            segments=segments,
            transcription=" ".join(lines),
            detected_language="english" if language == "auto" else language,
            translation=" ".join(lines).upper() if translate else None,
        )
