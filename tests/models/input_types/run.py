"""One input of every kind but files and secrets; gives back each value's type and value."""

from typing import Any, Dict, List, Optional, Union

from cog import BaseRunner, Input


class Runner(BaseRunner):
    def run(
        self,
        text: str = Input(description="Any text", default="plain"),
        number: int = Input(default=3, ge=1, le=10),
        ratio: float = Input(default=0.5, ge=0, le=2),
        flag: bool = Input(default=False),
        style: str = Input(default="bold", choices=["plain", "bold"]),
        level: int = Input(default=2, choices=[1, 2, 3]),
        name: str = Input(default="abc", min_length=2, max_length=5, regex="^a"),
        words: List[str] = Input(default=["a", "b"]),
        numbers: list[int] = Input(default=[]),
        mapping: dict = Input(default={}),
        table: Dict[str, int] = Input(default={}),
        either: Union[str, int] = Input(default="one"),
        maybe: Optional[str] = Input(default=None),
        perhaps: int | None = None,
        seed: int = Input(default=None),
        anything: Any = Input(default={}),
        old: str = Input(default="", deprecated=True),
    ) -> dict:
        values = dict(locals())
        del values["self"]
        return {name: [type(value).__name__, value] for name, value in values.items()}
