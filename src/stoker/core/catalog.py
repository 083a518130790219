"""Models, versions, accounts and tokens: the things that exist before anything runs."""

import hashlib
from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from stoker.core.environments import EnvironmentSpec

Visibility = Literal["public", "private"]
AccountKind = Literal["user", "organization"]
Role = Literal["admin", "member"]
"""What somebody is in an organisation."""
Scope = Literal["read", "run", "admin"]
"""What a token is good for; each covers those before it (``core.permissions``)."""


class Account(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    kind: AccountKind = "user"
    created_us: int
    webhook_secret: str
    """``whsec_`` and base64; signs this account's webhooks."""
    display_name: str = ""
    avatar_url: str | None = None
    github_url: str | None = None
    retention_s: float | None = None
    """How long its predictions' data is kept; infinity is for ever, None as the server's setting says."""


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """That a user belongs to an organisation."""

    organization: str
    account: str
    role: Role = "member"
    created_us: int


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """An API token as it is kept: never the token itself."""

    id: str
    account: str
    name: str
    digest: str
    """sha256 of the token, hex."""
    hint: str
    """The first characters, for people: ``r8_Hw***``."""
    created_us: int
    revoked_us: int | None = None
    scope: Scope = "admin"
    expires_us: int | None = None
    used_us: int | None = None
    """When it was last seen, to the minute."""


class Model(msgspec.Struct, frozen=True, kw_only=True):
    owner: str
    """The first half of its name; mostly, but not always, the account that it belongs to."""
    name: str
    account: str
    """Whose it is: who may change it, and run it while it is private."""
    created_us: int
    visibility: Visibility = "private"
    hardware: str = "cpu"
    description: str | None = None
    github_url: str | None = None
    paper_url: str | None = None
    license_url: str | None = None
    weights_url: str | None = None
    cover_image_url: str | None = None
    readme: str = ""
    run_count: int = 0
    latest_version: str | None = None
    latest_version_us: int | None = None
    """When that version was made."""
    default_example: str | None = None
    """Id of the kept prediction that stands for the model."""

    @property
    def recent_us(self) -> int:
        """When its latest version was made; of a model without one, when it was made itself."""
        return self.created_us if self.latest_version_us is None else self.latest_version_us

    @property
    def ref(self) -> str:
        """``owner/name``."""
        return f"{self.owner}/{self.name}"


class SourceFile(msgspec.Struct, frozen=True, order=True):
    """One file of a source tree; the bytes are in the file store under their sha256."""

    path: str
    """Relative to the project, ``/`` between parts."""
    sha256: str
    size_bytes: int
    executable: bool = False


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """How to run a version: what cog.yaml said and what the build made of it. Stored as JSON."""

    environment: str
    """Id of the environment that the version runs in (a directory name, content-addressed)."""
    environment_spec: EnvironmentSpec | None = None
    """What that environment is made of, so that it can be made again."""
    predict: str | None = None
    """``file.py:Name``."""
    train: str | None = None
    slots: int = 1
    """How many predictions one instance runs at once."""
    variables: dict[str, str] = {}
    """``environment`` of cog.yaml."""
    gpu: bool = False
    weights: str | None = None
    """sha256 of the weights that a training gave, kept in the file store; None for a version as pushed."""
    weights_name: str = "weights"
    """What the file with the weights is called where the model sees it."""
    checkpoint: str | None = None
    """Id of the weights in the server's cache that it runs with (``core.checkpoints``); None without any."""
    trained_from: str | None = None
    """``owner/name:<64 hex>``: what the weights were trained from."""
    runs_in: str | None = None
    """``owner/name:<64 hex>`` in whose instances it runs, which are given its weights with each prediction
    (``core.hosting``); None where it has its own."""
    warnings: tuple[str, ...] = ()
    """What the build had to say that was not an error."""
    imported_from: str | None = None
    """The API that described the version; its code stayed there, so that nothing here can run it."""


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """One immutable version of a model. ``id`` is a sha256 of what runs, 64 hex digits."""

    id: str
    model: str
    """``owner/name``."""
    created_us: int
    cog_version: str
    openapi_schema: dict[str, Any]
    recipe: Recipe
    source: tuple[SourceFile, ...]
    hardware: str = "cpu"
    """The SKU of its model; the model has it, and versions are read with it."""

    @property
    def imported_from(self) -> str | None:
        """Where it was copied from without its code; None for a version that can run."""
        return self.recipe.imported_from

    @property
    def input_schema(self) -> dict[str, Any]:
        """Empty for a version that can only be trained; so is ``output_schema``."""
        return self._component("Input")

    @property
    def training_schema(self) -> dict[str, Any]:
        """What a training of it takes; empty where it cannot be trained."""
        return self._component("TrainingInput")

    @property
    def output_schema(self) -> dict[str, Any]:
        return self._component("Output")

    @property
    def iterates(self) -> bool:
        """Whether the output is an array that grows while the model runs."""
        return self.output_schema.get("x-cog-array-type") == "iterator"

    def _component(self, name: str) -> dict[str, Any]:
        return self.openapi_schema["components"]["schemas"].get(name, {})


def version_id(files: Iterable[SourceFile], environment: str, checkpoint: str | None = None) -> str:
    """sha256 of what runs: every file with its path, the environment with all that is in it, the weights."""
    content: dict[str, Any] = {
        "environment": environment,
        "files": [[file.path, file.sha256, file.executable] for file in files],
    }
    if checkpoint is not None:
        content["checkpoint"] = checkpoint
    return hashlib.sha256(msgspec.json.encode(content, order="deterministic")).hexdigest()


class FileRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A file somebody sent or a model made; the bytes are in the file store under their sha256."""

    id: str
    account: str
    origin: Literal["upload", "input", "output"]
    name: str
    content_type: str
    size_bytes: int
    sha256: str
    md5: str | None = None
    """Of what was sent: the Files API shows it."""
    created_us: int
    expires_us: int
    prediction: str | None = None
    metadata: dict[str, Any] = {}
