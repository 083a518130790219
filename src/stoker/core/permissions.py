"""Who may do what: the one decision that every handler of the api asks, and nothing else decides.

A caller is a token: it speaks for its own account, and a user's for the organisations that the user belongs
to as well. Two questions, both must be answered with yes:

- does the token's scope cover the action? ``admin`` covers what ``run`` covers, and that what ``read`` does;
- is the thing the caller's? Whose it is says its ``account``; a public model may be seen and run by everyone.

A member of an organisation sees, runs and changes what it owns, its admins also delete and administer. The
operator's account administers every account, and sees no more of what others keep private than anybody.
Pure: no I/O, no clock.
"""

from typing import Literal, Protocol

import msgspec

from stoker.core.catalog import Model, Role, Scope
from stoker.core.errors import Forbidden, NotFound

Action = Literal["see", "run", "change", "delete", "administer"]

SCOPES: tuple[Scope, ...] = ("read", "run", "admin")
"""Each covers those before it."""
NEEDS: dict[Action, Scope] = {
    "see": "read",
    "run": "run",
    "change": "admin",
    "delete": "admin",
    "administer": "admin",
}
OPEN_TO_ALL: frozenset[Action] = frozenset({"see", "run"})
"""What everyone may do with a public model."""
OPEN_TO_MEMBERS: frozenset[Action] = frozenset({"see", "run", "change"})
"""What an organisation's members may do without being its admins."""

_COVERED = {action: frozenset(SCOPES[SCOPES.index(needed) :]) for action, needed in NEEDS.items()}


class Owned(Protocol):
    """Whatever belongs to an account: a model, a prediction, a file, a deployment."""

    @property
    def account(self) -> str: ...


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """A token that was found good, and for whom it speaks."""

    id: str
    """The token's."""
    account: str
    scope: Scope = "admin"
    expires_us: int | None = None
    roles: dict[str, Role] = {}
    """The organisations that the account belongs to."""
    is_operator: bool = False
    """Whether it is the account of whoever runs this server."""

    def role_in(self, account: str) -> Role | None:
        """What the caller is to an account; of its own it is the admin."""
        return "admin" if account == self.account else self.roles.get(account)


def may(caller: Caller, action: Action, thing: Owned | str | None = None) -> bool:
    """Whether the caller may do that with the thing; with an account where it is a name.

    Without a thing: whether the token's scope covers the action at all.
    """
    if caller.scope not in _COVERED[action]:
        return False
    if thing is None:
        return True
    if isinstance(thing, Model) and thing.visibility == "public" and action in OPEN_TO_ALL:
        return True
    if action == "administer" and caller.is_operator:
        return True
    role = caller.role_in(thing if isinstance(thing, str) else thing.account)
    return role == "admin" or (role == "member" and action in OPEN_TO_MEMBERS)


def demand(caller: Caller, action: Action, thing: Owned | str) -> None:
    """Raises ``NotFound`` where the caller may not know of the thing, ``Forbidden`` where it may do less."""
    if may(caller, action, thing):
        return
    if not may(caller, "see", thing):
        raise NotFound
    demand_scope(caller, action)
    raise Forbidden("This belongs to another account." if _is_strange(caller, thing) else NEEDS_ADMIN)


NEEDS_ADMIN = "Only admins of the organization may do that."


def demand_scope(caller: Caller, action: Action) -> None:
    """Raises ``Forbidden`` where the token's scope does not cover the action, whatever the thing is."""
    if not may(caller, action):
        raise Forbidden(
            f"This token may only {caller.scope}; that needs a token with the scope {NEEDS[action]}."
        )


def may_mint(caller: Caller, scope: Scope, expires_us: int | None) -> bool:
    """Whether the caller may make a token like that: none that may do more, or lives longer, than itself."""
    outlives = caller.expires_us is not None and (expires_us is None or expires_us > caller.expires_us)
    return SCOPES.index(scope) <= SCOPES.index(caller.scope) and not outlives


def _is_strange(caller: Caller, thing: Owned | str) -> bool:
    return caller.role_in(thing if isinstance(thing, str) else thing.account) is None
