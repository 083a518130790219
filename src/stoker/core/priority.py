"""How urgent a prediction is to the account that made it: what a create's header asks for. Pure.

It orders what one account has waiting in one line (``core.queue``), and never the accounts among each other.
"""

from typing import Literal, get_args

from stoker.core.errors import FieldProblem, InputInvalid

Priority = Literal["high", "normal", "low"]

PRIORITIES: tuple[Priority, ...] = get_args(Priority)
"""The most urgent first."""
_SAYS = f"Must be one of the following: {', '.join(PRIORITIES)}"


def asked(header: str | None) -> Priority:
    """What the header asks for; raises ``InputInvalid`` where it says something else."""
    if header is None:
        return "normal"
    word = header.strip()
    for priority in PRIORITIES:
        if priority == word:
            return priority
    raise InputInvalid([FieldProblem("enum", "Stoker-Priority", _SAYS)])
