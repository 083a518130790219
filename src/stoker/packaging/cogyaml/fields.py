"""Reading a loaded YAML document with every problem collected, not only the first.

Used by the readers of cog.yaml. A problem is recorded and a harmless value is given back, so that reading
goes on; the caller looks at ``problems`` once, at the end.
"""

from typing import Any


class Findings:
    """What a configuration made us say: problems end a build, warnings may, notes never do."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.warnings: list[str] = []
        self.notes: list[str] = []


class Fields:
    """One mapping of the document; ``name`` is its dotted place, empty for the document itself."""

    def __init__(self, value: Any, name: str, findings: Findings):
        self.name = name
        self.findings = findings
        self.present = value is not None
        if value is not None and not isinstance(value, dict):
            self.problem("", "must be a mapping")
            value = None
        self._values: dict[str, Any] = dict(value or {})

    def __contains__(self, key: str) -> bool:
        """Whether the key has a value; null is none."""
        return self._values.get(key) is not None

    def problem(self, key: str, sentence: str) -> None:
        """Records that the key (empty: the mapping itself) is wrong: ``NAME must …``."""
        self.findings.problems.append(f"{self._full(key) or 'cog.yaml'} {sentence}")

    def child(self, key: str) -> "Fields":
        return Fields(self._values.get(key), self._full(key), self.findings)

    def raw(self, key: str) -> Any:
        return self._values.get(key)

    def text(self, key: str) -> str | None:
        value = self._values.get(key)
        if value is None or isinstance(value, str):
            return value
        self.problem(key, "must be a string")
        return None

    def items(self, key: str) -> list[Any]:
        value = self._values.get(key)
        if value is None:
            return []
        if isinstance(value, list):
            return list(value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        self.problem(key, "must be a list")
        return []

    def texts(self, key: str) -> tuple[str, ...]:
        values = self.items(key)
        if all(isinstance(value, str) for value in values):
            return tuple(values)
        self.problem(key, "must be a list of strings")
        return ()

    def flag(self, key: str) -> bool:
        value = self.text(key)
        if value is None or value.lower() in ("false", "no", "off"):
            return False
        if value.lower() not in ("true", "yes", "on"):
            self.problem(key, "must be true or false")
        return True

    def integer(self, key: str) -> int | None:
        value = self.text(key)
        if value is None:
            return None
        try:
            return int(value)
        except ValueError:
            self.problem(key, "must be a whole number")
            return None

    def warn_of_others(self, known: set[str]) -> None:
        """A warning for each key that is not known; it has no effect."""
        for key in self._values:
            if key not in known:
                self.findings.warnings.append(f'"{self._full(key)}" is not a key of cog.yaml and is ignored.')

    def _full(self, key: str) -> str:
        return ".".join(part for part in (self.name, key) if part)
