"""Deployments: create, list, get, update, delete (section 5.7). ``predictions`` makes theirs."""

from typing import Any

import msgspec
from starlette.responses import Response

from stoker.api import idempotency, references
from stoker.api.endpoint import Request
from stoker.api.http import answers, bodies, pages
from stoker.api.known import Known
from stoker.api.resources import hardware as skus
from stoker.api.services import Services
from stoker.api.wire import account_object, deployment_object
from stoker.core import ids
from stoker.core.deployments import (
    UNUSED_S,
    Change,
    Deployment,
    Release,
    next_release,
    scale_problems,
    unused_since_us,
)
from stoker.core.errors import Conflict, FieldProblem, InputInvalid, NotFound, VersionUnknown
from stoker.core.permissions import Action, may

PAGE = 100
ATTEMPTS = 5
"""How often an update is tried where others change the same deployment at the same moment."""


class NewDeployment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    model: str
    version: str
    hardware: str
    min_instances: int
    max_instances: int


class DeploymentChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What PATCH may name; null is as good as not named."""

    model: str | None = None
    version: str | None = None
    hardware: str | None = None
    min_instances: int | None = None
    max_instances: int | None = None


async def create(request: Request) -> Response:
    """POST /deployments: 200, not 201 (gotcha 17)."""
    wanted = await bodies.read_as(request, NewDeployment)
    now_us = idempotency.moment_us(request)
    owner, name = _owner_and_name(request, wanted.name)
    _check(request.services, wanted.hardware, wanted.min_instances, wanted.max_instances, name=name)
    known = await _version(request, wanted.model, wanted.version)
    release = Release(
        number=1,
        model=known.version.model,
        version=known.version.id,
        hardware=wanted.hardware,
        min_instances=wanted.min_instances,
        max_instances=wanted.max_instances,
        created_us=now_us,
        created_by=request.account,
    )
    deployment = Deployment(owner=owner, name=name, created_us=now_us, release=release)
    store = request.services.store.deployments
    if not await store.create(deployment) and not idempotency.made_before(
        request, await store.get(owner, name)
    ):
        raise Conflict(f"A deployment named {deployment.ref} exists already.")
    request.services.deployer.deploy(deployment, known.version)
    return await _answer(request, deployment)


async def get(request: Request) -> Response:
    """GET /deployments/{owner}/{name}"""
    return await _answer(request, await _own(request, "see"))


async def list_(request: Request) -> Response:
    """GET /deployments: the caller's own, newest first."""
    place = pages.place(request)
    cursor = place.cursor if place else None
    page = await request.services.store.deployments.page(request.account, cursor=cursor, limit=PAGE)
    makers = {name: await _maker(request, name) for name in {d.release.created_by for d in page.items}}
    results = [deployment_object(d, created_by=makers[d.release.created_by]) for d in page.items]
    return pages.envelope(
        request,
        page,
        results,
        path="/deployments",
        key=lambda deployment: (deployment.created_us, deployment.ref),
    )


async def update(request: Request) -> Response:
    """PATCH /deployments/{owner}/{name}: what differs makes a new release, which takes over."""
    given = await bodies.read_as(request, DeploymentChange)
    for _ in range(ATTEMPTS):
        deployment = await _update(request, await _own(request, "change"), given)
        if deployment is not None:
            return await _answer(request, deployment)
    raise Conflict("The deployment is being changed by somebody else. Try again.")


async def delete(request: Request) -> Response:
    """DELETE /deployments/{owner}/{name}: one that is disabled, or has been out of use for a while."""
    deployment = await _own(request, "delete")
    if deployment.release.min_instances > 0:
        raise Conflict(f"The deployment {deployment.ref} keeps instances up; set min_instances to 0 first.")
    store, now_us = request.services.store, request.services.clock.now_us()
    since_us = unused_since_us(deployment.release, now_us)
    if not await store.deployments.delete(deployment.ref, unused_since_us=since_us):
        raise Conflict(
            f"The deployment {deployment.ref} is online and was in use within the last {UNUSED_S // 60} "
            "minutes. Wait until it has been out of use for that long, or disable it by setting "
            "min_instances and max_instances to 0."
        )
    request.services.deployer.withdraw(deployment)
    return answers.empty()


async def _update(request: Request, deployment: Deployment, given: DeploymentChange) -> Deployment | None:
    """The deployment as it is then; None where somebody else was faster."""
    services, current = request.services, deployment.release
    known = await _changed_version(request, current, given)
    change = Change(
        model=known.version.model,
        version=known.version.id,
        hardware=given.hardware,
        min_instances=given.min_instances,
        max_instances=given.max_instances,
    )
    release = next_release(current, change, by=request.account, now_us=services.clock.now_us())
    if release is None:
        return deployment
    _check(request.services, release.hardware, release.min_instances, release.max_instances)
    if not await services.store.deployments.release(deployment.ref, release):
        return None
    changed = msgspec.structs.replace(deployment, release=release)
    services.deployer.deploy(changed, known.version)
    return changed


async def _changed_version(request: Request, current: Release, given: DeploymentChange) -> Known:
    """The version to run from now on; the current one needs no permission again."""
    model = current.model if given.model is None else given.model
    version = current.version if given.version is None else given.version
    if (model.casefold(), version) == (current.model.casefold(), current.version):
        known = await request.services.versions.get(current.version, model=current.model)
        if known is not None:
            return known
    return await _version(request, model, version)


async def _version(request: Request, model: str, version: str) -> Known:
    """The version of that model, if the caller may see it; else ``VersionUnknown``."""
    if "/" not in model or not ids.is_version_id(version):
        raise VersionUnknown
    known = await references.named_version(request.services, f"{model}:{version}", caller=request.caller)
    known.check_has_code()
    return known


async def _own(request: Request, action: Action) -> Deployment:
    owner, name = request.path_params["owner"], request.path_params["name"]
    return await references.own_deployment(
        request.services, owner, name, caller=request.caller, action=action
    )


async def _answer(request: Request, deployment: Deployment) -> Response:
    maker = await _maker(request, deployment.release.created_by)
    return answers.json(deployment_object(deployment, created_by=maker))


async def _maker(request: Request, name: str) -> dict[str, Any]:
    account = await request.services.store.accounts.get(name)
    if account is None:
        raise NotFound
    return account_object(account)


def _owner_and_name(request: Request, name: str) -> tuple[str, str]:
    """Whose a new deployment is: the token's account's, or an organisation's where its name stands before.

    Some clients put the caller's own name before it, too.
    """
    owner, slash, rest = name.partition("/")
    if slash and may(request.caller, "change", owner.lower()):
        return owner.lower(), rest
    return request.account, name


def _check(
    services: Services, hardware: str, min_instances: int, max_instances: int, *, name: str | None = None
) -> None:
    problems: list[FieldProblem] = []
    if name is not None and not ids.is_name(name):
        problems.append(FieldProblem("pattern", "name", f"Must be {ids.NAME_RULE}"))
    problems += skus.problems(services, hardware)
    problems += scale_problems(min_instances, max_instances)
    if problems:
        raise InputInvalid(problems)
