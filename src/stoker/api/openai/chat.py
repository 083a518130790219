"""POST /openai/v1/chat/completions: a conversation goes in, what the assistant says next comes out."""

from starlette.responses import Response

from stoker.api.endpoint import Request
from stoker.api.openai import conversation, targets, texts
from stoker.api.openai.answers import Chat


async def create(request: Request) -> Response:
    """By any model that has an input ``messages``, ``prompt`` or ``question`` and gives text."""
    target, draft = await targets.asked(request, "chat/completions")
    conversation.fill(draft)
    return await texts.answer(request, target, draft, prompts=[{}], shape=Chat)
