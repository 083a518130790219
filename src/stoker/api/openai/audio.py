"""POST /openai/v1/audio/transcriptions and translations: speech goes in as a file, text comes out."""

import secrets
from typing import Any, cast

import msgspec
from starlette.responses import Response

from stoker.api.endpoint import Request
from stoker.api.input_files import Intake
from stoker.api.openai import chunks, forms, runs, targets, transcripts
from stoker.api.openai.drafts import Draft, refusal
from stoker.api.openai.surface import Surface, as_kind
from stoker.core import ids

PROMPTS = ("initial_prompt", "prompt")


async def transcribe(request: Request) -> Response:
    """By any model that takes a file of sound and gives text, or an object with it."""
    return await _listen(request, "audio/transcriptions")


async def translate(request: Request) -> Response:
    """The same into English, where the model has an input ``translate``."""
    return await _listen(request, "audio/translations")


async def _listen(request: Request, endpoint: str) -> Response:
    sent = await forms.read(request)
    target = await targets.find_for(request, sent.fields.pop("model", None), endpoint)
    draft = Draft(_typed(sent.fields, target.surface), target.surface)
    translates = endpoint == "audio/translations"
    format, streams = _format(draft, timed=not translates), draft.take("stream", bool, default=False)
    if translates:
        draft.put("translate", True, source="translate")
    id = await _take_file(request, draft, sent)
    _options(draft)
    draft.check(target.known.inputs)
    running = await runs.begin(request, target, [draft.input], told=streams, id=id)

    def text_of(output: Any) -> str:
        return transcripts.read(output, translated=translates).text

    if streams:
        source = chunks.Chunks(running, transcripts.Events(), text_of=text_of)
        return await chunks.answer(request, running, source)
    (ended,) = await running.results(request.receive)
    output = None if ended.output is None else msgspec.json.decode(ended.output)
    transcript = transcripts.read(output, translated=translates)
    task = "translate" if translates else "transcribe"
    body, media_type = transcripts.rendered(transcript, format, task=task)
    return Response(body, media_type=media_type, headers={"x-request-id": ended.id})


def _typed(fields: dict[str, Any], surface: Surface) -> dict[str, Any]:
    """The form's texts as what the model's inputs take; those of our own are known."""
    kinds: dict[str, str | None] = {name: surface.kind(name) for name in fields if surface.has(name)}
    kinds |= {"stream": "boolean", "temperature": kinds.get("temperature", "number")}
    return {
        name: as_kind(value, kinds.get(name)) if isinstance(value, str) else value
        for name, value in fields.items()
    }


def _format(draft: Draft, *, timed: bool) -> transcripts.Format:
    format = draft.take("response_format", str, default="json")
    if format not in transcripts.FORMATS:
        raise refusal("response_format", f"Must be one of the following: {', '.join(transcripts.FORMATS)}")
    if format in transcripts.TIMED and not (timed and draft.surface.gives_segments):
        raise refusal("response_format", "Without the times of what is said, only json and text can be given")
    return cast(transcripts.Format, format)


async def _take_file(request: Request, draft: Draft, sent: forms.Sent) -> str:
    """Makes the file a part of the prediction, whose id this gives."""
    services, to = request.services, draft.surface.sound
    assert to is not None
    now_us = services.clock.now_us()
    id = ids.prediction_id(now_us, secrets.token_bytes(10))
    intake = Intake(services, caller=request.caller, prediction=id, now_us=now_us)
    link = await intake.keep(sent.blob, name=sent.name, content_type=sent.content_type)
    draft.put(to, link, source="file")
    return id


def _options(draft: Draft) -> None:
    """Takes what else may be said of the sound."""
    draft.carry("prompt", PROMPTS)
    if not draft.surface.has("temperature") and draft.pop("temperature") not in (None, 0):
        raise refusal("temperature", "This model cannot take it")
    times: Any = draft.pop("timestamp_granularities")
    if times is not None and times != ["segment"]:
        raise refusal("timestamp_granularities", "Only segments have times here")
    draft.finish()
