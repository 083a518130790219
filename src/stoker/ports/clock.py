"""Time, as an argument: the server's clock, and a fake one in tests."""

from typing import Protocol


class Clock(Protocol):
    def now_us(self) -> int:
        """Microseconds since 1970 UTC; never goes backwards within a process."""
        ...

    async def sleep(self, seconds: float) -> None: ...
