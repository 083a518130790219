"""YAML whose scalars stay as they were written: ``3.10`` is the text ``3.10`` and never the number 3.1.

Called by ``reader`` only. It builds mappings, lists, texts and None, and nothing else.
"""

from typing import Any

import yaml

TEXT_LIMIT = 1024 * 1024
_TEXT_TAGS = ("bool", "int", "float", "timestamp", "binary")


class _TextLoader(yaml.SafeLoader):
    """Keeps scalars as text, refuses a key that is written twice."""


def _text(loader: _TextLoader, node: yaml.ScalarNode) -> str:
    return str(loader.construct_scalar(node))


def _mapping(loader: _TextLoader, node: yaml.MappingNode) -> dict[str, Any]:
    _refuse_repeats(node)
    loader.flatten_mapping(node)
    mapping: dict[str, Any] = {}
    for key_node, value_node in node.value:
        mapping[key_node.value] = loader.construct_object(value_node, deep=True)  # pyright: ignore[reportUnknownMemberType]
    return mapping


def _refuse_repeats(node: yaml.MappingNode) -> None:
    """Before merge keys are followed: a merged key may be written again, an own one may not."""
    seen: set[str] = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise yaml.MarkedYAMLError(problem="a key must be text", problem_mark=key.start_mark)
        if key.value in seen:
            raise yaml.MarkedYAMLError(problem=f'"{key.value}" is written twice', problem_mark=key.start_mark)
        seen.add(key.value)


for _tag in _TEXT_TAGS:
    _TextLoader.add_constructor(f"tag:yaml.org,2002:{_tag}", _text)
_TextLoader.add_constructor("tag:yaml.org,2002:map", _mapping)


def load(text: str) -> Any:
    """The document; raises ``ValueError`` with a sentence that names the place."""
    if len(text) > TEXT_LIMIT:
        raise ValueError("it is larger than 1 MiB")
    try:
        return yaml.load(text, Loader=_TextLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ValueError(f"{error.problem or error.context}{where}") from None
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
