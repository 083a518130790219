"""POST /openai/v1/completions: a text goes in as it is, what follows comes out."""

from typing import Any, cast

from starlette.responses import Response

from stoker.api.endpoint import Request
from stoker.api.openai import targets, texts
from stoker.api.openai.answers import Completion
from stoker.api.openai.drafts import refusal

AS_IT_IS = "{prompt}"
"""As a template: nothing of a chat is put around the prompt."""


async def create(request: Request) -> Response:
    """By any model that has an input ``prompt`` and gives text."""
    target, draft = await targets.asked(request, "completions")
    prompts = _prompts(draft.pop("prompt"))
    draft.put("prompt", prompts[0], source="prompt")
    if draft.surface.has("prompt_template"):
        draft.put("prompt_template", AS_IT_IS, source="prompt_template")
    each: list[dict[str, Any]] = [{"prompt": prompt} for prompt in prompts]
    return await texts.answer(request, target, draft, prompts=each, shape=Completion)


def _prompts(value: Any) -> list[str]:
    """One text or several; tokens mean something only to the one who counted them."""
    prompts = cast(list[Any], value if isinstance(value, list) else [value])
    if not prompts or not all(isinstance(prompt, str) for prompt in prompts):
        raise refusal("prompt", "Must be a text or a list of texts")
    return prompts
