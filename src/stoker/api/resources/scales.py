"""How many instances accounts, models, versions and deployments ask for (our own addition).

A change holds at once. What is kept up without demand has its price shown.
"""

import math
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from starlette.responses import Response

from stoker.api import references
from stoker.api.endpoint import Request
from stoker.api.http import answers, bodies
from stoker.api.resources import accounts, health, models
from stoker.api.wire import time_text
from stoker.core import schedules
from stoker.core.deployments import MOST_MAX_INSTANCES, MOST_MIN_INSTANCES
from stoker.core.errors import FieldProblem, InputInvalid, Invalid, NotFound
from stoker.core.hosting import host_of
from stoker.core.permissions import Action, may
from stoker.core.scales import LONGEST_IDLE_S, Asked, Target, Warm, price_micro_usd

LONGEST_FOR_S = 366 * 86400.0
Seconds = float | msgspec.UnsetType | None
Number = int | msgspec.UnsetType | None


class NewWarm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    instances: int = 1
    for_s: float | None = None
    schedule: str | None = None
    adaptive: bool = False
    timezone: str | None = None


class ScaleChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What it does not name stays as it is, null removes."""

    idle_s: Seconds = msgspec.UNSET
    min_instances: Number = msgspec.UNSET
    max_instances: Number = msgspec.UNSET
    warm: NewWarm | msgspec.UnsetType | None = msgspec.UNSET


async def list_(request: Request) -> Response:
    """GET /stoker/scales: of the caller and its organisations, by kind and name; the operator sees all."""
    found = await request.services.store.scales.all()
    mine = [(target, asked) for target, asked in found.items() if await _is_mine(request, target)]
    mine.sort(key=lambda one: (one[0].kind, one[0].ref.lower(), one[0].version))
    return answers.json({"results": [await _describe(request, target, asked) for target, asked in mine]})


async def get(request: Request) -> Response:
    """GET .../scale"""
    target = await _target(request, "see")
    return answers.json(await _describe(request, target, await request.services.store.scales.get(target)))


async def update(request: Request) -> Response:
    """PATCH .../scale"""
    target = await _target(request, "change")
    wanted = await bodies.read_as(request, ScaleChange)
    _check(target, wanted)
    if (host := await _host(request, target)) is not None:
        await _check_guest(request, wanted, target, host)
    before = await request.services.store.scales.get(target)
    fields = {name: value for name, value in _fields(request, wanted).items() if value is not msgspec.UNSET}
    asked = msgspec.structs.replace(before, **fields)
    if (asked.min_instances or 0) > (asked.max_instances or MOST_MAX_INSTANCES):
        raise InputInvalid(
            [FieldProblem("number_lte", "min_instances", "Must not be more than max_instances")]
        )
    await request.services.store.scales.put(target, asked)
    await request.services.warmth.step(request.services.clock.now_us())
    return answers.json(await _describe(request, target, asked))


def _fields(request: Request, wanted: ScaleChange) -> dict[str, Any]:
    fields = msgspec.structs.asdict(wanted)
    if isinstance(wanted.warm, NewWarm):
        warm = wanted.warm
        until_us = None
        if warm.for_s is not None:
            until_us = request.services.clock.now_us() + int(warm.for_s * 1e6)
        fields["warm"] = Warm(
            instances=warm.instances,
            until_us=until_us,
            schedule=warm.schedule,
            adaptive=warm.adaptive,
            timezone=warm.timezone,
        )
    return fields


async def _target(request: Request, action: Action) -> Target:
    """What the path names, if the caller may do that with it."""
    path, params = request.scope["path"], request.path_params
    if "/accounts/" in path:
        account = await (accounts.visible(request) if action == "see" else accounts.administered(request))
        return Target(kind="account", ref=account.name)
    if "/deployments/" in path:
        owner, name = params["owner"], params["name"]
        found = await references.own_deployment(
            request.services, owner, name, caller=request.caller, action=action
        )
        return Target(kind="deployment", ref=found.ref)
    model = await models.own(request, action)
    if "id" not in params:
        return Target(kind="model", ref=model.ref)
    known = await request.services.versions.get(params["id"], model=model.ref)
    if known is None:
        raise NotFound
    return Target(kind="version", ref=model.ref, version=known.version.id)


async def _is_mine(request: Request, target: Target) -> bool:
    if request.caller.is_operator:
        return True
    if target.kind in ("account", "deployment"):
        return may(request.caller, "change", target.ref.partition("/")[0])
    owner, _, name = target.ref.partition("/")
    model = await request.services.store.models.get(owner, name)
    return model is not None and may(request.caller, "change", model.account)


def _check(target: Target, wanted: ScaleChange) -> None:
    """Raises what is wrong; a deployment's numbers are its release's, an account keeps no instances up."""
    set_fields = {
        name for name, value in msgspec.structs.asdict(wanted).items() if value is not msgspec.UNSET
    }
    allowed = {"deployment": {"idle_s"}, "account": {"idle_s", "max_instances"}}
    extra = sorted(set_fields - allowed.get(target.kind, set_fields))
    if extra:
        what = "are its release's" if target.kind == "deployment" else "are for models and versions"
        raise Invalid(f"{' and '.join(extra)} {what}.")
    problems = [
        *_range("idle_s", wanted.idle_s, 0, LONGEST_IDLE_S),
        *_range("min_instances", wanted.min_instances, 0, MOST_MIN_INSTANCES),
        *_range("max_instances", wanted.max_instances, 1, MOST_MAX_INSTANCES),
    ]
    if isinstance(wanted.warm, NewWarm):
        problems += _range("warm.instances", wanted.warm.instances, 1, MOST_MIN_INSTANCES)
        problems += _range("warm.for_s", wanted.warm.for_s, 1, LONGEST_FOR_S)
    if problems:
        raise InputInvalid(problems)
    if isinstance(wanted.warm, NewWarm):
        _check_times(wanted.warm)


def _check_times(warm: NewWarm) -> None:
    if warm.schedule is not None:
        schedules.parse(warm.schedule)
    if warm.timezone is not None:
        try:
            ZoneInfo(warm.timezone)
        except (KeyError, ValueError, OSError):
            raise Invalid(f'"{warm.timezone}" is no time zone here; write it like Europe/Berlin.') from None


async def _check_guest(request: Request, wanted: ScaleChange, target: Target, host: Target) -> None:
    """Raises ``Invalid`` for what its host alone can say; taking back what was said before is never wrong.

    A model that was trained into itself says it of its host, too.
    """
    if target.kind == "model" and target.ref.lower() == host.ref.lower():
        return
    said = [
        name for name in ("idle_s", "max_instances") if getattr(wanted, name) not in (None, msgspec.UNSET)
    ]
    if said:
        seen = await health.may_see(request, request.caller, {"model": host.ref})
        base = f"{host.ref}:{host.version}" if seen else "what it was trained from"
        raise Invalid(
            f"It runs in the instances of {base}, which has {' and '.join(said)} for all that run there."
            " A deployment gives it instances of its own."
        )


async def _host(request: Request, target: Target) -> Target | None:
    """In whose instances the version, or the model's latest, runs; None where it has its own."""
    if target.kind not in ("model", "version"):
        return None
    owner, _, name = target.ref.partition("/")
    model = await request.services.store.models.get(owner, name)
    id = target.version or (model.latest_version if model else None)
    version = await request.services.store.versions.get(id, model=target.ref) if id else None
    if version is None or version.recipe.runs_in is None:
        return None
    host = host_of(version)
    return Target(kind="version", ref=host.model, version=host.id)


