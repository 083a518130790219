"""Answers with the text of predictions, whole or streamed: what chat and completions have in common."""

from typing import Any, cast

from starlette.responses import Response

from stoker.api.endpoint import Request
from stoker.api.http import answers as http_answers
from stoker.api.openai import chunks, runs, sampling
from stoker.api.openai.answers import Shape, joined, outcome
from stoker.api.openai.drafts import Draft, refusal
from stoker.api.openai.targets import Target


async def answer(
    request: Request,
    target: Target,
    draft: Draft,
    *,
    prompts: list[dict[str, Any]],
    shape: type[Shape],
) -> Response:
    """Takes what is left in the draft, and runs it once for each of ``prompts`` and choice.

    A prompt is the part of the input by which it differs from the others.
    """
    n = sampling.number(draft)
    if n * len(prompts) > sampling.LARGEST_N:
        raise refusal("n", f"At most {sampling.LARGEST_N} answers can be given at once")
    streams, with_usage = draft.take("stream", bool, default=False), _with_usage(draft)
    sampling.fill(draft)
    draft.finish()
    draft.check(target.known.inputs)
    inputs = [choice for prompt in prompts for choice in sampling.repeated(draft.input | prompt, n)]
    running = await runs.begin(request, target, inputs, told=streams)
    told = shape(target, running.first.seen, with_usage=with_usage)
    most = sampling.most_tokens(draft)
    if streams:
        source = chunks.Chunks(running, told, text_of=joined, most=most)
        return await chunks.answer(request, running, source)
    ended = await running.results(request.receive)
    body = told.whole([outcome(prediction, most) for prediction in ended])
    return http_answers.json(body, headers={"x-request-id": ended[0].id})


def _with_usage(draft: Draft) -> bool:
    options = draft.take("stream_options", dict, default=cast(dict[str, Any], {}))
    return options.get("include_usage") is True
