"""Compares an answer with a recorded shape, by the rules in the recordings (``how_to_compare``)."""

import json
from pathlib import Path
from typing import Any

RECORDINGS = Path(__file__).parents[3] / "shared" / "reference" / "recorded-shapes.json"
LAST_MONTH = "2024-10"
NULLABLE = ("next", "previous", "description", "cover_image_url", "default_example", "latest_version")
"""May be null by sections 4.4 and 14, even where every recorded one happened to be there."""
NEWER = {"full_description", "configuration.scaling"}
"""Of sections 4.2 and 4.7, and not among the recordings' own newer keys."""
FREE_FORM = ("input", "output", "openapi_schema", "metadata")

Shape = dict[str, Any]


class Recordings:
    def __init__(self) -> None:
        told = json.loads(RECORDINGS.read_text())
        self._records: list[Shape] = told["recorded"] + told["documented_not_recorded"]
        self._newer = {key for keys in told["newer_keys"].values() for key in keys} | NEWER
        self._legacy = {key for keys in told["legacy_keys"].values() for key in keys}

    def answer(self, method: str, path: str, status: int, variant: str = "") -> Shape:
        """The response part of the record; ``variant`` is its variant up to the first comma."""
        found = [
            record["response"]
            for record in self._records
            if (record["method"], record["path"], record["status"]) == (method, path, status)
            and record.get("variant", "").partition(",")[0] == variant
        ]
        assert len(found) == 1, (method, path, status, variant, len(found))
        return found[0]

    def differences(self, value: Any, shape: Shape, at: str = "") -> list[str]:
        """What does not fit, each with its place; empty where the value fits."""
        types: list[str] = shape["types"]
        if "any" in types:
            return []
        kind = _kind(value)
        if value is None and at.rpartition(".")[2] in NULLABLE:
            return []
        if not _fits(kind, shape):
            return [f"{at or 'body'} is {kind}, not {types}"]
        if at.rpartition(".")[2] in FREE_FORM:
            return []
        if isinstance(value, dict) and "keys" in shape:
            return self._key_differences(value, shape["keys"], at)
        if isinstance(value, list) and "items" in shape:
            found = [self.differences(item, shape["items"], f"{at}[]") for item in value]
            return [difference for differences in found for difference in differences]
        return []

    def _key_differences(self, value: dict[str, Any], keys: dict[str, Shape], at: str) -> list[str]:
        found = [
            f"{at}.{name} is missing"
            for name, shape in keys.items()
            if name not in value and shape.get("presence") == "always" and not self._is_legacy(name, shape)
        ]
        for name, member in value.items():
            place = f"{at}.{name}" if at else name
            if name in keys:
                found += self.differences(member, keys[name], place)
            elif not self._is_newer(place):
                found.append(f"{place} is not in the recording")
        return found

    def _is_newer(self, place: str) -> bool:
        parts = place.replace("[]", "").split(".")
        return parts[-1] in self._newer or ".".join(parts[-2:]) in self._newer

    def _is_legacy(self, name: str, shape: Shape) -> bool:
        months: list[str] = shape.get("months_present", [])
        return name in self._legacy or bool(months and max(months) < LAST_MONTH)


def _kind(value: Any) -> str:
    kinds: dict[type, str] = {
        type(None): "null",
        bool: "boolean",
        int: "integer",
        float: "number",
        str: "string",
        list: "array",
        dict: "object",
    }
    return kinds[type(value)]


def _fits(kind: str, shape: Shape) -> bool:
    types: list[str] = shape["types"]
    if kind in types or (kind in ("integer", "number") and {"integer", "number"} & set(types)):
        return True
    return types == ["null"] and kind == "string"
