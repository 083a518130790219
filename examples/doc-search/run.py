"""Finds the right page of Python's documentation; thirty-two questions at a time."""

import asyncio
import tempfile
import time
from pathlib import Path

from cog import BaseModel, BaseRunner, Input, concurrent
from entries import entries
from index import Index, build


class Hit(BaseModel):
    name: str
    passage: str
    score: float


class Runner(BaseRunner):
    async def setup(self) -> None:
        path = Path(tempfile.mkdtemp()) / "index.sqlite"
        count = await asyncio.to_thread(build, path, entries())
        self.index = Index(path, connections=4)
        print(f"{count} entries to look in")

    async def healthcheck(self) -> bool:
        return bool(await self.index.search("python", limit=1))

    @concurrent(max=32)
    async def run(
        self,
        question: str = Input(description="What you want to know", min_length=1, max_length=500),
        limit: int = Input(description="How many pages to name", default=5, ge=1, le=50),
    ) -> list[Hit]:
        started = time.perf_counter()
        matches = await self.index.search(question, limit=limit)
        self.record_metric("search_ms", round((time.perf_counter() - started) * 1000, 2))
        self.record_metric("hits", len(matches))
        print(f"{len(matches)} pages for {question!r}")
        return [Hit(**match._asdict()) for match in matches]