def _range(field: str, value: Any, least: float, most: float) -> list[FieldProblem]:
    if value is None or value is msgspec.UNSET or (math.isfinite(value) and least <= value <= most):
        return []
    return [FieldProblem("number_range", field, f"Must be from {least:.10g} to {most:.10g}")]


async def _describe(request: Request, target: Target, asked: Asked) -> dict[str, Any]:
    return {
        "kind": target.kind,
        "name": target.ref,
        "version": target.version or None,
        "idle_s": asked.idle_s,
        "min_instances": asked.min_instances,
        "max_instances": asked.max_instances,
        "warm": asked.warm and _describe_warm(request, target, asked.warm),
        "holds": await _holds(request, target),
        **await _cost(request, target, asked),
    }


async def _holds(request: Request, target: Target) -> dict[str, Any]:
    """What is so now, whoever asked for it."""
    owner, _, name = target.ref.partition("/")
    is_deployment = target.kind == "deployment"
    deployment = await request.services.store.deployments.get(owner, name) if is_deployment else None
    now = request.services.scales.holds(target, deployment, host=await _host(request, target))
    return {"idle_s": now.idle_s, "min_instances": now.least, "max_instances": now.most}


def _describe_warm(request: Request, target: Target, warm: Warm) -> dict[str, Any]:
    return {
        "instances": warm.instances,
        "until": None if warm.until_us is None else time_text(warm.until_us),
        "schedule": warm.schedule,
        "adaptive": warm.adaptive,
        "timezone": warm.timezone,
        "is_on": request.services.scales.is_warm(warm, target.ref, target.version),
        "hours_a_week": request.services.scales.hours_a_week(warm, target.ref),
    }


async def _cost(request: Request, target: Target, asked: Asked) -> dict[str, Any]:
    """Of what is kept up without demand in the week to come, at the price of the model's hardware."""
    services, least = request.services, asked.min_instances or 0
    hours = least * schedules.WEEK_MINUTES / 60
    if asked.warm is not None:
        more = max(asked.warm.instances - least, 0)
        hours += more * services.scales.hours_a_week(asked.warm, target.ref)
    price = 0
    if hours:
        owner, _, name = target.ref.partition("/")
        model = await services.store.models.get(owner, name)
        price = next(
            (one.micro_usd_per_s for one in services.hardware if model and one.sku == model.hardware), 0
        )
    return {"instance_hours_a_week": hours, "micro_usd_a_week": price_micro_usd(hours, 1, price)}
