"""What a request's ``model`` means: a version to run, by the names that people know already."""

from typing import Any, NamedTuple, cast

from stoker.api import references
from stoker.api.endpoint import Request
from stoker.api.http import bodies
from stoker.api.known import Known
from stoker.api.openai.drafts import Draft, refusal
from stoker.api.openai.surface import Surface
from stoker.core.deployments import check_takes_predictions
from stoker.core.errors import BadRequest, NotFound, VersionUnknown

DEPLOYMENTS = "deployments/"
"""Before the name of a deployment, as in the paths of Replicate's API."""


class Target(NamedTuple):
    name: str
    """As the caller wrote it."""
    known: Known
    deployment: str | None = None

    @property
    def surface(self) -> Surface:
        return Surface(self.known.version)


async def asked(request: Request, endpoint: str) -> tuple[Target, Draft]:
    """Reads a JSON request to one of our endpoints: what is to run, and the input's draft."""
    body = await bodies.read(request, limit_bytes=request.services.settings.body_limit_bytes)
    given = bodies.json(body)
    if not isinstance(given, dict):
        raise BadRequest("The request body must be a JSON object.")
    target = await find_for(request, cast(dict[str, Any], given).pop("model", None), endpoint)
    return target, Draft(cast(dict[str, Any], given), target.surface)


async def find(request: Request, name: str) -> Target:
    """``owner/name``, ``owner/name:version``, a version's id, or ``deployments/owner/name``.

    Raises ``VersionUnknown`` where the caller may not run it, or it is not there.
    """
    try:
        if name.startswith(DEPLOYMENTS):
            return await _deployed(request, name)
        known = await references.named_version(request.services, name, caller=request.caller)
        known.check_has_code()
    except (NotFound, VersionUnknown):
        raise VersionUnknown(f"The model {name!r} does not exist or you do not have access to it.") from None
    return Target(name, known)


async def find_for(request: Request, name: Any, endpoint: str) -> Target:
    """The same, for one of our endpoints; raises ``InputInvalid`` where the model cannot answer there."""
    if not isinstance(name, str) or not name:
        raise refusal("model", "Must name a model, like owner/name")
    target = await find(request, name)
    able = target.surface.endpoints
    if endpoint not in able:
        elsewhere = f"; it does at {', '.join(able)}" if able else ""
        raise refusal("model", f"By its inputs and output this model cannot answer at {endpoint}{elsewhere}")
    return target


async def _deployed(request: Request, name: str) -> Target:
    services = request.services
    owner, _, rest = name.removeprefix(DEPLOYMENTS).partition("/")
    action = "see" if request.method in ("GET", "HEAD") else "run"
    deployment = await references.own_deployment(services, owner, rest, caller=request.caller, action=action)
    if action == "run":
        check_takes_predictions(deployment)
    return Target(name, await references.current_version(services, deployment), deployment.ref)
