"""cog.yaml: what each key gives, what is refused and in which words."""

import pytest

from stoker.core.errors import ConfigInvalid
from stoker.packaging.cogyaml.config import Command, Config, SecretMount
from stoker.packaging.cogyaml.reader import read_config

RUN = "run: run.py:Runner\n"


def read(text: str) -> Config:
    return read_config(text, sdk_version="0.23.1")


def build(lines: str) -> str:
    indented = "".join(f"  {line}\n" for line in lines.splitlines())
    return f"build:\n{indented}{RUN}"


def test_the_least_is_a_reference() -> None:
    config = read(RUN)
    assert config == Config(predict="run.py:Runner")


def test_a_version_without_quotes_keeps_its_digits() -> None:
    assert read(build("python_version: 3.10")).python == (3, 10)


VALUES = {
    "patch version": (build('python_version: "3.11.4"'), "python", (3, 11)),
    "old version runs on the oldest": (build("python_version: 3.8"), "python", (3, 10)),
    "no version": (build("gpu: false"), "python", (3, 13)),
    "later version": (build("python_version: 3.19"), "python", (3, 19)),
    "requirements": (build("python_version: 3.11\npython_requirements: r.txt"), "requirements", "r.txt"),
    "packages": (build("python_version: 3.11\npython_packages: [a, b==1.0]"), "packages", ("a", "b==1.0")),
    "packages with numbers": (
        build("python_version: 3.11\nsystem_packages: [1.10]"),
        "system_packages",
        ("1.10",),
    ),
    "null list": (build("python_version: 3.11\nsystem_packages: null"), "system_packages", ()),
    "gpu": (build("python_version: 3.11\ngpu: yes"), "gpu", True),
    "cuda": (build("python_version: 3.11\ncuda: 12.10"), "cuda", "12.10"),
    "run before pre_install": (
        build("python_version: 3.11\npre_install: [b]\nrun:\n- a\n- command: c"),
        "commands",
        (Command("a"), Command("c"), Command("b")),
    ),
    "secret mount": (
        build("python_version: 3.11\nrun:\n- command: c\n  mounts: [{type: secret, id: i, target: /t}]"),
        "commands",
        (Command("c", (SecretMount("i", "/t"),)),),
    ),
    "predict": ("predict: a/b.py:P\n", "predict", "a/b.py:P"),
    "train alone": ("train: t.py:train\n", "train", "t.py:train"),
    "concurrency": (RUN + "concurrency: {max: 8, default_target: 4}\n", "concurrency", 8),
    "variables": (RUN + "environment: ['A=', 'B=x = y']\n", "variables", {"A": "", "B": "x = y"}),
    "anchors and merge keys": (
        "a: &a {python_version: '3.12'}\nbuild:\n  <<: *a\n  python_version: '3.11'\n" + RUN,
        "python",
        (3, 11),
    ),
}


@pytest.mark.parametrize(("text", "field", "value"), VALUES.values(), ids=VALUES.keys())
def test_a_key_gives(text: str, field: str, value: object) -> None:
    assert getattr(read(text), field) == value


