"""OpenAI's door answered by the catalogue's models, asked by the published ``openai`` client.

``tests/openai`` holds what the door itself does; here it is that these models fit through it.
"""

import base64
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from openai import BadRequestError, InternalServerError, OpenAI

from tests.catalog.conftest import Added
from tests.catalog.speech import SENTENCE, say
from tests.scenarios import api
from tests.servers import TOKEN, StokerServer

LLAMA, SDXL = "meta/meta-llama-3.1-70b-instruct", "stability-ai/sdxl"
WHISPER, BLIP2 = "openai/whisper", "salesforce/blip-2"
ASKED = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
PICTURE = "data:image/x-portable-pixmap;base64," + base64.b64encode(b"P6 8 8 255 " + bytes(192)).decode()


@pytest.fixture
def client(server: StokerServer) -> Iterator[OpenAI]:
    with OpenAI(api_key=TOKEN, base_url=f"{server.base_url}/openai/v1", max_retries=0) as made:
        yield made


def test_a_chat_with_llama(client: OpenAI, server: StokerServer, added: Added) -> None:
    version = added("llama", LLAMA)
    wanted = {"model": LLAMA, "messages": ASKED, "max_tokens": 12, "temperature": 0}
    answer = client.chat.completions.create(**wanted)
    assert answer.usage is not None
    assert answer.usage.completion_tokens <= 12
    assert answer.choices[0].message.content
    with client.chat.completions.stream(**wanted) as stream:
        streamed = "".join(event.delta for event in stream if event.type == "content.delta")
    assert streamed == answer.choices[0].message.content
    with server.client() as plain:
        same = {"prompt": "Hi", "system_prompt": "Be brief.", "max_tokens": 12, "temperature": 0}
        assert "".join(api.run(plain, version, same)["output"]) == streamed


def test_a_completion_by_llama(client: OpenAI, added: Added) -> None:
    added("llama", LLAMA)
    answer = client.completions.create(
        model=LLAMA, prompt="Once upon a", max_tokens=7, extra_body={"min_tokens": 7}
    )
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 7
    assert answer.choices[0].finish_reason == "length"


def test_what_llama_refuses_is_its_own_sentence(client: OpenAI, added: Added) -> None:
    added("llama", LLAMA)
    with pytest.raises(InternalServerError, match="The prompt is too long: it has"):
        client.chat.completions.create(model=LLAMA, messages=[{"role": "user", "content": "word " * 3000}])


def test_pictures_by_sdxl(client: OpenAI, added: Added) -> None:
    added("sdxl", SDXL)
    few = {"num_inference_steps": 2, "seed": 3}
    made = client.images.generate(model=SDXL, prompt="a red cat", n=2, size="64x64", extra_body=few)
    assert made.data is not None
    first, second = (httpx.get(str(one.url)).raise_for_status().content for one in made.data)
    assert first != second
    assert [int.from_bytes(first[place : place + 4]) for place in (16, 20)] == [64, 64]
    with pytest.raises(BadRequestError, match="it does at images/generations"):
        client.chat.completions.create(model=SDXL, messages=ASKED)


def test_a_transcript_by_whisper(client: OpenAI, added: Added, tmp_path: Path) -> None:
    added("whisper", WHISPER)
    speech = say(SENTENCE, tmp_path / "speech.wav")
    wanted = {"model": WHISPER, "language": "en", "extra_body": {"temperature_increment_on_fallback": 0}}
    with speech.open("rb") as file:
        plain = client.audio.transcriptions.create(file=file, **wanted)
    with speech.open("rb") as file:
        told = client.audio.transcriptions.create(file=file, response_format="verbose_json", **wanted)
    assert told.text == plain.text != ""
    assert told.segments
    assert 0 <= told.segments[0].start < told.segments[0].end


def test_a_picture_seen_by_blip2(client: OpenAI, added: Added) -> None:
    added("blip2", BLIP2)
    seen = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": PICTURE}},
    ]
    answer = client.chat.completions.create(model=BLIP2, messages=[{"role": "user", "content": seen}])
    assert answer.choices[0].message.content
