"""From what a client wrote to the version that runs: section 6 of the HTTP contract.

Published names and ids that a local version stands in for (``core.aliases``) are tried after real ones, and
before versions that were imported without their code.
"""

import msgspec

from stoker.api.known import Known
from stoker.api.services import Services
from stoker.core.aliases import Alias
from stoker.core.catalog import Model
from stoker.core.deployments import Deployment
from stoker.core.errors import NotFound, VersionUnknown
from stoker.core.ids import is_version_id
from stoker.core.permissions import Action, Caller, demand, may


async def real_model(services: Services, owner: str, name: str, *, caller: Caller) -> Model:
    """The model of that very name, if it exists and the caller may see it; else ``NotFound``."""
    model = await services.store.models.get(owner, name)
    if model is None or not may(caller, "see", model):
        raise NotFound
    return model


async def visible_model(services: Services, owner: str, name: str, *, caller: Caller) -> Model:
    """The same, or the one that stands in for that name; its latest version is then the one that does."""
    try:
        return await real_model(services, owner, name, caller=caller)
    except NotFound:
        alias = await services.store.aliases.by_name(f"{owner}/{name}")
        if alias is None:
            raise
    owner, _, name = alias.model.partition("/")
    model = await real_model(services, owner, name, caller=caller)
    return msgspec.structs.replace(model, latest_version=alias.version)


async def own_deployment(
    services: Services, owner: str, name: str, *, caller: Caller, action: Action
) -> Deployment:
    """The deployment, if it exists and the caller may do that with it; else ``NotFound`` or ``Forbidden``."""
    deployment = await services.store.deployments.get(owner, name)
    if deployment is None:
        raise NotFound
    demand(caller, action, deployment)
    return deployment


async def current_version(services: Services, deployment: Deployment) -> Known:
    """The version of the deployment's current release."""
    release = deployment.release
    known = await services.versions.get(release.version, model=release.model)
    if known is None:
        raise VersionUnknown
    return known


async def latest_version(services: Services, model: Model, *, caller: Caller) -> Known:
    """The newest version of the model, or what stands in for it; ``VersionUnknown`` where it has none yet."""
    if model.latest_version is not None:
        known = await services.versions.get(model.latest_version, model=model.ref)
        if known is not None:
            return await _with_code(services, known, caller=caller, ref=model.ref, latest=True)
    raise VersionUnknown(f"{model.ref} has no version yet.")


async def named_version(services: Services, reference: str, *, caller: Caller) -> Known:
    """``<64 hex>``, ``owner/name:<64 hex>`` or ``owner/name``; else ``VersionUnknown``."""
    ref, colon, id = reference.rpartition(":")
    if not colon and "/" in id:
        ref, id = id, ""
    elif not is_version_id(id) or (colon and not ref):
        raise VersionUnknown
    if not ref:
        known = await services.versions.get_visible(id, account=caller.account)
        if known is not None:
            return await _with_code(services, known, caller=caller)
        known = await _stand_in(services, id, caller=caller)
        if known is None:
            raise VersionUnknown
        return known
    owner, _, name = ref.partition("/")
    try:
        if id:
            return await version_of(services, owner, name, id, caller=caller)
        model = await visible_model(services, owner, name, caller=caller)
    except NotFound:
        raise VersionUnknown from None
    return await latest_version(services, model, caller=caller)


async def version_of(services: Services, owner: str, name: str, id: str, *, caller: Caller) -> Known:
    """The version of ``owner/name`` with that id, or the one that stands in for it; else ``NotFound``."""
    try:
        model = await visible_model(services, owner, name, caller=caller)
    except NotFound:
        known = None
    else:
        known = await services.versions.get(id, model=model.ref)
    if known is not None:
        return await _with_code(services, known, caller=caller, ref=f"{owner}/{name}")
    known = await _stand_in(services, id, caller=caller, ref=f"{owner}/{name}")
    if known is None:
        raise NotFound
    return known


async def _with_code(
    services: Services, known: Known, *, caller: Caller, ref: str | None = None, latest: bool = False
) -> Known:
    """The version or, where it was imported without its code, what stands in for it, if anything does.

    Where the latest of ``ref`` is meant, that may also be what stands in for the name.
    """
    if known.version.imported_from is None:
        return known
    found = await _stand_in(services, known.version.id, caller=caller, ref=ref)
    alias = await services.store.aliases.by_name(ref) if ref and latest and found is None else None
    if alias is not None:
        found = await _local(services, alias, caller=caller)
    return found or known


async def _stand_in(services: Services, id: str, *, caller: Caller, ref: str | None = None) -> Known | None:
    """The version that stands in for a published id, asked for by its id alone or as ``ref:id``."""
    for alias in await services.store.aliases.by_id(id):
        if ref is not None and not alias.is_called(ref):
            continue
        if (known := await _local(services, alias, caller=caller)) is not None:
            return known
    return None


async def _local(services: Services, alias: Alias, *, caller: Caller) -> Known | None:
    """The version that an alias means, if the caller may see it."""
    owner, _, name = alias.model.partition("/")
    try:
        model = await real_model(services, owner, name, caller=caller)
    except NotFound:
        return None
    return await services.versions.get(alias.version, model=model.ref)
