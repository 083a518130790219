"""Every error that Stoker raises on purpose.

    StokerError
    ├── NotFound                 the thing does not exist (or is not yours to see)
    ├── Unauthenticated          no valid token
    ├── Forbidden                a valid token that may not do this
    ├── Throttled                too many requests (says when to come back)
    │   └── TooManyWaiting       the account has as much in line as it may
    ├── Conflict                 the thing exists already, or is in use
    ├── BadRequest               the request cannot be read
    ├── TooLarge                 a body or file over its limit
    ├── Invalid                  readable but not acceptable
    │   ├── InputInvalid         the input does not fit the version's schema (carries the fields)
    │   └── VersionUnknown       no such version, or not permitted
    ├── BuildFailed              a source tree did not become a version (carries what to do)
    │   └── ConfigInvalid        cog.yaml says something that cannot be built
    ├── FetchFailed              weights did not become a checkpoint (carries what to do)
    ├── Unavailable              shutting down or out of capacity; try again
    ├── PredictionFailed         the prediction that somebody waits for has failed (says why)
    ├── PredictionCanceled       the prediction that somebody waits for was ended by someone else
    ├── InstanceFailed           an instance could not be started
    ├── StartFailed              the server cannot start as it is set up (says what is in the way)
    └── StorageFailed            the database cannot be read or written (read-only, held by another, damaged)
        ├── StorageFull          there is no room left on the disk
        └── DataDirUnusable      the data directory cannot be opened at all (says what to do)

An error's class docstring is its default message, its ``code`` is stable. HTTP statuses are given
to errors in ``stoker.api.problems`` and nowhere else.
"""

import errno
from typing import ClassVar

import msgspec

FULL_DISK = (errno.ENOSPC, errno.EDQUOT)
"""The numbers of an ``OSError`` that say that there is no room left, or none for us."""


class StokerError(Exception):
    """Something went wrong."""

    code: ClassVar[str] = "error"

    def __init__(self, message: str | None = None):
        super().__init__(message or self.__class__.__doc__ or "")

    @property
    def message(self) -> str:
        return str(self.args[0])


class NotFound(StokerError):
    """The requested resource could not be found."""

    code = "not_found"


class Unauthenticated(StokerError):
    """You did not pass a valid authentication token"""

    code = "unauthenticated"


class Forbidden(StokerError):
    """This token may not do that."""

    code = "forbidden"


class Throttled(StokerError):
    """Request was throttled."""

    code = "throttled"

    def __init__(self, reset_s: int):
        self.reset_s = reset_s
        super().__init__(f"Request was throttled. Your rate limit resets in ~{reset_s}s.")


class TooManyWaiting(Throttled):
    """Too many of your predictions are waiting."""

    code = "too_many_waiting"

    def __init__(self, limit: int, *, reset_s: int):
        super().__init__(reset_s)
        self.args = (f"{limit} of your predictions are waiting, and no more may. Try again in ~{reset_s}s.",)


class Conflict(StokerError):
    """That exists already."""

    code = "conflict"


class BadRequest(StokerError):
    """The request could not be read."""

    code = "bad_request"


class TooLarge(StokerError):
    """The request is too large."""

    code = "too_large"


class Invalid(StokerError):
    """The request is not acceptable."""

    code = "invalid"


class FieldProblem(msgspec.Struct, frozen=True):
    """One thing wrong with one field; the words are those of section 11 of the HTTP contract."""

    type: str
    field: str
    description: str


class InputInvalid(Invalid):
    """Input validation failed"""

    code = "input_invalid"

    def __init__(self, fields: list[FieldProblem]):
        self.fields = fields
        named = (f"{f.field}: {f.description}" if f.field else f.description for f in fields)
        super().__init__("".join(f"- {text}\n" for text in named))


class VersionUnknown(Invalid):
    """The specified version does not exist (or perhaps you don't have permission to use it?)"""

    code = "version_unknown"


class BuildFailed(StokerError):
    """The build failed."""

    code = "build_failed"


class ConfigInvalid(BuildFailed):
    """cog.yaml cannot be built."""

    code = "config_invalid"


class FetchFailed(StokerError):
    """The weights could not be fetched."""

    code = "fetch_failed"


class Unavailable(StokerError):
    """The server is stopping. Try again in a moment."""

    code = "unavailable"


class PredictionFailed(StokerError):
    """The prediction failed."""

    code = "prediction_failed"


class PredictionCanceled(StokerError):
    """The prediction was canceled."""

    code = "prediction_canceled"


class InstanceFailed(StokerError):
    """The model could not be started."""

    code = "instance_failed"


class StartFailed(StokerError):
    """The server cannot start."""

    code = "start_failed"


class StorageFailed(StokerError):
    """The database could not be read or written."""

    code = "storage_failed"


class StorageFull(StorageFailed):
    """The server's disk is full. Nothing was changed; whoever runs the server has to make room."""

    code = "storage_full"


class DataDirUnusable(StorageFailed):
    """The data directory cannot be opened."""

    code = "data_dir_unusable"


def is_full_disk(error: Exception) -> bool:
    """Whether it says that there is no room left, or none for us, whoever raised it."""
    return isinstance(error, StorageFull) or (isinstance(error, OSError) and error.errno in FULL_DISK)
