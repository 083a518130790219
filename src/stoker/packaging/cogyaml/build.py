"""The ``build`` part of cog.yaml: interpreter, packages, commands. Pure; called by ``reader``."""

from typing import Any

from packaging.version import InvalidVersion, Version

from stoker.packaging.cogyaml.config import DEFAULT_PYTHON, OLDEST_PYTHON, Command, SecretMount
from stoker.packaging.cogyaml.fields import Fields

_KEYS = {
    "python_version",
    "python_requirements",
    "python_packages",
    "python_overrides",
    "system_packages",
    "run",
    "pre_install",
    "gpu",
    "cuda",
    "cudnn",
    "sdk_version",
}
_WITHOUT_EFFECT = {"fast", "cog_runtime"}
"""Keys of old releases that changed how Cog built, never what."""

_OLDEST_SDK = Version("0.16.0")
_DEFAULT = ".".join(map(str, DEFAULT_PYTHON))
_OLDEST = ".".join(map(str, OLDEST_PYTHON))


def read_build(fields: Fields, *, sdk_version: str) -> dict[str, Any]:
    """The fields of ``Config`` that come from ``build``."""
    if not fields.present:
        return {"python": DEFAULT_PYTHON}
    fields.warn_of_others(_KEYS | _WITHOUT_EFFECT)
    if "python_requirements" in fields and "python_packages" in fields:
        fields.findings.problems.append(
            "only one of python_packages or python_requirements can be set, not both"
        )
    if "python_packages" in fields:
        fields.findings.notes.append('"python_packages" is deprecated; use python_requirements.')
    _check_sdk(fields, sdk_version)
    fields.text("cudnn")
    return {
        "python": _python(fields),
        "requirements": fields.text("python_requirements"),
        "overrides": fields.text("python_overrides"),
        "packages": fields.texts("python_packages"),
        "system_packages": fields.texts("system_packages"),
        "commands": _commands(fields, "run") + _commands(fields, "pre_install"),
        "gpu": fields.flag("gpu"),
        "cuda": _cuda(fields),
    }


def _python(fields: Fields) -> tuple[int, int]:
    text = fields.text("python_version")
    if text is None:
        if "python_version" not in fields:
            fields.findings.warnings.append(f"python_version is missing; {_DEFAULT} is used.")
        return DEFAULT_PYTHON
    parts = text.strip().split(".")
    if len(parts) < 2:
        fields.problem("python_version", "must include major and minor version (e.g., '3.11')")
        return DEFAULT_PYTHON
    if not (parts[0].isdecimal() and parts[1].isdecimal()):
        fields.problem("python_version", "has an invalid major/minor version number")
        return DEFAULT_PYTHON
    wanted = (int(parts[0]), int(parts[1]))
    if wanted[0] < OLDEST_PYTHON[0]:
        fields.findings.problems.append(f"minimum supported Python version is {_OLDEST}")
    elif wanted < OLDEST_PYTHON:
        fields.findings.warnings.append(
            f"minimum supported Python version is {_OLDEST}; {_OLDEST} is used instead of {text}."
        )
    return max(wanted, OLDEST_PYTHON)


def _check_sdk(fields: Fields, ours: str) -> None:
    text = fields.text("sdk_version")
    if text is None:
        return
    if text != "prerelease":
        try:
            wanted = Version(text)
        except InvalidVersion:
            fields.problem("sdk_version", f"is not a version: {text!r}")
            return
        if wanted < _OLDEST_SDK:
            fields.findings.problems.append(
                f"cog version {text} is below the minimum required version {_OLDEST_SDK}"
            )
            return
        if wanted == Version(ours):
            return
    fields.findings.warnings.append(f"sdk_version asks for cog {text}; this server installs {ours}.")


def _cuda(fields: Fields) -> str | None:
    text = fields.text("cuda")
    if text is None:
        return None
    major, dot, minor = text.partition(".")
    if not dot or not minor:
        fields.problem("cuda", "must include both major and minor versions (e.g., '11.8')")
    elif not major.isdecimal():
        fields.problem("cuda", "has an invalid major version number")
    elif int(major) < 11:
        fields.findings.problems.append("minimum supported CUDA version is 11")
    return text


def _commands(fields: Fields, key: str) -> tuple[Command, ...]:
    if key == "pre_install" and key in fields:
        fields.findings.notes.append('"pre_install" is deprecated; it runs after the commands of "run".')
    commands: list[Command] = []
    for number, item in enumerate(fields.items(key)):
        if isinstance(item, str):
            commands.append(Command(item))
        else:
            commands.append(_command(Fields(item, f"{fields.name}.{key}[{number}]", fields.findings)))
    if any("\n" in command.line.strip() for command in commands):
        fields.findings.problems.append(
            f"One of the commands in '{key}' contains a new line, which won't work. You need to create a new "
            f"list item in YAML prefixed with '-' for each command."
        )
    return tuple(commands)


def _command(fields: Fields) -> Command:
    fields.warn_of_others({"command", "mounts"})
    line = fields.text("command")
    if line is None:
        fields.problem("command", "is required")
    return Command(line or "", tuple(_mounts(fields)))


def _mounts(fields: Fields) -> list[SecretMount]:
    mounts: list[SecretMount] = []
    for number, item in enumerate(fields.items("mounts")):
        mount = Fields(item, f"{fields.name}.mounts[{number}]", fields.findings)
        id, target = mount.text("id"), mount.text("target")
        if mount.text("type") != "secret":
            mount.problem("type", "must be 'secret'")
        if id is None or target is None:
            mount.problem("", "must have an id and a target")
        else:
            mounts.append(SecretMount(id, target))
    return mounts
