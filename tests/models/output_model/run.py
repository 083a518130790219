"""A structured output: cog's BaseModel with a nested one, an optional field and a file."""

import tempfile
from pathlib import Path as LocalPath
from typing import Optional

from cog import BaseModel, BaseRunner, Path


class Inner(BaseModel):
    score: float


class Output(BaseModel):
    text: str
    inner: Inner
    note: Optional[str] = None
    file: Optional[Path] = None


class Runner(BaseRunner):
    def run(self, text: str, with_file: bool = False) -> Output:
        file = None
        if with_file:
            file = LocalPath(tempfile.mkdtemp()) / "out.txt"
            file.write_text(text)
        return Output(text=text, inner=Inner(score=0.5), file=Path(file) if file else None)
