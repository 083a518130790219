"""A chat's messages, taken to a version's inputs: as they are, or as a prompt, a system prompt and a picture.

Pure. Used by ``chat``.
"""

from typing import Any

import msgspec

from stoker.api.openai.drafts import Draft, objects, refusal

ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}
"""Developer is what newer clients call the system."""
SPEAKERS = {"user": "User", "assistant": "Assistant"}


class Turn(msgspec.Struct, frozen=True):
    """One message: who says what, and shows which pictures."""

    role: str
    content: str
    pictures: tuple[str, ...] = ()


def fill(draft: Draft) -> None:
    """Takes ``messages`` to the inputs that the version has for them."""
    turns = _turns(draft.pop("messages"))
    surface = draft.surface
    _show(draft, [picture for turn in turns for picture in turn.pictures])
    if surface.messages is not None:
        plain = [{"role": turn.role, "content": turn.content} for turn in turns]
        draft.put(surface.messages, plain, source="messages")
        return
    assert surface.prompt is not None
    system = "\n\n".join(turn.content for turn in turns if turn.role == "system")
    spoken = _transcript([turn for turn in turns if turn.role != "system"])
    if system and surface.has("system_prompt"):
        draft.put("system_prompt", system, source="messages")
    elif system:
        spoken = f"{system}\n\n{spoken}"
    if spoken:
        draft.put(surface.prompt, spoken, source="messages")


def _transcript(turns: list[Turn]) -> str:
    """One message is the prompt itself; of several, each with who said it, the model gives the next."""
    if len(turns) == 1 and turns[0].role == "user":
        return turns[0].content
    said = [f"{SPEAKERS[turn.role]}: {turn.content}" for turn in turns]
    return "\n\n".join([*said, "Assistant:"]) if said else ""


def _show(draft: Draft, pictures: list[str]) -> None:
    to = draft.surface.picture
    if not pictures:
        return
    if to is None:
        raise refusal("messages", "This model takes no pictures")
    if draft.surface.kind(to) == "array":
        draft.put(to, pictures, source="messages")
    elif len(pictures) == 1:
        draft.put(to, pictures[0], source="messages")
    else:
        raise refusal("messages", "This model takes one picture only")


def _turns(value: Any) -> list[Turn]:
    found = objects(value, "messages")
    if not found:
        raise refusal("messages", "Must have at least one message")
    return [_turn(message, f"messages.{n}") for n, message in enumerate(found)]


def _turn(message: dict[str, Any], at: str) -> Turn:
    role = ROLES.get(str(message.get("role")))
    if role is None:
        raise refusal(f"{at}.role", f"Must be one of the following: {', '.join(ROLES)}")
    if message.get("tool_calls") or message.get("function_call"):
        raise refusal(at, "Calls of tools are not answered here")
    content = message.get("content")
    if isinstance(content, str):
        return Turn(role, content)
    texts: list[str] = []
    pictures: list[str] = []
    for n, part in enumerate(objects(content, f"{at}.content")):
        _part(part, f"{at}.content.{n}", texts, pictures)
    return Turn(role, "\n".join(texts), tuple(pictures))


def _part(part: dict[str, Any], at: str, texts: list[str], pictures: list[str]) -> None:
    """Adds a part of a message to the texts or the pictures."""
    kind = part.get("type")
    value = part.get(kind) if isinstance(kind, str) else None
    if kind == "image_url":
        # A few clients leave the object around the address away.
        url = value.get("url") if isinstance(value, dict) else value  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
        if not isinstance(url, str):
            raise refusal(f"{at}.image_url", "Must have a url")
        pictures.append(url)
    elif kind in ("text", "refusal") and isinstance(value, str):
        texts.append(value)
    else:
        raise refusal(at, "Must be a text or an image_url")
