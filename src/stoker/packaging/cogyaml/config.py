"""What cog.yaml says, once it was read: plain values for the rest of the build."""

import msgspec

DEFAULT_PYTHON = (3, 13)
OLDEST_PYTHON = (3, 10)
"""The SDK needs it; models that name an older one are run on this."""


class SecretMount(msgspec.Struct, frozen=True):
    id: str
    target: str


class Command(msgspec.Struct, frozen=True):
    """A shell command of ``build.run`` or ``build.pre_install``."""

    line: str
    secrets: tuple[SecretMount, ...] = ()


class WeightSource(msgspec.Struct, frozen=True):
    uri: str
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


class Weight(msgspec.Struct, frozen=True):
    name: str
    target: str
    sources: tuple[WeightSource, ...]


class Config(msgspec.Struct, frozen=True, kw_only=True):
    python: tuple[int, int] = DEFAULT_PYTHON
    """Major and minor version that is wanted."""
    requirements: str | None = None
    """Path of a requirements file in the project."""
    overrides: str | None = None
    """Path of an overrides file in the project."""
    packages: tuple[str, ...] = ()
    system_packages: tuple[str, ...] = ()
    commands: tuple[Command, ...] = ()
    gpu: bool = False
    cuda: str | None = None
    predict: str | None = None
    """``file.py:Name``, from ``run`` or ``predict``."""
    train: str | None = None
    concurrency: int | None = None
    """``concurrency.max``; wins over the decorator."""
    variables: dict[str, str] = {}
    weights: tuple[Weight, ...] = ()
    warnings: tuple[str, ...] = ()
    """What we do otherwise than cog.yaml says; errors where the build is strict."""
    notes: tuple[str, ...] = ()
    """What its author may want to know (deprecations); shown in the build's log only."""
