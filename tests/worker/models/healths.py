"""Models about their health."""

import asyncio
import os
import time
from typing import Any

from cog import BasePredictor


class Checked(BasePredictor):
    """Its health is what the last run asked for."""

    answer: Any = True

    def predict(self, answer: str) -> str:
        self.answer = {"true": True, "false": False, "none": None, "zero": 0, "text": "no"}.get(
            answer, answer
        )
        return answer

    def healthcheck(self) -> Any:
        if self.answer == "raises":
            raise ValueError("sick")
        if self.answer == "sleeps":
            time.sleep(5.2)
        if self.answer == "dies":
            os._exit(7)
        return self.answer


class AsyncChecked(Checked):
    async def predict(self, answer: str) -> str:
        return Checked.predict(self, answer)

    async def healthcheck(self) -> Any:
        if self.answer == "sleeps":
            await asyncio.sleep(1000)
        return Checked.healthcheck(self)


class AsyncPlainChecked(Checked):
    async def predict(self, answer: str) -> str:
        return Checked.predict(self, answer)


class PlainAsyncChecked(Checked):
    async def healthcheck(self) -> Any:
        await asyncio.sleep(0)
        return Checked.healthcheck(self)


class Busy(BasePredictor):
    def predict(self) -> str:
        print("busy", flush=True)
        time.sleep(1000)
        return ""

    def healthcheck(self) -> bool:
        return True
