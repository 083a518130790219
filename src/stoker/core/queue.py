"""The waiting line of one version: first in, first out within an account, in turn among accounts."""

from collections.abc import Iterator
from typing import Generic, TypeVar

Item = TypeVar("Item")


class FairQueue(Generic[Item]):
    """Every operation but a look at all that wait takes constant time, however many those are."""

    def __init__(self) -> None:
        self._lines: dict[str, dict[str, Item]] = {}
        """Account -> its items by id, oldest first; the accounts in the order of their turns."""
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Item]:
        """All that wait, in the order in which they have their turns if nothing comes or goes."""
        lines = [iter(line.values()) for line in self._lines.values()]
        while lines:
            left: list[Iterator[Item]] = []
            for line in lines:
                for item in line:
                    yield item
                    left.append(line)
                    break
            lines = left

    def push(self, account: str, id: str, item: Item) -> None:
        self._lines.setdefault(account, {})[id] = item
        self._length += 1

    def pop(self) -> Item:
        """The next in turn; its account goes to the end of the turns. Raises ``IndexError`` when empty."""
        if not self._lines:
            raise IndexError("nothing waits")
        account = next(iter(self._lines))
        line = self._lines.pop(account)
        item = line.pop(next(iter(line)))
        if line:
            self._lines[account] = line
        self._length -= 1
        return item

    def remove(self, account: str, id: str) -> bool:
        """Takes one out of turn; False where it does not wait."""
        line = self._lines.get(account, {})
        if id not in line:
            return False
        del line[id]
        if not line:
            del self._lines[account]
        self._length -= 1
        return True
