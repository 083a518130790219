"""docs/commands.md says what the program can do, no more and no less."""

import re
from pathlib import Path

import click
import pytest

from stoker.main.entry import cli

PAGE = (Path(__file__).parents[2] / "docs" / "commands.md").read_text()
_SECTION = re.compile(r"^## `stoker ([a-z ]+)`\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
SECTIONS: dict[str, str] = dict(_SECTION.findall(PAGE))


def leaves(group: click.Group, prefix: str = "") -> dict[str, click.Command]:
    found: dict[str, click.Command] = {}
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            found |= leaves(command, f"{prefix}{name} ")
        else:
            found[prefix + name] = command
    return found


COMMANDS = leaves(cli)


def options(command: click.Command) -> set[str]:
    return {
        name
        for option in command.params
        if isinstance(option, click.Option)
        for name in (*option.opts, *option.secondary_opts)
    }


def test_every_command_has_its_section_and_every_section_its_command() -> None:
    assert set(SECTIONS) == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_documented_and_every_documented_one_exists(name: str) -> None:
    items = "\n".join(re.findall(r"^- `.*", SECTIONS[name], re.MULTILINE))
    documented = set(re.findall(r"`(--?[a-z][a-z-]*)", re.sub(r":.*", "", items)))
    assert documented == options(COMMANDS[name])


@pytest.mark.parametrize("name", COMMANDS)
def test_the_usage_line_names_the_command(name: str) -> None:
    assert f"\n    stoker {name}" in SECTIONS[name]


@pytest.mark.parametrize("name", COMMANDS)
def test_options_in_examples_exist(name: str) -> None:
    used = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", SECTIONS[name]))
    assert used <= options(COMMANDS[name])
