"""Sections 3.1, 3.2 and 3.5 of the Cog contract: from a reference to something that can be called."""

from __future__ import annotations

import asyncio
import inspect
import pickle
import sys

import pytest

from stoker_worker import loading
from stoker_worker.errors import ModelError

METHOD = "{}(self, x: str) -> str: return 'ran ' + x"
RUN = "    def " + METHOD.format("run")
PREDICT = "    def " + METHOD.format("predict")

FORMS = {
    "run, with BaseRunner": f"class Runner(BaseRunner):\n{RUN}",
    "run, without a base": f"class Runner:\n{RUN}",
    "predict, with BasePredictor": f"class Runner(BasePredictor):\n{PREDICT}",
    "predict, with BaseRunner": f"class Runner(BaseRunner):\n{PREDICT}",
    "predict, without a base": f"class Runner:\n{PREDICT}",
    "inherited": f"class A(BaseRunner):\n{RUN}\nclass Runner(A): ...",
    "function": "def Runner(x: str) -> str: return 'ran ' + x",
    "async function": "async def Runner(x: str) -> str: return 'ran ' + x",
    "lambda": "Runner = lambda x: 'ran ' + x",
    "assigned instance": f"class A:\n{RUN}\nRunner = A()",
    "under if": f"if True:\n  class Runner:\n{RUN}",
    "static method": "class Runner:\n    @staticmethod\n    def run(x: str) -> str: return 'ran ' + x",
    "class method": f"class Runner:\n    @classmethod\n{RUN}",
    "mix-in before the base": f"class M:\n{RUN}\nclass Runner(M, BaseRunner): ...",
}


@pytest.mark.parametrize("source", FORMS.values(), ids=FORMS)
def test_every_accepted_form_runs(models, source):
    loaded = models.load(f"from cog import BasePredictor, BaseRunner\n{source}")
    answer = loaded.target(x="it")
    assert (asyncio.run(answer) if inspect.isawaitable(answer) else answer) == "ran it"


REFUSED = {
    "only __call__": (
        "class Runner:\n    def __call__(self): ...",
        "run or predict method not found: Runner",
    ),
    "neither": ("class Runner(BaseRunner): ...", "run or predict method not found: Runner"),
    "both": (
        "class Runner:\n    def run(self): ...\n    def predict(self): ...",
        "Runner must define either run() or predict(), not both",
    ),
    "both, one inherited": (
        "class A(BaseRunner):\n    def run(self): ...\nclass Runner(A):\n    def predict(self): ...",
        "Runner must define either run() or predict(), not both",
    ),
    "mix-in after the base": (
        "class M:\n    def run(self): ...\nclass Runner(BaseRunner, M): ...",
        "run or predict method not found: Runner",
    ),
    "instance without run": ("Runner = object()", "run or predict method not found: Runner"),
}


