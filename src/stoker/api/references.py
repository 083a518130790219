"""From what a client wrote to the version that runs: section 6 of the HTTP contract."""

from stoker.api.known import Known
from stoker.api.services import Services
from stoker.core.catalog import Model
from stoker.core.deployments import Deployment
from stoker.core.errors import NotFound, VersionUnknown
from stoker.core.ids import is_version_id
from stoker.core.permissions import Action, Caller, demand, may


async def visible_model(services: Services, owner: str, name: str, *, caller: Caller) -> Model:
    """The model, if it exists and the caller may see it; else ``NotFound``."""
    model = await services.store.models.get(owner, name)
    if model is None or not may(caller, "see", model):
        raise NotFound
    return model


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


async def latest_version(services: Services, model: Model) -> Known:
    """The newest version of the model; ``VersionUnknown`` where it has none yet."""
    if model.latest_version is not None:
        known = await services.versions.get(model.latest_version, model=model.ref)
        if known is not None:
            return known
    raise VersionUnknown(f"{model.ref} has no version yet.")


async def named_version(services: Services, reference: str, *, caller: Caller) -> Known:
    """``<64 hex>``, ``owner/name:<64 hex>`` or ``owner/name``; else ``VersionUnknown``."""
    ref, _, id = reference.rpartition(":")
    if "/" in id and not ref:
        ref, id = id, ""
    if id and not is_version_id(id):
        raise VersionUnknown
    if not ref:
        known = await services.versions.get_visible(id, account=caller.account)
        if known is None:
            raise VersionUnknown
        return known
    owner, _, name = ref.partition("/")
    try:
        model = await visible_model(services, owner, name, caller=caller)
    except NotFound:
        raise VersionUnknown from None
    if not id:
        return await latest_version(services, model)
    known = await services.versions.get(id, model=model.ref)
    if known is None:
        raise VersionUnknown
    return known
