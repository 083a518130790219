"""One spelling for every path: clients differ in what they put before and after it (section 1).

The same handlers answer under ``/v1``, ``/v1/v1`` and bare; a trailing slash is tolerated; and the Go
client's habit of appending an absolute ``next`` URL to its base is undone. Nothing is ever redirected.
"""

import re

_ABSOLUTE = re.compile(r"^(?:/v1)*/https?:/{1,2}[^/]+")


def canonical(path: str) -> str:
    """The path as routes know it: no ``/v1``, no trailing slash."""
    if ":/" in path:
        path = _ABSOLUTE.sub("", path)
    for _ in range(2):
        if path.startswith("/v1/") or path == "/v1":
            path = path[3:]
    if path.endswith("/"):
        path = path.rstrip("/")
    return path or "/"
