"""Examples: predictions that a model's owner keeps to show what the model does. Pure.

Used by the api. Files of an example do not expire while it is kept; links to them are made anew each time
that the example is shown, so that a page may be open for a day.
"""

from collections.abc import Callable
from typing import Any, cast
from urllib.parse import unquote

import msgspec

from stoker.core.links import Links
from stoker.core.prediction import Prediction

LINK_LIFE_US = 24 * 3600 * 1_000_000
STEP_US = 3600 * 1_000_000
"""Fresh links change once an hour, so that whoever polls a model page gets the same answer."""


class Example(msgspec.Struct, frozen=True, kw_only=True):
    prediction: Prediction
    kept_us: int
    files: dict[str, str] = {}
    """Id and name of its files, inputs and outputs."""


def files_named(prediction: Prediction, links: Links) -> list[str]:
    """The ids of our own files that the input and the output name, each once."""
    found: dict[str, None] = {}
    for value in _values(prediction):
        for text in _texts(value):
            if (id := links.own_file(text)) is not None:
                found[unquote(id)] = None
    return list(found)


def relinked(prediction: Prediction, links: Links, url_of: Callable[[str], str | None]) -> Prediction:
    """The same with other links to our own files: what ``url_of`` gives for an id, the old one for None."""

    def renew(text: str) -> str:
        id = links.own_file(text)
        return text if id is None else url_of(unquote(id)) or text

    input, output = (_renewed(raw, renew) for raw in _raws(prediction))
    return msgspec.structs.replace(prediction, input=input, output=output)


def shown(example: Example, links: Links, *, now_us: int) -> Prediction:
    """The prediction for everyone who sees the model: fresh links to its files, nothing of its webhook."""
    prediction, names = example.prediction, example.files
    expires_us = (now_us // STEP_US) * STEP_US + STEP_US + LINK_LIFE_US

    def fresh(id: str) -> str | None:
        return links.content(id, names[id], expires_us=expires_us) if id in names else None

    if names:
        prediction = relinked(prediction, links, fresh)
    return msgspec.structs.replace(prediction, webhook=None, webhook_events=(), deadline_us=None)


def _raws(prediction: Prediction) -> tuple[msgspec.Raw | None, msgspec.Raw | None]:
    return prediction.input, prediction.output


def _values(prediction: Prediction) -> list[Any]:
    return [msgspec.json.decode(raw) for raw in _raws(prediction) if raw is not None]


def _renewed(raw: msgspec.Raw | None, renew: Callable[[str], str]) -> msgspec.Raw | None:
    if raw is None:
        return None
    return msgspec.Raw(msgspec.json.encode(_replaced(msgspec.json.decode(raw), renew)))


def _replaced(value: Any, renew: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return renew(value)
    if isinstance(value, list):
        return [_replaced(item, renew) for item in cast(list[Any], value)]
    if isinstance(value, dict):
        return {key: _replaced(item, renew) for key, item in cast(dict[str, Any], value).items()}
    return value


def _texts(value: Any) -> list[str]:
    found: list[str] = []

    def note(text: str) -> str:
        found.append(text)
        return text

    _replaced(value, note)
    return found
