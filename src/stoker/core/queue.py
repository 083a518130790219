"""The waiting line of one version: in turn among accounts, by priority within one.

Within a priority whoever came first is first. Higher priorities go first, but at every eighth turn of its
account whoever has waited longest does, so that none waits for ever however much comes that is more urgent.
That is counted in turns and not in time: then a long line of old work of a low priority, which is what
priorities are for, is not all of a sudden as urgent as the rest.
"""

from collections import OrderedDict
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import Generic, NamedTuple, TypeVar

from stoker.core.priority import PRIORITIES, Priority

PASSED_MOST = 7
"""So many turns in a row of an account may pass over whoever of it has waited longest."""

Item = TypeVar("Item")


class _Place(NamedTuple, Generic[Item]):
    number: int
    """Grows with every place that is taken."""
    id: str
    item: Item


class FairQueue(Generic[Item]):
    """Every operation but a look at all that wait takes constant time, however many those are."""

    # Ordered dicts and no plain ones: the first key of a plain one is the slower to find the more were
    # removed before it.

    def __init__(self) -> None:
        self._lines: OrderedDict[str, _Line[Item]] = OrderedDict()
        """By account, in the order of their turns; none is empty."""
        self._length = 0
        self._numbers = 0

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Item]:
        """All that wait, in the order in which they have their turns if nothing comes or goes."""
        lines = [iter(line) for line in self._lines.values()]
        while lines:
            left: list[Iterator[_Place[Item]]] = []
            for line in lines:
                for place in islice(line, 1):
                    yield place.item
                    left.append(line)
            lines = left

    def of_accounts(self) -> dict[str, int]:
        """How many wait of each account that has any."""
        return {account: len(line) for account, line in self._lines.items()}

    def before(self, account: str, ids: Collection[str]) -> dict[str, int]:
        """By id, how many have their turn before each of those of the account, as far as they wait."""
        line = self._lines.get(account)
        ranks = {} if line is None else line.ranks(ids)
        return {id: self._before(account, rank) for id, rank in ranks.items()}

    def _before(self, account: str, rank: int) -> int:
        """The same for the one before whom so many of its account have theirs: others have as many."""
        before, turns = rank, rank + 1
        for other, line in self._lines.items():
            if other == account:
                turns = rank  # those behind it in turn have had one less
            else:
                before += min(len(line), turns)
        return before

    def push(self, account: str, id: str, item: Item, priority: Priority = "normal") -> None:
        line = self._lines.get(account)
        if line is None:
            line = self._lines[account] = _Line()
        self._numbers += 1
        line.push(_Place(self._numbers, id, item), priority)
        self._length += 1

    def pop(self) -> Item:
        """The next in turn; its account goes to the end of the turns. Raises ``IndexError`` when empty."""
        if not self._lines:
            raise IndexError("nothing waits")
        account, line = next(iter(self._lines.items()))
        item = line.pop()
        if line:
            self._lines.move_to_end(account)
        else:
            del self._lines[account]
        self._length -= 1
        return item

    def remove(self, account: str, id: str) -> bool:
        """Takes one out of turn; False where it does not wait."""
        line = self._lines.get(account)
        if line is None or line.remove(id) is None:
            return False
        if not line:
            del self._lines[account]
        self._length -= 1
        return True

    def lift(self, account: str, id: str, priority: Priority) -> None:
        """Lets one that waits less urgently wait as if it had just come with that priority."""
        line = self._lines.get(account)
        if line is not None and line.waits_below(id, priority) and (place := line.remove(id)) is not None:
            self._numbers += 1
            line.push(place._replace(number=self._numbers), priority)


class _Line(Generic[Item]):
    """What waits of one account."""

    __slots__ = ("_levels", "_passed")

    def __init__(self) -> None:
        self._levels: tuple[OrderedDict[str, _Place[Item]], ...] = tuple(OrderedDict() for _ in PRIORITIES)
        """Places by id, as they came, for each priority."""
        self._passed = 0
        """How many turns in a row have passed over whoever has waited longest."""

    def __len__(self) -> int:
        return sum(map(len, self._levels))

    def __iter__(self) -> Iterator[_Place[Item]]:
        """In turn, if nothing comes or goes."""
        levels = [iter(level.values()) for level in self._levels if level]
        heads = [next(level) for level in levels]
        passed = self._passed
        while len(heads) > 1:
            turn, passed = _turn(heads, passed)
            yield heads[turn]
            following = next(levels[turn], None)
            if following is None:
                del heads[turn], levels[turn]
            else:
                heads[turn] = following
        for head, level in zip(heads, levels, strict=True):
            yield head
            yield from level

    def push(self, place: _Place[Item], priority: Priority) -> None:
        self._levels[PRIORITIES.index(priority)][place.id] = place

    def pop(self) -> Item:
        levels = [level for level in self._levels if level]
        turn, self._passed = 0, 0 if len(levels) == 1 else self._passed
        if len(levels) > 1:
            turn, self._passed = _turn([next(iter(level.values())) for level in levels], self._passed)
        return levels[turn].popitem(last=False)[1].item

    def ranks(self, ids: Collection[str]) -> dict[str, int]:
        """How many of the account have their turns before each of those, as far as they wait."""
        levels = [level for level in self._levels if level]
        if len(levels) == 1:
            return _ranks(levels[0], ids)
        return {place.id: rank for rank, place in enumerate(self) if place.id in ids}

    def remove(self, id: str) -> _Place[Item] | None:
        for level in self._levels:
            if id in level:
                return level.pop(id)
        return None

    def waits_below(self, id: str, priority: Priority) -> bool:
        return any(id in level for level in self._levels[PRIORITIES.index(priority) + 1 :])


def _ranks(level: OrderedDict[str, _Place[Item]], ids: Collection[str]) -> dict[str, int]:
    """Where those are, looked for from both ends: who is asked for is first or has just come, mostly."""
    left = sum(id in level for id in ids)
    found: dict[str, int] = {}
    for rank, (first, last) in enumerate(zip(level, reversed(level), strict=True)):
        if len(found) == left:
            break
        if first in ids:
            found[first] = rank
        if last in ids:
            found[last] = len(level) - 1 - rank
    return found


def _turn(heads: Sequence[_Place[Item]], passed: int) -> tuple[int, int]:
    """Which of the first ones, given by priority, has the turn; how many turns then passed somebody over."""
    oldest = min(range(len(heads)), key=lambda at: heads[at].number)
    if oldest == 0 or passed >= PASSED_MOST:
        return oldest, 0
    return 0, passed + 1
