"""The smallest models that show each thing an engine must do."""

import time
from collections.abc import Iterator
from pathlib import Path as LocalPath

from cog import BasePredictor, Input, Path


class Echo(BasePredictor):
    def setup(self) -> None:
        print("set up")

    def predict(
        self, text: str = Input(default="nothing"), image: Path = Input(default=None), wait: bool = False
    ) -> str:
        print(f"echoing {text}")
        self.record_metric("letters", len(text))
        if wait:
            time.sleep(1000)
        return text + (image.read_text() if image else "")

    def healthcheck(self) -> bool:
        return True


def count(n: int) -> Iterator[str]:
    for i in range(n):
        yield str(i)


def picture() -> Path:
    LocalPath("picture.png").write_text("pixels")
    return Path("picture.png")


def fails() -> str:
    raise ValueError("boom")


class Unready(BasePredictor):
    def setup(self) -> None:
        raise RuntimeError("no weights")

    def predict(self) -> str:
        return ""


async def together(text: str) -> str:
    return text
