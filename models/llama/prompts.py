"""From what a caller gives to the tokens that the model reads.

``predict`` calls ``render`` once a prediction; ``lessons`` writes what is learned in the same way. Which form
the prompt takes: ``messages``, else the caller's
own template, else the tokenizer's chat template, else (a base model) the prompt as it is.
"""

import json
import re
from typing import Any

from jinja2 import TemplateError
from transformers import PreTrainedTokenizerBase

ROLES = ("system", "user", "assistant", "tool")

Message = dict[str, str]


def render(
    tokenizer: PreTrainedTokenizerBase,
    *,
    prompt: str,
    system_prompt: str,
    prompt_template: str,
    messages: str,
) -> list[int]:
    """The prompt's tokens; ``ValueError`` where it is empty or a part of it is not as it must be."""
    if messages:
        tokens = _chat(tokenizer, parse(messages))
    elif prompt_template:
        tokens = encode(tokenizer, _fill(prompt_template, prompt=prompt, system_prompt=system_prompt))
    elif tokenizer.chat_template:
        system = [{"role": "system", "content": system_prompt}] if system_prompt else []
        tokens = _chat(tokenizer, [*system, {"role": "user", "content": prompt}])
    else:
        tokens = encode(tokenizer, prompt)
    if not tokens:
        raise ValueError("The prompt is empty.")
    return tokens


def parse(messages: str) -> list[Message]:
    """The messages of a JSON text: a list of objects with ``role`` and ``content``."""
    try:
        given = json.loads(messages)
    except ValueError as error:
        raise ValueError(f"messages is not JSON: {error}") from None
    if not isinstance(given, list) or not given:
        raise ValueError("messages must be a JSON list with at least one message.")
    return check(given)


def check(given: list[Any]) -> list[Message]:
    """The messages, if they are; ``ValueError`` says which is not."""
    return [_message(number, message) for number, message in enumerate(given)]


def _message(number: int, given: Any) -> Message:
    role = given.get("role") if isinstance(given, dict) else None
    content = given.get("content") if isinstance(given, dict) else None
    if role not in ROLES:
        raise ValueError(f"messages[{number}].role must be one of {', '.join(ROLES)}.")
    if not isinstance(content, str):
        raise ValueError(f"messages[{number}].content must be text.")
    return {"role": role, "content": content}


def _fill(template: str, *, prompt: str, system_prompt: str) -> str:
    if prompt and "{prompt}" not in template:
        raise ValueError("prompt_template has no {prompt}, so the prompt would not be used.")
    values = {"{prompt}": prompt, "{system_prompt}": system_prompt}
    # In one pass, so that a prompt that speaks of {system_prompt} keeps it; other braces mean nothing.
    return re.sub(r"\{(?:system_)?prompt\}", lambda found: values[found[0]], template)


def chat_text(tokenizer: PreTrainedTokenizerBase, messages: list[Message], *, asks: bool = True) -> str:
    """The conversation as the chat template writes it; where it ``asks``, up to where the answer begins."""
    try:
        return _templated(tokenizer, messages, asks=asks)
    except TemplateError as error:
        if messages[0]["role"] != "system" or len(messages) < 2:
            raise ValueError(f"The model's chat template refuses these messages: {error}") from None
        return _without_system(tokenizer, messages, asks=asks)


def encode(tokenizer: PreTrainedTokenizerBase, text: str, *, starts: bool = True) -> list[int]:
    """``starts`` adds the token that texts begin with, unless the text itself begins with it."""
    begun = bool(tokenizer.bos_token) and text.startswith(str(tokenizer.bos_token))
    if not text:
        return []
    return tokenizer.encode(text, add_special_tokens=starts and not begun)


def _chat(tokenizer: PreTrainedTokenizerBase, messages: list[Message]) -> list[int]:
    if not tokenizer.chat_template:
        return encode(tokenizer, "\n\n".join(message["content"] for message in messages))
    return encode(tokenizer, chat_text(tokenizer, messages), starts=False)


def _without_system(tokenizer: PreTrainedTokenizerBase, messages: list[Message], *, asks: bool) -> str:
    """For templates that know no system message: it goes before the first of the user."""
    system, first, *rest = messages
    merged = {"role": first["role"], "content": f"{system['content']}\n\n{first['content']}"}
    try:
        return _templated(tokenizer, [merged, *rest], asks=asks)
    except TemplateError as error:
        raise ValueError(f"The model's chat template refuses these messages: {error}") from None


def _templated(tokenizer: PreTrainedTokenizerBase, messages: list[Message], *, asks: bool) -> str:
    return str(tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=asks))
