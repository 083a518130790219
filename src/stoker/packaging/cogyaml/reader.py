"""Reads cog.yaml: text in, a ``Config`` or every problem out. Pure; called by the builder.

The keys and rules are those of section 1 of the Cog contract. ``build`` and ``weights`` have modules of their
own.
"""

import re

from stoker.core.errors import ConfigInvalid
from stoker.packaging.cogyaml.build import read_build
from stoker.packaging.cogyaml.config import Config
from stoker.packaging.cogyaml.fields import Fields, Findings
from stoker.packaging.cogyaml.weights import read_weights
from stoker.packaging.cogyaml.yamltext import load

_KEYS = {
    "build",
    "run",
    "predict",
    "train",
    "concurrency",
    "environment",
    "image",
    "model",
    "weights",
    "tests",
}
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=.*", re.DOTALL)
_RESERVED_NAMES = {
    "PATH",
    "LD_LIBRARY_PATH",
    "PYTHONPATH",
    "VIRTUAL_ENV",
    "PYTHONUNBUFFERED",
    "LIBRARY_PATH",
    "HF_ENDPOINT",
    "HF_HUB_ENABLE_HF_TRANSFER",
}
_RESERVED_PREFIXES = ("R8_", "REPLICATE_", "CUDA_", "NVIDIA_", "NV_", "PGET_", "KUBERNETES_")
_REPOSITORY_TAIL = re.compile(r"[:@][^/]*$")


def read_config(text: str, *, sdk_version: str) -> Config:
    """The configuration; raises ``ConfigInvalid`` that lists all problems. ``sdk_version`` is ours."""
    try:
        document = load(text)
    except ValueError as error:
        raise ConfigInvalid(f"cog.yaml is not readable YAML: {error}.") from None
    findings = Findings()
    root = Fields(document, "", findings)
    root.warn_of_others(_KEYS)
    build = read_build(root.child("build"), sdk_version=sdk_version)
    config = Config(
        **build,
        predict=_predictor(root),
        train=_reference(root, "train", "train.py:Trainer"),
        concurrency=_concurrency(root.child("concurrency"), build.get("python")),
        variables=_variables(root),
        weights=read_weights(root),
        warnings=tuple(findings.warnings),
        notes=tuple(findings.notes),
    )
    _check_names(root)
    if not any(key in root for key in ("run", "predict", "train")):
        findings.problems.append("no predict or train reference found in cog.yaml")
    if findings.problems:
        raise ConfigInvalid(_list(findings.problems))
    return config


def _list(problems: list[str]) -> str:
    if len(problems) == 1:
        return f"cog.yaml: {problems[0]}"
    return "cog.yaml cannot be built:\n" + "\n".join(f"- {problem}" for problem in problems)


def _predictor(root: Fields) -> str | None:
    if "run" in root and "predict" in root:
        root.findings.problems.append("only one of run or predict can be set")
    if "predict" in root:
        root.findings.notes.append('"predict" in cog.yaml is deprecated; "run" is its name today.')
    predict = _reference(root, "predict", "predict.py:Predictor")
    return _reference(root, "run", "run.py:Runner") or predict


def _reference(root: Fields, key: str, example: str) -> str | None:
    value = root.text(key)
    if value is None:
        return None
    file, _, name = value.partition(".py:")
    if value.count(".py:") != 1 or not file or not name:
        root.problem(key, f"must be in the form '{example}'")
        return None
    return value


def _concurrency(fields: Fields, python: tuple[int, int] | None) -> int | None:
    if not fields.present:
        return None
    fields.warn_of_others({"max", "default_target"})
    if "max" not in fields:
        fields.problem("max", "is required")
        return None
    fields.findings.notes.append('"concurrency.max" is deprecated; use @cog.concurrent(max=N).')
    slots = fields.integer("max")
    if slots is None:
        return None
    if slots < 1:
        fields.problem("max", "must be at least 1")
    if slots > 1 and python is not None and python < (3, 11):
        fields.findings.problems.append("concurrency.max > 1 requires Python 3.11 or newer")
    return slots


def _variables(root: Fields) -> dict[str, str]:
    variables: dict[str, str] = {}
    for entry in root.texts("environment"):
        name, _, value = entry.partition("=")
        if not _VARIABLE.fullmatch(entry) or "\0" in entry:
            root.problem("environment", f"must be a list of NAME=value, and {entry!r} is not")
        elif name in variables:
            root.findings.problems.append(f"environment variable {name} is already defined")
        elif name in _RESERVED_NAMES or name.startswith(_RESERVED_PREFIXES):
            root.findings.problems.append(
                f"environment variable {name} is not allowed: reserved for internal use"
            )
        else:
            variables[name] = value
    return variables


def _check_names(root: Fields) -> None:
    """``image`` and ``model`` say where Cog pushes; here the push itself says it."""
    root.text("image")
    model = root.text("model")
    if "image" in root and "model" in root:
        root.findings.problems.append("only one of image or model can be set")
    if model is not None and _REPOSITORY_TAIL.search(model):
        root.problem("model", "must be a bare repository — tags and digests are not allowed")
