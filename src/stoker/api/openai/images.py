"""POST /openai/v1/images/generations: words go in, pictures come out, as links or as base64."""

import base64
import re
from collections.abc import AsyncIterator
from typing import Any, cast

import msgspec
from starlette.responses import Response

from stoker.api.endpoint import Request
from stoker.api.http import answers
from stoker.api.openai import runs, sampling, targets
from stoker.api.openai.drafts import Draft, refusal
from stoker.api.services import Services
from stoker.core.errors import NotFound, PredictionFailed, TooLarge
from stoker.core.prediction import Prediction

NUMBERS = ("num_outputs",)
"""Inputs that say how many pictures one prediction makes."""
FORMATS = ("url", "b64_json")
_SIZE = re.compile(r"^([1-9][0-9]{0,4})x([1-9][0-9]{0,4})$")


async def create(request: Request) -> Response:
    """By any model that has an input ``prompt`` and gives files."""
    target, draft = await targets.asked(request, "images/generations")
    draft.put("prompt", draft.take("prompt", str), source="prompt")
    encoded = _is_encoded(draft)
    if draft.take("stream", bool, default=False):
        raise refusal("stream", "Pictures are not streamed")
    _size(draft)
    times = _times(draft)
    draft.finish()
    draft.check(target.known.inputs)
    inputs = sampling.repeated(draft.input, times)
    running = await runs.begin(request, target, inputs, told=False)
    ended = await running.results(request.receive)
    links = [link for prediction in ended for link in _links(prediction)]
    made: list[dict[str, Any]] = [{"url": link} for link in links]
    if encoded:
        made = await _encoded(request.services, links)
    body = {"created": ended[0].created_us // 1_000_000, "data": made}
    return answers.json(body, headers={"x-request-id": ended[0].id})


def _is_encoded(draft: Draft) -> bool:
    wanted = draft.take("response_format", str, default="url")
    if wanted not in FORMATS:
        raise refusal("response_format", f"Must be one of the following: {', '.join(FORMATS)}")
    return wanted == "b64_json"


def _size(draft: Draft) -> None:
    """Takes the size to inputs of width and height; ``auto`` is the model's own."""
    size = draft.take("size", str, default="auto")
    found = _SIZE.match(size)
    if size == "auto":
        return
    if found is None:
        raise refusal("size", "Must be WIDTHxHEIGHT, like 1024x1024, or auto")
    if draft.surface.has("width") and draft.surface.has("height"):
        draft.put("width", int(found[1]), source="size")
        draft.put("height", int(found[2]), source="size")
    elif draft.surface.has("size"):
        draft.put("size", size, source="size")
    else:
        raise refusal("size", "This model cannot take it")


def _times(draft: Draft) -> int:
    """How many predictions are needed: one, where the model makes several pictures in one."""
    n = sampling.number(draft)
    to = draft.surface.first(NUMBERS)
    if to is None:
        return n
    draft.put(to, n, source="n")
    return 1


def _links(prediction: Prediction) -> list[str]:
    output = None if prediction.output is None else msgspec.json.decode(prediction.output)
    values = cast(list[Any], output if isinstance(output, list) else [output])
    links = [value for value in values if isinstance(value, str)]
    if not links:
        raise PredictionFailed("The model gave no picture.")
    return links


async def _encoded(services: Services, links: list[str]) -> list[dict[str, Any]]:
    return [{"b64_json": text} async for text in _Encoder(services).encode(links)]


class _Encoder:
    """Reads pictures into memory, together no more than an output may have."""

    def __init__(self, services: Services):
        self._services = services
        self._room = services.settings.output_limit_bytes

    async def encode(self, links: list[str]) -> AsyncIterator[str]:
        for link in links:
            yield base64.b64encode(await self._read(link)).decode()

    async def _read(self, link: str) -> bytes:
        id = self._services.links.own_file(link)
        record = None if id is None else await self._services.store.files.get(id)
        if record is None:
            raise NotFound("The picture is gone.")
        self._room -= record.size_bytes
        if self._room < 0:
            raise TooLarge("The pictures are too large for base64; ask for their URLs.")
        return b"".join([chunk async for chunk in self._services.blobs.open(record.sha256)])
