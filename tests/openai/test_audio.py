"""Transcripts: a file of sound goes in; text, times and subtitles come out."""

import io
from typing import Any

import pytest
from openai import BadRequestError, OpenAI

from tests.openai.conftest import Named
from tests.servers import StokerServer

SPOKEN = b"We came\nWe saw"


def sound(name: str = "talk.mp3", content: bytes = SPOKEN) -> io.BytesIO:
    file = io.BytesIO(content)
    file.name = name
    return file


def test_a_transcript(client: OpenAI, model: Named):
    answer = client.audio.transcriptions.create(model=model("listener"), file=sound())
    assert answer.text == "We came We saw"


def test_every_parameter_reaches_its_input(client: OpenAI, model: Named):
    answer = client.audio.transcriptions.create(
        model=model("listener"), file=sound(), language="de", temperature=0.25, prompt="your inputs"
    )
    assert answer.text == "talk.mp3 de False 0.25"


def test_the_file_goes_with_the_prediction(client: OpenAI, model: Named, server: StokerServer):
    """It is an input like all others, and no upload of the account's."""
    raw = client.audio.transcriptions.with_raw_response.create(
        model=model("listener"), file=sound("mine.mp3")
    )
    with server.client() as http:
        prediction = http.get(f"/v1/predictions/{raw.headers['x-request-id']}").json()
        assert http.get(prediction["input"]["audio"]).content == SPOKEN
        listed = http.get("/v1/files").json()["results"]
    assert "mine.mp3" not in [file["name"] for file in listed]


def test_formats(client: OpenAI, model: Named):
    name = model("listener")
    text = client.audio.transcriptions.create(model=name, file=sound(), response_format="text")
    assert text == "We came We saw\n"
    srt = client.audio.transcriptions.create(model=name, file=sound(), response_format="srt")
    assert srt == "1\n00:00:00,000 --> 00:00:00,500\nWe came\n\n2\n00:00:01,000 --> 00:00:01,500\nWe saw\n\n"
    vtt = client.audio.transcriptions.create(model=name, file=sound(), response_format="vtt")
    assert vtt.startswith("WEBVTT\n\n00:00:00.000 --> 00:00:00.500\nWe came\n\n")


def test_verbose(client: OpenAI, model: Named):
    answer = client.audio.transcriptions.create(
        model=model("listener"),
        file=sound(),
        response_format="verbose_json",
        timestamp_granularities=["segment"],
    )
    assert (answer.text, answer.language, answer.duration) == ("We came We saw", "english", 1.5)
    assert answer.segments is not None
    assert [(s.id, s.start, s.end, s.text, s.temperature) for s in answer.segments] == [
        (0, 0.0, 0.5, " We came", 0),
        (1, 1.0, 1.5, " We saw", 0),
    ]


def test_a_stream(client: OpenAI, model: Named):
    events = list(client.audio.transcriptions.create(model=model("listener"), file=sound(), stream=True))
    assert [event.type for event in events] == ["transcript.text.delta", "transcript.text.done"]
    assert [getattr(event, "delta", None) or event.text for event in events] == ["We came We saw"] * 2  # type: ignore[union-attr]


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")
def test_a_translation(client: OpenAI, model: Named):
    assert client.audio.translations.create(model=model("listener"), file=sound()).text == "WE CAME WE SAW"


@pytest.mark.parametrize(
    ("asked", "param"),
    [
        ({"response_format": "docx"}, "response_format"),
        ({"timestamp_granularities": ["word"], "response_format": "verbose_json"}, "timestamp_granularities"),
        ({"temperature": "warm"}, "temperature"),
        ({"include": ["logprobs"]}, "include"),
        ({"extra_body": {"nobody_knows": "x"}}, "nobody_knows"),
    ],
    ids=str,
)
def test_what_cannot_be_taken_is_named(client: OpenAI, model: Named, asked: dict[str, Any], param: str):
    with pytest.raises(BadRequestError) as refused:
        client.audio.transcriptions.create(model=model("listener"), file=sound(), **asked)
    assert refused.value.param == param


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")
def test_a_translation_has_no_times(client: OpenAI, model: Named):
    with pytest.raises(BadRequestError) as refused:
        client.audio.translations.create(model=model("listener"), file=sound(), response_format="srt")
    assert refused.value.param == "response_format"


def test_forms_that_are_none(client: OpenAI, model: Named, server: StokerServer):
    model("listener")
    path = "/openai/v1/audio/transcriptions"
    with server.client() as http:
        assert http.post(path, json={"model": "local/listener"}).status_code == 400
        without = http.post(path, files={"model": (None, "local/listener")})
        nameless = http.post(path, files={"file": ("a.mp3", SPOKEN)})
    assert (without.status_code, without.json()["error"]["param"]) == (400, "file")
    assert (nameless.status_code, nameless.json()["error"]["param"]) == (400, "model")
