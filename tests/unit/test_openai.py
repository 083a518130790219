"""What OpenAI's API decides by itself: subtitles, and what a schema can answer."""

from typing import Any

import pytest

from stoker.api.openai import transcripts
from stoker.api.openai.answers import joined, total
from stoker.api.openai.surface import Surface
from stoker.core.catalog import Recipe, Version
from stoker.core.errors import PredictionFailed

TEXT = {"type": "string"}
FILE = {"type": "string", "format": "uri"}


def surface(output: dict[str, Any], *required: str, **inputs: dict[str, Any]) -> Surface:
    schemas: dict[str, Any] = {
        "Input": {"type": "object", "properties": inputs, "required": list(required)},
        "Output": output,
        "shape": {"type": "string", "enum": ["round"]},
    }
    return Surface(
        Version(
            id="0" * 64,
            model="a/b",
            created_us=0,
            cog_version="0.23.1",
            openapi_schema={"components": {"schemas": schemas}},
            recipe=Recipe(environment="e"),
            source=(),
        )
    )


@pytest.mark.parametrize(
    ("looked_at", "able"),
    [
        (surface(TEXT, messages=TEXT), ["chat/completions"]),
        (surface(TEXT, "prompt", prompt=TEXT), ["chat/completions", "completions"]),
        (surface({"type": "array", "items": TEXT}, prompt=TEXT), ["chat/completions", "completions"]),
        (surface(TEXT, "prompt", "key", prompt=TEXT, key=TEXT), []),
        (surface(TEXT, "image", image=FILE, question=TEXT), ["chat/completions"]),
        (surface(TEXT, image=FILE), []),
        (surface(TEXT, prompt=FILE), []),
        (surface(FILE, prompt=TEXT), ["images/generations"]),
        (surface({"type": "array", "items": FILE}, prompt=TEXT), ["images/generations"]),
        (surface(TEXT, "audio", audio=FILE), ["audio/transcriptions"]),
        (surface(TEXT, audio=TEXT), []),
        (surface({"type": "object", "properties": {"text": TEXT}}, file=FILE), ["audio/transcriptions"]),
        (surface({"type": "object"}, file=FILE), []),
        (surface({}, prompt=TEXT), []),
    ],
)
def test_what_a_schema_can_answer(looked_at: Surface, able: list[str]):
    assert looked_at.endpoints == able


def test_choices_are_of_their_own_kind():
    looked_at = surface(TEXT, shape={"allOf": [{"$ref": "#/components/schemas/shape"}], "default": "round"})
    assert (looked_at.kind("shape"), looked_at.default("shape")) == ("string", "round")


def test_a_version_that_is_only_trained_answers_nothing():
    version = Version(
        id="0" * 64,
        model="a/b",
        created_us=0,
        cog_version="0.23.1",
        openapi_schema={"components": {"schemas": {"TrainingInput": {"type": "object"}}}},
        recipe=Recipe(environment="e"),
        source=(),
    )
    assert Surface(version).endpoints == []


def heard(*segments: Any) -> transcripts.Transcript:
    return transcripts.read({"transcription": "t", "segments": list(segments)})


def test_subtitles_after_an_hour_and_with_what_would_end_them():
    told = heard({"start": 3599.9996, "end": 3661.5, "text": " one\n\n--> two "})
    body, _ = transcripts.rendered(told, "vtt", task="transcribe")
    assert body.decode() == "WEBVTT\n\n01:00:00.000 --> 01:01:01.500\none\n-> two\n\n"
    body, _ = transcripts.rendered(told, "srt", task="transcribe")
    assert body.decode() == "1\n01:00:00,000 --> 01:01:01,500\none\n-> two\n\n"


@pytest.mark.parametrize(
    "segment", ["text", {"start": 0, "end": 1}, {"start": "0", "end": 1, "text": "t"}], ids=str
)
def test_segments_without_times_are_the_models_fault(segment: Any):
    with pytest.raises(PredictionFailed, match="segments cannot be read"):
        transcripts.rendered(heard(segment), "srt", task="transcribe")


def test_what_holds_no_text_is_the_models_fault():
    with pytest.raises(PredictionFailed, match="gave no text"):
        transcripts.read({"segments": []})


def test_a_translation_is_what_was_translated():
    output = {"transcription": "ja", "translation": "yes"}
    assert transcripts.read(output, translated=True).text == "yes"
    assert transcripts.read({"transcription": "yes", "translation": None}, translated=True).text == "yes"
    assert transcripts.read(output).text == "ja"


def test_any_output_is_some_text():
    assert [joined(output) for output in ("a", ["a", " b"], None, {"x": 1}, [1, 2])] == [
        "a",
        "a b",
        "",
        '{"x":1}',
        "12",
    ]


def test_tokens_are_only_told_where_all_were_counted():
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    assert total([usage, usage]) == {"prompt_tokens": 2, "completion_tokens": 4, "total_tokens": 6}
    assert total([usage, None]) is None