@pytest.mark.parametrize(("source", "message"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("make", [True, False])
def test_what_is_no_model_is_refused(models, source, message, make):
    with pytest.raises(ModelError) as raised:
        models.load(f"from cog import BaseRunner\n{source}", make=make)
    assert str(raised.value) == message


def test_the_module_has_the_files_base_name_while_it_runs(models):
    source = """
        import sys
        class Value: ...
        class Runner:
            name, package = __name__, __package__
            known = sys.modules[__name__].Value is Value
            def run(self) -> str: ...
    """
    path = models.write(source, "deep/er/special_pred.py")
    loaded = loading.load(f"{path}:Runner")
    assert (loaded.instance.name, loaded.instance.package) == ("special_pred", "")
    assert loaded.instance.known
    value = sys.modules["special_pred"].Value()
    assert type(pickle.loads(pickle.dumps(value))) is type(value)


def test_a_file_is_imported_once_for_both_halves(models):
    path = models.write("class Runner:\n    def run(self): ...\ndef train(): ...")
    runner, trainer = loading.load(f"{path}:Runner"), loading.load(f"{path}:train", mode="train")
    assert runner.target.__globals__ is trainer.target.__globals__


def test_a_file_named_like_a_standard_module_is_the_model(models, monkeypatch):
    import queue

    monkeypatch.setitem(sys.modules, "queue", queue)
    path = models.write("def run() -> str: return 'mine'", "queue.py")
    assert loading.load(f"{path}:run").target() == "mine"


def test_a_module_that_fails_is_not_kept(models):
    path = models.write("raise RuntimeError('no GPU')", "fails.py")
    with pytest.raises(RuntimeError, match="no GPU"):
        loading.load(f"{path}:Runner")
    assert "fails" not in sys.modules


def test_a_reference_that_leads_nowhere_says_so(models):
    path = models.write("")
    with pytest.raises(ModelError, match=r"predict\.py has no Runner at its top level"):
        loading.load(f"{path}:Runner")
    with pytest.raises(ModelError, match=r"gone\.py does not exist"):
        loading.load("gone.py:Runner")


def test_a_class_is_made_without_arguments(models):
    source = "class Runner:\n    def __init__(self, size): ...\n    def run(self) -> str: ..."
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        models.load(source)
    with pytest.raises(ModelError, match="Runner must be instantiable without arguments"):
        models.load(source, make=False)


def test_an_abstract_class_is_no_model(models):
    source = """
        import abc
        class Runner(abc.ABC):
            @abc.abstractmethod
            def run(self) -> str: ...
    """
    with pytest.raises(TypeError, match="abstract"):
        models.load(source)
    with pytest.raises(ModelError, match="Runner is abstract"):
        models.load(source, make=False)


def test_describing_makes_no_instance(models):
    source = """
        class Runner:
            def __init__(self): raise RuntimeError("needs a GPU")
            def setup(self): ...
            def run(self) -> str: ...
    """
    assert models.load(source, make=False).instance is None


def test_setup_and_healthcheck_are_found(models):
    source = """
        from cog import BaseRunner
        class Runner(BaseRunner):
            def setup(self, weights=None): return "set up"
            def healthcheck(self): return True
            def run(self) -> str: ...
        class Bare(BaseRunner):
            def run(self) -> str: ...
        def function() -> str: ...
    """
    path = models.write(source)
    runner, bare, function = (loading.load(f"{path}:{name}") for name in ("Runner", "Bare", "function"))
    assert runner.setup() == "set up" and runner.healthcheck() is True
    assert bare.setup is None and bare.healthcheck is None
    assert function.setup is None and function.healthcheck is None and function.instance is None


WARNED = [
    (
        "class P(BasePredictor):\n    def predict(self): ...",
        (
            "BasePredictor is deprecated; use BaseRunner instead",
            "P.predict() is deprecated; use run() instead",
        ),
    ),
    ("class P:\n    def predict(self): ...", ("P.predict() is deprecated; use run() instead",)),
    ("class P(BaseRunner):\n    def run(self): ...", ()),
]


@pytest.mark.parametrize(("source", "warnings"), WARNED)
def test_old_spellings_are_told(models, source, warnings):
    loaded = models.load(f"from cog import BasePredictor, BaseRunner\n{source}", "P")
    assert loaded.warnings == warnings


GUESSES = [
    ("class Runner:\n    def run(self): ...", "Runner", ()),
    ("def Runner(): ...", "Runner", ()),
    (
        "class Predictor:\n    def run(self): ...",
        "Predictor",
        ("Predictor is deprecated; use Runner instead",),
    ),
    (
        "class Runner:\n    def run(self): ...\nclass Predictor: ...",
        "Runner",
        ("both Runner and Predictor are defined; using Runner",),
    ),
    (
        "class Runner: ...\nclass Predictor:\n    def run(self): ...",
        "Predictor",
        ("Predictor is deprecated; use Runner instead",),
    ),
]


@pytest.mark.parametrize(("source", "name", "warnings"), GUESSES)
def test_without_a_name_runner_is_tried_then_predictor(models, source, name, warnings):
    loaded = loading.load(models.write(source))
    assert (loaded.name, loaded.warnings) == (name, warnings)


def test_without_a_name_and_without_either(models):
    with pytest.raises(ModelError, match="module 'predict' has no Runner or Predictor"):
        loading.load(models.write(""))
    with pytest.raises(ModelError, match="run or predict method not found: Runner"):
        loading.load(models.write("class Runner: ...", "other.py"))


def test_a_class_is_trained_by_its_train_method(models):
    source = """
        class Both:
            def run(self) -> str: return "ran"
            def train(self) -> str: return "trained"
        class Old:
            def predict(self) -> str: return "predicted"
        class Only:
            def train(self) -> str: return "trained"
    """
    path = models.write(source)
    answers = [loading.load(f"{path}:{name}", mode="train").target() for name in ("Both", "Old", "Only")]
    assert answers == ["trained", "predicted", "trained"]
    assert loading.load(f"{path}:Both").target() == "ran"