PROBLEMS = {
    "nothing": ("", "no predict or train reference found in cog.yaml"),
    "not a mapping": ("[1, 2]", "cog.yaml must be a mapping"),
    "not YAML": ("a: [", "not readable YAML"),
    "twice": (RUN + RUN, '"run" is written twice in line 2'),
    "too deep": ("a: " + "[" * 5000, "not readable YAML"),
    "version without minor": (build("python_version: 3"), "major and minor version (e.g., '3.11')"),
    "version of letters": (build("python_version: a.b"), "invalid major/minor version number"),
    "version two": (build("python_version: 2.7"), "minimum supported Python version is 3.10"),
    "version as list": (build("python_version: [3]"), "build.python_version must be a string"),
    "both package keys": (
        build("python_version: 3.11\npython_packages: [a]\npython_requirements: r"),
        "only one of python_packages or python_requirements can be set, not both",
    ),
    "list wanted": (build("python_version: 3.11\npython_packages: six"), "python_packages must be a list"),
    "newline in command": (build('python_version: 3.11\nrun: ["a\\nb"]'), "contains a new line"),
    "command missing": (
        build("python_version: 3.11\nrun: [{mounts: []}]"),
        "build.run[0].command is required",
    ),
    "mount of another kind": (
        build("python_version: 3.11\nrun: [{command: a, mounts: [{type: bind, id: i, target: /t}]}]"),
        "type must be 'secret'",
    ),
    "gpu in words": (build("python_version: 3.11\ngpu: maybe"), "build.gpu must be true or false"),
    "cuda without minor": (
        build("python_version: 3.11\ncuda: 12"),
        "major and minor versions (e.g., '11.8')",
    ),
    "cuda of letters": (build("python_version: 3.11\ncuda: x.y"), "invalid major version number"),
    "old cuda": (build("python_version: 3.11\ncuda: 10.2"), "minimum supported CUDA version is 11"),
    "old sdk": (
        build("python_version: 3.11\nsdk_version: 0.15.9"),
        "cog version 0.15.9 is below the minimum required version 0.16.0",
    ),
    "sdk of letters": (build("python_version: 3.11\nsdk_version: new"), "sdk_version is not a version"),
    "run and predict": (RUN + "predict: a.py:A\n", "only one of run or predict can be set"),
    "run without class": ("run: run.py\n", "must be in the form 'run.py:Runner'"),
    "predict twice": ("predict: a.py:b.py:C\n", "must be in the form 'predict.py:Predictor'"),
    "train without function": (RUN + "train: train\n", "must be in the form 'train.py:Trainer'"),
    "concurrency without max": (RUN + "concurrency: {}\n", "concurrency.max is required"),
    "no slots": (RUN + "concurrency: {max: 0}\n", "concurrency.max must be at least 1"),
    "slots in words": (RUN + "concurrency: {max: many}\n", "concurrency.max must be a whole number"),
    "slots on an old python": (
        build("python_version: 3.10") + "concurrency: {max: 2}\n",
        "concurrency.max > 1 requires Python 3.11",
    ),
    "variables as mapping": (RUN + "environment: {A: b}\n", "environment must be a list"),
    "variable without value": (RUN + "environment: [A]\n", "must be a list of NAME=value"),
    "variable twice": (RUN + "environment: [A=1, A=2]\n", "environment variable A is already defined"),
    "reserved name": (RUN + "environment: [PATH=/x]\n", "PATH is not allowed: reserved for internal use"),
    "reserved prefix": (RUN + "environment: [R8_X=1]\n", "R8_X is not allowed: reserved for internal use"),
    "image and model": (RUN + "image: a\nmodel: b\n", "only one of image or model can be set"),
    "model with tag": (RUN + "model: host:5000/a/b:tag\n", "must be a bare repository"),
    "weights without model": (
        RUN + "weights: [{name: a, target: /src/a, source: {uri: a}}]\n",
        "weights require 'model'",
    ),
    "weights at the root": (
        RUN + "model: m\nweights: [{name: a, target: /, source: {uri: a}}]\n",
        "must be an absolute path other than /",
    ),
    "weights in weights": (
        RUN
        + "model: m\nweights: [{name: a, target: /src/a, source: {uri: a}}, "
        + "{name: b, target: /src/a/b, source: {uri: b}}]\n",
        "must not be, contain or lie in /src/a",
    ),
    "weights with a pattern that takes back": (
        RUN + "model: m\nweights: [{name: a, target: /src/a, source: {uri: a, include: ['!x']}}]\n",
        "must hold patterns without '!'",
    ),
}


@pytest.mark.parametrize(("text", "words"), PROBLEMS.values(), ids=PROBLEMS.keys())
def test_it_is_refused_with(text: str, words: str) -> None:
    with pytest.raises(ConfigInvalid) as refused:
        read(text)
    assert words in refused.value.message


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(ConfigInvalid) as refused:
        read(build("python_version: 2.7\ngpu: maybe") + "predict: x\nenvironment: [PATH=/]\n")
    assert refused.value.message.count("\n- ") == 5


WARNINGS = {
    "unknown key": (RUN + "colour: red\n", '"colour" is not a key of cog.yaml and is ignored.'),
    "unknown build key": (build("python_version: 3.11\nfoo: 1"), '"build.foo" is not a key of cog.yaml'),
    "no python version": (build("gpu: false"), "python_version is missing; 3.13 is used."),
    "old python": (build("python_version: 3.7"), "3.10 is used instead of 3.7"),
    "other sdk": (build("python_version: 3.11\nsdk_version: 0.17.0"), "this server installs 0.23.1"),
    "prerelease": (build("python_version: 3.11\nsdk_version: prerelease"), "this server installs 0.23.1"),
}


@pytest.mark.parametrize(("text", "words"), WARNINGS.values(), ids=WARNINGS.keys())
def test_it_warns(text: str, words: str) -> None:
    assert any(words in warning for warning in read(text).warnings)


@pytest.mark.parametrize(
    "text",
    [
        "predict: a.py:A\n",
        RUN + "tests: [{command: x}]\nconcurrency: {max: 1}\nimage: r.test/a\n",
        build("python_version: 3.11\nfast: true\ncog_runtime: true\npre_install: [a]\nsdk_version: 0.23.1"),
    ],
)
def test_older_spellings_are_no_warnings(text: str) -> None:
    assert read(text).warnings == ()
