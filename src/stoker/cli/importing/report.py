"""What an import did, thing by thing, and how it is told at the end. Pure but for the printing."""

from collections import Counter
from typing import Any, Literal

from stoker.cli.terminal import text

What = Literal["new", "changed", "here", "left"]
COLUMNS: tuple[What, ...] = ("new", "changed", "here", "left")
HEADS = {
    False: ["what", "new", "changed", "here already", "not copied"],
    True: ["what", "would be new", "would change", "here already", "not copied"],
}
MOST_NAMES = 3


class Report:
    """Counts by kind of thing (``model``, ``prediction``), and every reason for what was left out."""

    def __init__(self, *, dry: bool):
        self.dry = dry
        self.counts: dict[str, Counter[What]] = {}
        self.left: dict[tuple[str, str], list[str]] = {}
        """Names by kind and reason."""

    @property
    def is_whole(self) -> bool:
        """Whether everything is here now; a file that stays a link is no gap."""
        return all(kind == "file" for kind, _ in self.left)

    def note(self, kind: str, what: What) -> None:
        self.counts.setdefault(kind, Counter())[what] += 1

    def leave(self, kind: str, name: str, why: str) -> None:
        """It is not copied, for this reason."""
        self.note(kind, "left")
        self.left.setdefault((kind, why), []).append(name)

    def rows(self) -> list[list[str]]:
        return [
            [f"{kind}s", *(str(counts[what]) for what in COLUMNS)] for kind, counts in self.counts.items()
        ]

    def reasons(self) -> list[str]:
        """A sentence for each reason and kind, with the first names."""
        told = []
        for (kind, why), names in self.left.items():
            more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
            told.append(f"Not copied: {kind} {', '.join(names[:MOST_NAMES])}{more}: {why}")
        return told

    def to_json(self) -> dict[str, Any]:
        left = [{"kind": kind, "why": why, "names": names} for (kind, why), names in self.left.items()]
        counts = {kind: {what: counts[what] for what in COLUMNS} for kind, counts in self.counts.items()}
        return {"dry_run": self.dry, "counts": counts, "not_copied": left}

    def print(self) -> None:
        """The table on stdout."""
        text.table(HEADS[self.dry], self.rows())
