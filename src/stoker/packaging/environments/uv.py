"""The one door to uv, which makes the environments: where it is, what it may know, and running it.

Also says what any process of a build has in its environment: what finds packages and talks to proxies, and
nothing of the server's own (tokens, settings). Used by everything here that starts a process.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from uv import find_uv_bin

from stoker.packaging.commands import LINE_LIMIT, Outcome, run
from stoker.packaging.environments.pipsettings import config_files, for_pip, for_uv, pip_settings

OnLine = Callable[[str], None]

NONE: Mapping[str, str] = {}

_PASSED_ON = {
    "PATH",
    "LANG",
    "LANGUAGE",
    "TZ",
    "USER",
    "LOGNAME",
    "LD_LIBRARY_PATH",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "NODE_EXTRA_CA_CERTS",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
}


def passed_on(environ: Mapping[str, str]) -> dict[str, str]:
    """What of the server's environment a build's process may see."""
    return {
        name: value
        for name, value in environ.items()
        if name.upper() in _PASSED_ON or name.startswith(("LC_", "UV_", "PIP_"))
    }


class Uv:
    """uv with this machine's package sources, its cache in the data directory (unless set elsewhere).

    Cache and environments belong on one file system: then packages are linked, not copied.
    """

    def __init__(self, data_dir: Path, environ: Mapping[str, str]):
        settings = pip_settings(environ, config_files(environ))
        self.variables = for_uv(settings, environ)
        """What uv is told about package sources."""
        self._binary = find_uv_bin()
        defaults = {
            "UV_CACHE_DIR": str(data_dir / "cache" / "uv"),
            "UV_PYTHON_INSTALL_DIR": str(data_dir / "pythons"),
        }
        self.environment = {
            **defaults,
            **passed_on(environ),
            "HOME": environ.get("HOME", "/"),
            **for_pip(settings),
            **self.variables,
            "UV_NO_PROGRESS": "1",
            "NO_COLOR": "1",
        }
        """What a build's process has in its environment."""

    async def __call__(
        self,
        *arguments: str | Path,
        cwd: Path,
        mark: str,
        on_line: OnLine | None = None,
        timeout_s: float = 3600.0,
        line_limit: int = LINE_LIMIT,
        variables: Mapping[str, str] = NONE,
    ) -> Outcome:
        """Runs ``uv ARGUMENTS``; interpreters are fetched only by ``uv python install``."""
        return await run(
            [self._binary, *map(str, arguments)],
            cwd=cwd,
            env={"UV_PYTHON_DOWNLOADS": "manual", **self.environment, **variables},
            mark=mark,
            timeout_s=timeout_s,
            on_line=on_line,
            line_limit=line_limit,
        )
