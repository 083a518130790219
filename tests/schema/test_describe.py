"""The builder's question, asked of a real process: bootstrap, describe and the answer."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from stoker_worker import bootstrap
from stoker_worker.describe import describe as described


def describe(
    folder: Path,
    source: str,
    predict: str | None = "predict.py:Runner",
    variables: dict[str, str] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """The answer of a process that was started as the builder starts it."""
    (folder / "predict.py").write_text(source)
    with tempfile.TemporaryFile() as answer:
        request = {"predict": predict, "train": None, "concurrency_max": None, "answer_fd": answer.fileno()}
        environment = {"STOKER_DESCRIBE": json.dumps({**request, **more}), **(variables or {})}
        done = subprocess.run(
            bootstrap.command(Path(sys.executable), "stoker_worker.describe"),
            cwd=folder,
            env=environment,
            pass_fds=[answer.fileno()],
            capture_output=True,
            text=True,
            timeout=60,
        )
        answer.seek(0)
        return {**json.loads(answer.read()), "rc": done.returncode, "out": done.stdout, "err": done.stderr}


SURROUNDINGS = """
import atexit, json, os, sys, threading
import cog
print(json.dumps({
    "argv": sys.argv, "path": sys.path[0], "cwd": os.getcwd(), "request": os.environ.get("STOKER_DESCRIBE"),
    "server": [name for name in sys.modules if name == "stoker" or name.startswith("stoker.")],
}))
try:
    import msgspec
except ModuleNotFoundError:
    print("no msgspec")
threading.Thread(target=threading.Event().wait).start()
class Runner(cog.BaseRunner):
    def run(self, x: str) -> str: ...
"""


def test_a_model_is_described_in_surroundings_like_cogs(tmp_path):
    answer = describe(tmp_path, SURROUNDINGS)
    assert (answer["ok"], answer["rc"], answer["err"]) == (True, 0, "")
    seen = json.loads(answer["out"].splitlines()[0])
    assert seen == {
        "argv": ["-c"],
        "path": "",
        "cwd": str(tmp_path),
        "request": None,
        "server": [],
    }
    assert answer["schema"]["components"]["schemas"]["Input"]["required"] == ["x"]
    assert (answer["slots"], answer["streaming"], answer["warnings"]) == (1, False, [])
    assert answer["cog_version"] == answer["schema"]["info"]["version"] == "0.23.1"


def test_the_servers_packages_are_not_on_the_path(tmp_path):
    show = "import sys, json; print(json.dumps(sys.path))"
    answer = describe(tmp_path, f"{show}\ndef Runner() -> str: ...")
    plain = subprocess.run([sys.executable, "-c", show], capture_output=True, check=True, env={})
    assert json.loads(answer["out"]) == json.loads(plain.stdout)


def test_an_environment_that_forbids_the_current_folder_changes_nothing(tmp_path):
    show = "import sys, json; print(json.dumps(sys.path))"
    source = f"{show}\ndef Runner() -> str: ..."
    safe = describe(tmp_path, source, variables={"PYTHONSAFEPATH": "1"})
    assert safe["ok"] and safe["out"] == describe(tmp_path, source)["out"]


def test_files_named_like_standard_modules_do_no_harm(tmp_path):
    for name in ("json", "inspect", "typing", "requests", "cog", "stoker_worker"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('the wrong module')")
    (tmp_path / "weights_of_mine.py").write_text("SIZE = 3")
    answer = describe(tmp_path, "from weights_of_mine import SIZE\ndef Runner(x: int = SIZE) -> str: ...")
    assert answer["ok"], answer


CONCURRENCY = [
    ("async def run(self) -> str: ...", None, 1),
    ("async def run(self) -> str: ...", 4, 4),
    ("@concurrent(max=3)\n    async def run(self) -> str: ...", None, 3),
    ("@concurrent(max=3)\n    async def run(self) -> str: ...", 5, 5),
    ("@concurrent(max=3)\n    async def run(self) -> str: ...", 1, 1),
    ("async def run(self) -> AsyncIterator[str]: yield ''", 2, 2),
    ("def run(self) -> str: ...", 1, 1),
    ("def run(self) -> str: ...", None, 1),
]


@pytest.mark.parametrize(("method", "asked", "slots"), CONCURRENCY)
def test_the_configured_concurrency_goes_before_the_decorators(models, method, asked, slots):
    source = f"from typing import AsyncIterator\nfrom cog import concurrent\nclass Runner:\n    {method}\n"
    assert described(f"{models.write(source)}:Runner", None, asked)["slots"] == slots


def test_concurrency_needs_an_async_method(tmp_path):
    answer = describe(tmp_path, "class Runner:\n    def run(self) -> str: ...", concurrency_max=2)
    assert (answer["ok"], answer["error"], answer["traceback"]) == (
        False,
        "concurrency.max > 1 requires an async run() or predict() method",
        "",
    )


FAILURES = [
    ("import a_package_nobody_has", "the model could not be imported: ModuleNotFoundError: No module named"),
    ("raise ValueError('no GPU')", "the model could not be imported: ValueError: no GPU"),
    ("def broken(:", "the model could not be imported: SyntaxError: invalid syntax"),
    ("import sys; sys.exit(3)", "the model called sys.exit(3) while it was imported"),
]


@pytest.mark.parametrize(("source", "sentence"), FAILURES)
def test_an_import_that_fails_is_told_with_the_models_own_frames(tmp_path, source, sentence):
    answer = describe(tmp_path, source)
    assert (answer["ok"], answer["rc"]) == (False, 0)
    assert answer["error"].startswith(sentence)
    assert "predict.py" in answer["traceback"]
    assert "loading.py" not in answer["traceback"] and "importlib" not in answer["traceback"]


def test_a_model_that_cannot_be_served_is_told_in_a_sentence(tmp_path):
    answer = describe(tmp_path, "class Runner:\n    def run(self, x: bytes) -> str: ...")
    assert (answer["ok"], answer["error"]) == (False, "unsupported type: bytes (input x)")


def test_both_halves_come_in_one_answer(tmp_path):
    source = "def train(n: int) -> str: ...\nclass Runner:\n    def predict(self) -> str: ..."
    answer = describe(tmp_path, source, train="predict.py:train")
    assert sorted(answer["schema"]["paths"]) == [
        "/",
        "/health-check",
        "/predictions",
        "/predictions/{prediction_id}/cancel",
        "/trainings",
        "/trainings/{training_id}/cancel",
    ]
    assert answer["warnings"] == ["Runner.predict() is deprecated; use run() instead"]


def test_a_training_alone_is_described(tmp_path):
    answer = describe(tmp_path, "def train(n: int) -> str: ...", None, train="predict.py:train")
    assert "/trainings" in answer["schema"]["paths"] and answer["slots"] == 1
