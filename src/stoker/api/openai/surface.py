"""A version's inputs and output as OpenAI's endpoints look at them: which are there, and of what kind.

What a version can answer is read off its schema here and never off its name. Pure.
"""

from functools import cached_property
from typing import Any, cast

import msgspec

from stoker.core.catalog import Version

Schema = dict[str, Any]

PROMPTS = ("prompt", "question")
PICTURES = ("image", "input_image", "images")
SOUNDS = ("audio", "audio_file", "file")
TRANSCRIPTS = ("transcription", "text")


class Surface:
    def __init__(self, version: Version):
        self._schemas: Schema = version.openapi_schema["components"]["schemas"]
        self._properties: dict[str, Schema] = version.input_schema.get("properties", {})
        self._required = frozenset(version.input_schema.get("required", ()))
        self._runs = bool(version.input_schema)
        self.output = self._whole(version.output_schema)

    def has(self, name: str) -> bool:
        """Whether there is an input of that name."""
        return name in self._properties

    def kind(self, name: str) -> str | None:
        """The JSON type of an input; None where it may be anything."""
        return self._whole(self._properties[name]).get("type")

    def default(self, name: str) -> Any:
        """What an input is when it is left out."""
        return self._properties[name].get("default")

    def is_file(self, name: str) -> bool:
        """Whether the input takes a file, or a list of them."""
        return _is_file(self._whole(self._properties[name]))

    def first(self, names: tuple[str, ...], *, file: bool = False) -> str | None:
        """The first of these that is an input, and takes files or does not."""
        return next((name for name in names if self.has(name) and self.is_file(name) is file), None)

    @cached_property
    def prompt(self) -> str | None:
        return self.first(PROMPTS)

    @cached_property
    def messages(self) -> str | None:
        return self.first(("messages",))

    @cached_property
    def picture(self) -> str | None:
        return self.first(PICTURES, file=True)

    @cached_property
    def sound(self) -> str | None:
        return self.first(SOUNDS, file=True)

    @cached_property
    def endpoints(self) -> list[str]:
        """What the version can answer, as paths below ``/openai/v1``."""
        answered = {
            "chat/completions": self._gives_text and self._chats,
            "completions": self._gives_text and self._reads,
            "images/generations": self._gives_files and self._reads,
            "audio/transcriptions": self._gives_transcripts and self._hears,
            "audio/translations": self._gives_transcripts and self._hears and self.has("translate"),
        }
        return [endpoint for endpoint, holds in answered.items() if holds]

    @property
    def _chats(self) -> bool:
        filled = (self.messages, self.prompt, self.picture, "system_prompt")
        return (self.messages or self.prompt) is not None and self._needs_only(*filled)

    @property
    def _reads(self) -> bool:
        return self.first(("prompt",)) is not None and self._needs_only("prompt")

    @property
    def _hears(self) -> bool:
        return self.sound is not None and self._needs_only(self.sound)

    def _needs_only(self, *names: str | None) -> bool:
        """Whether nothing else must be given."""
        return self._runs and self._required <= set(names)

    @property
    def _gives_text(self) -> bool:
        return _is_text(self.output)

    @property
    def _gives_files(self) -> bool:
        return _is_file(self.output)

    @property
    def _gives_transcripts(self) -> bool:
        members = self.output.get("properties", {})
        return self._gives_text or any(_is_text(members.get(name, {})) for name in TRANSCRIPTS)

    @property
    def gives_segments(self) -> bool:
        """Whether a transcript has its times."""
        return "segments" in self.output.get("properties", {})

    def _whole(self, schema: Schema) -> Schema:
        """The schema with what it refers to (choices are a schema of their own)."""
        found = schema
        for part in [schema, *cast(list[Schema], schema.get("allOf", []))]:
            name = str(part.get("$ref", "")).rpartition("/")[2]
            found = found | self._schemas.get(name, {})
        return found


def as_kind(text: str, kind: str | None) -> Any:
    """A form's text as a JSON value of that type; the text itself where it is none."""
    if kind not in ("number", "integer", "boolean", "array"):
        return text
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def _leaf(schema: Schema) -> Schema:
    return schema.get("items", schema) if schema.get("type") == "array" else schema


def _is_file(schema: Schema) -> bool:
    return _leaf(schema).get("format") == "uri"


def _is_text(schema: Schema) -> bool:
    return _leaf(schema).get("type") == "string" and not _is_file(schema)
