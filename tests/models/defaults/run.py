"""Defaults that are not plain values: a list that the model changes, a local file, none at all."""

from cog import BaseRunner, Input, Path


class Runner(BaseRunner):
    def run(
        self,
        grown: list[str] = Input(default=["first"]),
        file: Path = Input(default="note.txt"),
        nothing: str = Input(default=None),
    ) -> dict:
        grown.append("more")
        described = [type(file).__name__, Path(file).suffix, Path(file).is_file()]
        return {"file": described, "grown": grown, "nothing": nothing}
