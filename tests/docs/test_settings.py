"""docs/operating.md has every setting, with its flag, its variable, its default and the same in a file."""

import tomllib
from typing import Any

import click
import msgspec
import pytest

from stoker.core.settings import Settings
from stoker.main.config import variable_of
from stoker.main.entry import serve
from tests.docs.pages import ROOT, blocks

OPERATING = ROOT / "docs" / "operating.md"


def rows() -> dict[str, list[str]]:
    """Setting -> flag, variable, default, meaning."""
    lines = (line for line in OPERATING.read_text().splitlines() if line.startswith("| `"))
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0].strip("`"): row[1:] for row in cells if len(row) == 5}


def shown(default: Any) -> str:
    if default is msgspec.NODEFAULT:
        return "`~/.stoker`"
    if default in (None, ()):
        return "none"
    if isinstance(default, float):
        return f"`{default:g}`"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def test_every_setting_is_documented_and_nothing_else():
    assert list(rows()) == list(Settings.__struct_fields__)


@pytest.mark.parametrize("field", msgspec.structs.fields(Settings), ids=lambda field: field.name)
def test_a_setting_is_documented_as_it_is(field: msgspec.structs.FieldInfo):
    flags = {option.name: option.opts[-1] for option in serve.params if isinstance(option, click.Option)}
    flag, variable, default, meaning = rows()[field.name]
    assert flag == (f"`{flags[field.name]}`" if field.name in flags else "")
    assert variable == f"`{variable_of(field.name)}`"
    assert default == shown(field.default)
    assert meaning.endswith(".")


def test_the_example_file_can_be_read():
    (example,) = [block for block in blocks(OPERATING) if block.startswith("host = ")]
    settings = msgspec.convert(
        tomllib.loads(example) | {"data_dir": "data"}, Settings, strict=False, dec_hook=str_path
    )
    assert settings.allow_net == ("10.20.0.0/16",)


def str_path(type: type, value: Any) -> Any:
    return type(value)
