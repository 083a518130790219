"""Every command explains itself, quickly and with an example."""

import subprocess
import sys
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from stoker.cli.app import cli


def commands(group: click.Group = cli, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name)


PATHS = [path for path in commands() if path != ("serve",)]


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_help_says_what_it_does_and_shows_an_example(path: tuple[str, ...]) -> None:
    result = CliRunner().invoke(cli, [*path, "--help"])
    assert result.exit_code == 0
    assert result.stdout.startswith("Usage: ")
    if path not in (("token",), ("predictions",)):
        assert "Example" in result.stdout
        assert f"stoker {' '.join(path)}".strip() in result.stdout


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_help_fits_a_terminal_of_100_columns(path: tuple[str, ...]) -> None:
    result = CliRunner().invoke(cli, [*path, "--help"], terminal_width=100)
    assert max(map(len, result.stdout.splitlines())) <= 100


def test_no_summary_of_a_command_is_cut_off_at_80_columns() -> None:
    for path in {path[:-1] for path in PATHS if path}:
        result = CliRunner().invoke(cli, [*path, "--help"], terminal_width=80)
        summaries = result.stdout.partition("\nCommands:\n")[2].partition("\n\n")[0].splitlines()
        assert summaries, path
        assert not [line for line in summaries if line.endswith("...")]


def test_every_option_has_a_help_text() -> None:
    for path in PATHS:
        command: click.Command = cli
        for name in path:
            assert isinstance(command, click.Group)
            command = command.commands[name]
        for option in command.params:
            if isinstance(option, click.Option):
                assert option.help, f"{' '.join(path)} {option.opts}"


def test_help_imports_nothing_heavy() -> None:
    """What takes long to import waits until a command needs it."""
    code = (
        "import sys\n"
        "from stoker.cli.app import cli\n"
        "cli(['--help'], standalone_mode=False)\n"
        "print(sorted(sys.modules.keys() & {'httpx', 'rich', 'msgspec', 'asyncio', 'ssl'}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_without_a_command_there_is_help_and_status_2() -> None:
    result = CliRunner().invoke(cli, [])
    assert result.exit_code == 2
    assert "Commands:" in result.output


def test_version() -> None:
    assert CliRunner().invoke(cli, ["--version"]).stdout.startswith("stoker 0.")


def test_ctrl_c_while_the_program_is_imported() -> None:
    code = (
        "import sys\n"
        "class Interrupts:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'click':\n"
        "            raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupts())\n"
        "from stoker.main.program import main\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (130, "Interrupted.\n")
