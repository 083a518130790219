"""For how long each model's answers are given again, as its owner has set it, in memory.

Asked at every create, so that none has to read the store for it; read from there at the first.
"""

from stoker.ports import store


class Lifetimes:
    def __init__(self, kept: store.Lifetimes):
        self._store = kept
        self._known: dict[str, float] | None = None

    async def of(self, model: str) -> float | None:
        """Seconds, or None where the model has not opted in."""
        known = self._known
        if known is None:
            kept = await self._store.all()
            known = self._known = {ref.lower(): answer_s for ref, answer_s in kept.items()}
        return known.get(model.lower()) if known else None

    async def put(self, model: str, answer_s: float | None) -> bool:
        """Sets it; False where there is no such model."""
        held = await self._store.put(model, answer_s)
        self.forget()
        return held

    def forget(self) -> None:
        """Must be called when a model is deleted."""
        self._known = None
