"""Metrics of every mode, and what the SDK says to wrong ones."""

from typing import Any

from cog import BaseRunner, Input, current_scope

WRONG: dict[str, tuple[Any, ...]] = {
    "reserved": ("predict_time", 1),
    "system": ("cog.x", 1),
    "empty": ("", 1),
    "long": ("a" * 129, 1),
    "deep": ("a.b.c.d.e", 1),
    "dot first": (".a", 1),
    "dots": ("a..b", 1),
    "digit first": ("1a", 1),
    "underscore last": ("a_", 1),
    "two underscores": ("a__b", 1),
    "blank": ("a b", 1),
    "tuple": ("t", (1, 2)),
    "none": ("t", None),
    "increment of text": ("t", "x", "incr"),
    "mode": ("t", 1, "bogus"),
}


class Runner(BaseRunner):
    def setup(self) -> None:
        self.record_metric("from_setup", 1)

    def run(
        self, kind: str = Input(default="good", choices=["good", "wrong", "changed type"]), fail: bool = False
    ) -> dict:
        answers: dict[str, str] = {}
        if kind == "good":
            self.good()
        elif kind == "changed type":
            self.record_metric("t", 1)
            answers["changed"] = self.attempt("t", "text")
            answers["int to float"] = self.attempt("t", 1.5)
        else:
            answers = {name: self.attempt(*arguments) for name, arguments in WRONG.items()}
        if fail:
            raise ValueError("metrics stay")
        return answers

    def good(self) -> None:
        self.record_metric("tokens", 5)
        self.record_metric("tokens", 2, mode="incr")
        self.record_metric("steps", "one", mode="append")
        self.record_metric("steps", "two", mode="append")
        self.record_metric("time.load.disk", 0.5)
        self.record_metric("gone", True)
        scope = current_scope()
        scope.metrics["by_item"] = [1, 2]
        scope.metrics.record("by_record", {"a": 1}, "replace")
        del scope.metrics["gone"]
        scope.record_metric("last", False)

    def attempt(self, *arguments: Any) -> str:
        try:
            self.record_metric(*arguments)
        except (ValueError, TypeError) as error:
            return f"{type(error).__name__}: {error}"
        return "accepted"
