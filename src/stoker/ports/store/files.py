"""Files that people sent and models made. Written by whoever stores one, and by the sweep."""

from typing import Protocol

from stoker.core.catalog import FileRecord
from stoker.ports.store.paging import Cursor, Page


class Files(Protocol):
    async def create(self, record: FileRecord, *, synced: bool = True) -> None: ...

    async def get(self, id: str) -> FileRecord | None: ...

    async def page(
        self, account: str, *, origin: str = "upload", cursor: Cursor | None = None, limit: int = 100
    ) -> Page[FileRecord]: ...

    async def delete(self, id: str, *, account: str) -> bool: ...

    async def expire(self, now_us: int, *, limit: int = 500) -> int:
        """Forgets the files whose time is over; how many."""
        ...

    async def contents(self) -> set[str]:
        """The sha256 of every file that is remembered."""
        ...
