"""Deployments: a name under which one pinned version runs on instances of its own, release by release.

The api asks here what a request makes of a deployment; the runtime asks in whose instances a prediction runs.
Pure: values and times come in, values go out (sections 4.7, 5.7 and 13.1 of the HTTP contract).
"""

import msgspec

from stoker.core.errors import Conflict, FieldProblem
from stoker.core.scaling import Pool

MOST_MIN_INSTANCES = 5
MOST_MAX_INSTANCES = 20
UNUSED_S = 15 * 60
"""How long a deployment that is online must have been out of use before it may be deleted."""


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """What a deployment runs from one change to the next."""

    number: int
    """1 for the first, one more with each change."""
    model: str
    """``owner/name``."""
    version: str
    """64 hex digits."""
    hardware: str
    min_instances: int
    max_instances: int
    created_us: int
    created_by: str
    """Name of the account whose token made it."""

    @property
    def is_disabled(self) -> bool:
        """No instances at all: nothing of it runs, and nothing is taken."""
        return self.max_instances == 0


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    owner: str
    """The account that it belongs to."""
    name: str
    created_us: int
    release: Release
    """The current one."""

    @property
    def ref(self) -> str:
        """``owner/name``."""
        return f"{self.owner}/{self.name}"

    @property
    def pool(self) -> Pool:
        """The instances in which the current release runs."""
        return Pool(self.release.version, self.ref, self.release.hardware)

    @property
    def account(self) -> str:
        """Whose it is: its owner's."""
        return self.owner


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What an update asks for; None leaves it as it is."""

    model: str | None = None
    version: str | None = None
    hardware: str | None = None
    min_instances: int | None = None
    max_instances: int | None = None


def next_release(current: Release, change: Change, *, by: str, now_us: int) -> Release | None:
    """The release that the change makes; None where nothing would be different."""
    asked = msgspec.structs.asdict(change)
    new = {name: value for name, value in asked.items() if value not in (None, getattr(current, name))}
    if not new:
        return None
    return msgspec.structs.replace(
        current, number=current.number + 1, created_us=now_us, created_by=by, **new
    )


def scale_problems(min_instances: int, max_instances: int) -> list[FieldProblem]:
    """What is wrong with the numbers of instances; 0 and 0 disables the deployment and is fine."""
    found: list[FieldProblem] = []
    for field, value, most in (
        ("min_instances", min_instances, MOST_MIN_INSTANCES),
        ("max_instances", max_instances, MOST_MAX_INSTANCES),
    ):
        if value < 0:
            found.append(FieldProblem("number_gte", field, "Must be greater than or equal to 0"))
        if value > most:
            found.append(FieldProblem("number_lte", field, f"Must be less than or equal to {most}"))
    if not found and min_instances > max_instances:
        text = f"Must be less than or equal to max_instances, which is {max_instances}"
        found.append(FieldProblem("number_lte", "min_instances", text))
    return found


def check_takes_predictions(deployment: Deployment) -> None:
    """Raises ``Conflict`` where the deployment is disabled."""
    if deployment.release.is_disabled:
        raise Conflict(
            f"The deployment {deployment.ref} is disabled (its min_instances and max_instances are 0). "
            "Give it instances to run predictions."
        )


def unused_since_us(release: Release, now_us: int) -> int | None:
    """The moment since which the deployment must be out of use to be deleted now; None asks for nothing.

    Out of use means that no prediction of it runs, waits, or has ended since.
    """
    return None if release.is_disabled else now_us - UNUSED_S * 1_000_000
