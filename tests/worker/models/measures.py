"""Models about metrics and their scope."""

import asyncio
import threading
from typing import Any

import cog
from cog import BasePredictor


class Measures(BasePredictor):
    def setup(self) -> None:
        self.record_metric("in_setup", 1)
        cog.current_scope().metrics["also"] = 1

    def predict(self) -> dict:
        self.record_metric("tokens", 1)
        self.record_metric("tokens", 2, mode="incr")
        self.scope.metrics["time.first"] = 0.5
        cog.current_scope().metrics.record("list", "a", "append")
        self.scope.metrics["gone"] = "x"
        del self.scope.metrics["gone"]
        self.scope.metrics["gone"] = 5
        self.scope.metrics["gone"] = None
        self.record_metric("nan", float("nan"))
        thread = threading.Thread(target=lambda: self.record_metric("thread", True))
        thread.start()
        thread.join()
        return {"context": self.scope.context}


def emits() -> str:
    from cog import emit_metric

    emit_metric("emitted", 1.5)
    return ""


def keeps_scope() -> str:
    """Records on the scope of the run before, too."""
    old = getattr(keeps_scope, "scope", None)
    if old is not None:
        old.record_metric("late", 1)
    keeps_scope.scope = cog.current_scope()  # type: ignore[attr-defined]
    return ""


async def slotted(name: str) -> Any:
    for _ in range(5):
        await asyncio.sleep(0)
        cog.current_scope().record_metric(name, 1, mode="incr")
    await asyncio.to_thread(cog.current_scope().record_metric, f"{name}.thread", 1)
    return cog.current_scope().context


def violates(how: str) -> str:
    scope = cog.current_scope()
    scope.record_metric("t", 1)
    {
        "type": lambda: scope.record_metric("t", "text"),
        "value": lambda: scope.record_metric("u", (1,)),
        "mode": lambda: scope.record_metric("", 1, mode="bogus"),
    }[how]()
    return ""
