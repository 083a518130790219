"""An asynchronous health check that becomes false after the first prediction."""

from cog import BaseRunner


class Runner(BaseRunner):
    healthy = True

    async def healthcheck(self) -> bool:
        return self.healthy

    async def run(self, healthy: bool = False) -> bool:
        self.healthy = healthy
        return healthy
