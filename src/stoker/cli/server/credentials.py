"""Where the server is and which token opens it: from the environment, else from what ``serve`` stored.

Called by every command that talks to a server, and by ``stoker.main`` to store what ``serve`` made.
The file is the user's alone (mode 0600) and is replaced whole, never half-written.
"""

import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import click

FILE_NAME = "credentials.json"

NO_SERVER = (
    "No server is known yet. Start one with 'stoker serve', "
    "or set REPLICATE_BASE_URL and REPLICATE_API_TOKEN."
)


@dataclass(frozen=True)
class Credentials:
    base_url: str
    """Without ``/v1`` and without a slash at the end."""
    token: str
    is_stored: bool = field(default=False, compare=False)
    """Whether the token is what ``serve`` stored, and not one that the environment names."""


def home(environ: Mapping[str, str] | None = None) -> Path:
    """The data directory of this user: ``STOKER_HOME``, else ``~/.stoker``."""
    chosen = (os.environ if environ is None else environ).get("STOKER_HOME")
    return Path(chosen).expanduser() if chosen else Path.home() / ".stoker"


def save(home: Path, credentials: Credentials) -> Path:
    """Stores them for the commands, readable by this user only; the path of the file."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = home / FILE_NAME
    draft = home / f".{FILE_NAME}.{os.getpid()}"
    body = json.dumps({"base_url": credentials.base_url, "token": credentials.token}, indent=2) + "\n"
    draft.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            draft.unlink()
    return path


def load(home: Path) -> Credentials | None:
    """What ``save`` stored there; None where there is nothing."""
    path = home / FILE_NAME
    try:
        stored = json.loads(path.read_bytes())
        return Credentials(trimmed(str(stored["base_url"])), str(stored["token"]), is_stored=True)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise click.ClickException(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise click.ClickException(
            f"{path} is damaged. Delete it and start 'stoker serve' again; it writes a new one."
        ) from error


def resolve(environ: Mapping[str, str] | None = None) -> Credentials:
    """The server and token to use. A stored token only ever goes to the server it was stored for."""
    environ = os.environ if environ is None else environ
    base_url = trimmed(environ.get("REPLICATE_BASE_URL", ""))
    token = environ.get("REPLICATE_API_TOKEN", "").strip()
    if not token.isascii() or not token.isprintable() or " " in token:
        raise click.ClickException("REPLICATE_API_TOKEN is no token: it has spaces or letters that none has.")
    if base_url and token:
        return Credentials(base_url, token)
    stored = load(home(environ))
    if stored is None and not base_url:
        raise click.ClickException(NO_SERVER)
    if stored is None or (base_url and base_url != stored.base_url):
        if not token:
            raise click.ClickException(
                f"REPLICATE_API_TOKEN is not set, and no token is stored for {base_url}."
            )
        return Credentials(base_url, token)
    return Credentials(stored.base_url, token) if token else stored


def trimmed(base_url: str) -> str:
    """The base URL without ``/v1``, which some clients want in it and others do not."""
    return base_url.strip().rstrip("/").removesuffix("/v1").rstrip("/")
