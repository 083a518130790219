"""Who may do what: the rules that hold for every caller and every thing."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from stoker.core.catalog import Model, Role, Visibility
from stoker.core.errors import Forbidden, NotFound
from stoker.core.permissions import NEEDS, OPEN_TO_ALL, SCOPES, Action, Caller, demand, may, may_mint

ACCOUNTS = ("ann", "bob", "team", "crew")
ACTIONS: tuple[Action, ...] = ("see", "run", "change", "delete", "administer")

roles: some.SearchStrategy[Role] = some.sampled_from(("admin", "member"))
callers = some.builds(
    Caller,
    id=some.just("t"),
    account=some.sampled_from(ACCOUNTS[:2]),
    scope=some.sampled_from(SCOPES),
    expires_us=some.none() | some.integers(1, 100),
    roles=some.dictionaries(some.sampled_from(ACCOUNTS[2:]), roles),
    is_operator=some.booleans(),
)
visibilities: some.SearchStrategy[Visibility] = some.sampled_from(("public", "private"))
models = some.builds(
    Model,
    owner=some.just("x"),
    name=some.just("m"),
    account=some.sampled_from(ACCOUNTS),
    created_us=some.just(1),
    visibility=visibilities,
)
things = models | some.sampled_from(ACCOUNTS)
actions: some.SearchStrategy[Action] = some.sampled_from(ACTIONS)


@given(callers, actions, things)
def test_a_wider_scope_never_takes_anything_away(caller: Caller, action: Action, thing: Model | str):
    wider = msgspec.structs.replace(caller, scope="admin")
    assert not may(caller, action, thing) or may(wider, action, thing)


@given(callers, actions, things)
def test_an_organisations_admin_may_all_that_a_member_may(caller: Caller, action: Action, thing: Model | str):
    admin = msgspec.structs.replace(caller, roles=dict.fromkeys(caller.roles, "admin"))
    assert not may(caller, action, thing) or may(admin, action, thing)


@given(callers, actions, things)
def test_what_may_be_done_may_be_seen(caller: Caller, action: Action, thing: Model | str):
    """But for the operator, who administers what stays hidden."""
    if may(caller, action, thing) and not (action == "administer" and caller.is_operator):
        assert may(caller, "see", thing)


@given(callers, actions, things)
def test_nobody_does_what_the_token_is_not_for(caller: Caller, action: Action, thing: Model | str):
    if SCOPES.index(caller.scope) < SCOPES.index(NEEDS[action]):
        assert not may(caller, action)
        assert not may(caller, action, thing)


@given(callers, actions, models)
def test_strangers_see_and_run_what_is_public_and_nothing_else(caller: Caller, action: Action, model: Model):
    if caller.role_in(model.account) is None and not caller.is_operator and may(caller, action, model):
        assert model.visibility == "public"
        assert action in OPEN_TO_ALL


@given(callers, actions, models)
def test_the_operator_sees_no_more_than_others(caller: Caller, action: Action, model: Model):
    if action != "administer":
        other = msgspec.structs.replace(caller, is_operator=not caller.is_operator)
        assert may(caller, action, model) == may(other, action, model)


@given(callers, actions, things)
def test_what_cannot_be_seen_does_not_exist(caller: Caller, action: Action, thing: Model | str):
    if may(caller, action, thing):
        demand(caller, action, thing)
        return
    with pytest.raises(Forbidden if may(caller, "see", thing) else NotFound):
        demand(caller, action, thing)


@given(callers, some.sampled_from(SCOPES), some.none() | some.integers(1, 100))
def test_no_token_makes_a_stronger_one(caller: Caller, scope: str, expires_us: int | None):
    """Nor does one that it made, and so on."""
    assert scope in SCOPES
    if may_mint(caller, scope, expires_us):
        child = msgspec.structs.replace(caller, scope=scope, expires_us=expires_us)
        assert all(may(caller, action) for action in ACTIONS if may(child, action))
        assert caller.expires_us is None or (expires_us is not None and expires_us <= caller.expires_us)
    assert may_mint(caller, caller.scope, caller.expires_us)
