"""What an environment is made of. Its id is a digest of exactly that, so equal contents share one folder.

Made by ``stoker.packaging``, kept in a version's recipe so that a lost environment can be made again, the
same. Pure.
"""

import hashlib

import msgspec


class EnvironmentSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that decides what is in an environment, resolved."""

    python: str
    """Major and minor version of the interpreter: ``3.11``. Any patch will do."""
    platform: str
    """Where its wheels run: ``linux-x86_64``."""
    lock: tuple[str, ...]
    """The lines of a requirements file that pins every package; local files as ``./SHA256/NAME``."""
    torch_backend: str | None = None
    """The build of PyTorch's own index that the pins came from (``cpu``), if any did."""
    artifacts: tuple[tuple[str, str], ...] = ()
    """(sha256, file name) of each local wheel or archive that the lock names."""
    commands: tuple[str, ...] = ()
    """Shell commands that are run once in the finished environment."""
    variables: tuple[tuple[str, str], ...] = ()
    """What those commands have in their environment; empty where there are none."""

    @property
    def id(self) -> str:
        return hashlib.sha256(msgspec.json.encode(self, order="deterministic")).hexdigest()
