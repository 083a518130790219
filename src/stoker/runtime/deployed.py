"""Which release of each deployment is current, and in whose instances a prediction of it runs.

The api says what has changed once the store has it; dispatch asks about predictions; the fleet is told which
pools to keep and which to retire. What was accepted under an older release keeps the version that it has, and
runs in that version's instances until it is done.
"""

from typing import Protocol

from stoker.core.catalog import Version
from stoker.core.deployments import Deployment, check_takes_predictions
from stoker.core.errors import NotFound
from stoker.core.hosting import pool_of
from stoker.core.prediction import Prediction
from stoker.core.scaling import Pool
from stoker.ports.store import Store
from stoker.runtime.fleet import Fleet
from stoker.runtime.scales import Scales


class Work(Protocol):
    """What this asks of dispatch."""

    def cancel_all(self, deployment: str) -> None:
        """Cancels whatever of the deployment is not over."""
        ...


class Deployed:
    work: Work
    """Set by dispatch when it is made."""

    def __init__(self, *, store: Store, fleet: Fleet, scales: Scales):
        self._scales = scales
        self._store = store
        self._fleet = fleet
        self._current: dict[str, Deployment] = {}

    # -- told by the api, and at the start ---------------------------------------------------------

    async def recover(self) -> None:
        """After a start: what the store has is current again; instances to be kept start."""
        for deployment in await self._store.deployments.all():
            release = deployment.release
            version = await self._store.versions.get(release.version, model=release.model)
            if version is not None:
                self.deploy(deployment, version)

    def deploy(self, deployment: Deployment, version: Version) -> None:
        """The deployment's release is current from now on. An older one that comes late changes nothing."""
        before = self._current.get(deployment.ref)
        if before is not None and _age(before) > _age(deployment):
            return
        self._current[deployment.ref] = deployment
        if before is not None and before.pool != deployment.pool:
            self._fleet.retire(before.pool)
        if deployment.release.is_disabled:
            self._fleet.retire(deployment.pool)
            self.work.cancel_all(deployment.ref)
        else:
            self._fleet.scale(deployment.pool, version, self._scales.of_release(deployment))

    def withdraw(self, deployment: Deployment) -> None:
        """The deployment was deleted; its instances go when they are idle."""
        current = self._current.get(deployment.ref)
        if current is not None and current.created_us == deployment.created_us:
            del self._current[deployment.ref]
            self._fleet.retire(current.pool)

    def rescale(self) -> None:
        """Somebody may have asked for another idle time."""
        for deployment in self._current.values():
            group = self._fleet.group(deployment.pool)
            scale = self._scales.of_release(deployment)
            if group is not None and not deployment.release.is_disabled and group.scale != scale:
                self._fleet.scale(deployment.pool, group.version, scale)

    # -- asked by dispatch -------------------------------------------------------------------------

    def check(self, prediction: Prediction) -> None:
        """Raises ``NotFound`` where its deployment is gone, ``Conflict`` where it is disabled."""
        if prediction.deployment is None:
            return
        deployment = self._current.get(prediction.deployment)
        if deployment is None:
            raise NotFound
        check_takes_predictions(deployment)

    def is_disabled(self, ref: str | None) -> bool:
        """Whether the deployment of that name takes nothing, and nothing of it runs."""
        deployment = self._current.get(ref or "")
        return deployment is not None and deployment.release.is_disabled

    def pool(self, prediction: Prediction, version: Version) -> Pool:
        """The instances in which it runs: its deployment's own, a training's one, or the shared ones."""
        if prediction.kind == "training":
            return Pool(prediction.version, training=prediction.id)
        if prediction.deployment is None:
            return pool_of(version)
        deployment = self._current.get(prediction.deployment)
        hardware = deployment.release.hardware if deployment else None
        return Pool(prediction.version, prediction.deployment, hardware)


def _age(deployment: Deployment) -> tuple[int, int]:
    """A deployment that was made again under its name begins at release 1, but later."""
    return deployment.created_us, deployment.release.number
