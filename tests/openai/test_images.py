"""Pictures: by link and as base64, in the size and number that was asked for."""

import base64
import struct
from typing import Any

import httpx
import pytest
from openai import BadRequestError, OpenAI

from tests.openai.conftest import Named


def size_of(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG")
    return struct.unpack(">II", png[16:24])


def test_pictures_by_link(client: OpenAI, model: Named):
    answer = client.images.generate(model=model("painter"), prompt="A kite", n=2, size="16x9")
    assert answer.data is not None and len(answer.data) == 2
    for picture in answer.data:
        assert picture.url is not None and picture.b64_json is None
        got = httpx.get(picture.url)
        assert (got.status_code, got.headers["content-type"]) == (200, "image/png")
        assert size_of(got.content) == (16, 9)


def test_pictures_as_base64(client: OpenAI, model: Named):
    answer = client.images.generate(model=model("painter"), prompt="A kite", response_format="b64_json")
    assert answer.data is not None and answer.created > 1_700_000_000
    (picture,) = answer.data
    assert picture.b64_json is not None and picture.url is None
    assert size_of(base64.b64decode(picture.b64_json)) == (8, 8)


def test_what_every_client_sends(client: OpenAI, model: Named):
    answer = client.images.generate(
        model=model("painter"),
        prompt="A kite",
        size="auto",
        quality="standard",
        style="vivid",
        user="somebody",
        extra_body={"seed": 3},
    )
    assert answer.data is not None and len(answer.data) == 1


@pytest.mark.parametrize(
    ("asked", "param"),
    [
        ({"size": "huge"}, "size"),
        ({"size": "65x8"}, "size"),
        ({"n": 5}, "n"),
        ({"quality": "hd"}, "quality"),
        ({"response_format": "tiff"}, "response_format"),
        ({"stream": True}, "stream"),
        ({"prompt": None}, "prompt"),
    ],
    ids=str,
)
def test_what_cannot_be_taken_is_named(client: OpenAI, model: Named, asked: dict[str, Any], param: str):
    wanted: dict[str, Any] = {"model": model("painter"), "prompt": "A kite"} | asked
    with pytest.raises(BadRequestError) as refused:
        client.images.generate(**wanted)
    assert refused.value.param == param
