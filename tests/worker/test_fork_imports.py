"""Which imports of a model a fork server may do before: only those that come first, only of packages."""

from pathlib import Path

import pytest

from stoker.engines.forking.imports import imports


def found(folder: Path, files: dict[str, str]) -> tuple[str, ...]:
    """What is found of a model with these files, where a and b are installed."""
    packages, source = folder / "site-packages", folder / "source"
    for name in ("a", "b", "cog"):
        (packages / name).mkdir(parents=True, exist_ok=True)
    (packages / "single.py").touch()
    (packages / "compiled.cpython-311-x86_64-linux-gnu.so").touch()
    for name, text in files.items():
        file = source / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return imports(source, "predict.py:Predictor", packages=packages)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import a", ["a"]),
        ("import os, a.c as d", ["a.c"]),
        ("from a.c import D, E", ["a.c:D", "a.c:E"]),
        ("from a import *", ["a"]),
        ("import single\nimport compiled", ["compiled", "single"]),
        ("import cog, os, missing", []),
        ('"""Words."""\nfrom __future__ import annotations\nSIZE = 3\nNAMES: list = ["x"]\nimport a', ["a"]),
        ("def f():\n    import b\n@f\nclass C:\n    x = 1\n    def g(self): ...\nimport a", ["a"]),
        (
            "try:\n    import missing\n    import a\nexcept ImportError:\n    pass\nimport b",
            ["a", "b"],
        ),
        ("if TYPE_CHECKING:\n    import b\nimport a", ["a"]),
        # what might do something ends it
        ("import a\nimport os\nos.environ['HOME'] = 'x'\nimport b", ["a"]),
        ("import a\nX = a.f()\nimport b", ["a"]),
        ("if a:\n    pass\nimport b", []),
        ("class C:\n    print()\nimport b", []),
        ("from . import x\nimport b", []),
        ("import a\nprint('hello')\nclass Predictor:\n    def setup(self):\n        import b", ["a"]),
        # what is at the head of setup
        (
            "class Predictor:\n    def setup(self):\n        import a\n        a.f()\n        import b",
            ["a"],
        ),
        ("class Other:\n    def setup(self):\n        import a", []),
        # what cannot be read
        ("import a\nthis is no Python", []),
    ],
)
def test_of_a_file(tmp_path: Path, text: str, expected: list[str]) -> None:
    assert list(found(tmp_path, {"predict.py": text})) == expected


def test_files_of_the_model_are_followed(tmp_path: Path) -> None:
    files = {
        "predict.py": "import a\nfrom lib.tools import part\nimport single",
        "lib/__init__.py": "from b import x",
        "lib/tools.py": "import compiled\nimport predict",
        "lib/part.py": "",
    }
    assert found(tmp_path, files) == ("a", "b:x", "compiled", "single")


def test_a_file_of_the_model_that_does_something_ends_it(tmp_path: Path) -> None:
    files = {"predict.py": "import helper\nimport a", "helper.py": "import b\nb.start()"}
    assert found(tmp_path, files) == ("b",)


def test_the_models_own_files_win_over_packages(tmp_path: Path) -> None:
    assert found(tmp_path, {"predict.py": "import a\nimport b", "a.py": ""}) == ("b",)
