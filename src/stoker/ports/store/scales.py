"""How many instances accounts, models, versions and deployments ask for. Written by the api alone."""

from typing import Protocol

from stoker.core.scales import Asked, Target


class Scales(Protocol):
    """What belongs to a model, version or deployment goes with it."""

    async def all(self) -> dict[Target, Asked]:
        """Only of those that ask for anything."""
        ...

    async def get(self, target: Target) -> Asked:
        """Empty where nothing is asked for."""
        ...

    async def put(self, target: Target, asked: Asked) -> None:
        """Takes the place of what it asked for."""
        ...
