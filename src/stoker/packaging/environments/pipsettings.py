"""Where packages come from on this machine: pip's configuration, said to uv as well.

Machines are set up for pip: an own index, a folder of wheels, a certificate. uv reads none of that, so
the builder reads it and hands it on. What the operator set for uv itself (``UV_*``) is left as it is.
"""

import configparser
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

_SECTIONS = ("global", "install")
_WITHOUT_FILES = os.devnull
_DIRECT = {
    "cert": "SSL_CERT_FILE",
    "client-cert": "SSL_CLIENT_CERT",
    "constraint": "UV_CONSTRAINT",
    "trusted-host": "UV_INSECURE_HOST",
    "default-timeout": "UV_HTTP_TIMEOUT",
    "timeout": "UV_HTTP_TIMEOUT",
    "proxy": "ALL_PROXY",
}


def config_files(environ: Mapping[str, str]) -> list[Path]:
    """The files that pip would read, least important first."""
    home = Path(environ.get("HOME", "~")).expanduser()
    chosen = environ.get("PIP_CONFIG_FILE")
    if chosen == _WITHOUT_FILES:
        return []
    folders = [Path(part) for part in environ.get("XDG_CONFIG_DIRS", "/etc/xdg").split(":") if part]
    user = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    files = [folder / "pip" / "pip.conf" for folder in folders]
    files += [Path("/etc/pip.conf"), home / ".pip" / "pip.conf", user / "pip" / "pip.conf"]
    files.append(Path(sys.prefix) / "pip.conf")
    return [*files, Path(chosen)] if chosen else files


def pip_settings(environ: Mapping[str, str], files: Iterable[Path]) -> dict[str, str]:
    """Option name to value, as pip would see it: later files win, the environment wins over files."""
    settings: dict[str, str] = {}
    for section in _SECTIONS:
        for file in files:
            settings |= _section(file, section)
    for name, value in environ.items():
        option = name.removeprefix("PIP_").lower().replace("_", "-")
        if name.startswith("PIP_") and value.strip() and option != "config-file":
            settings[option] = value.strip()
    return settings


def for_pip(settings: Mapping[str, str]) -> dict[str, str]:
    """The settings as variables that pip reads, for commands that call it in another home."""
    return {f"PIP_{option.upper().replace('-', '_')}": value for option, value in settings.items()}


def for_uv(settings: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """The settings as variables that uv reads; places on this machine that do not exist are left out.

    pip takes the best version of any index, which uv does only when told to.
    """
    variables = {"UV_INDEX_STRATEGY": "unsafe-best-match"}
    for option, name in _DIRECT.items():
        if option in settings:
            variables[name] = settings[option].replace("\n", " ")
    if "index-url" in settings:
        variables["UV_DEFAULT_INDEX"] = settings["index-url"]
    if extra := _existing(settings.get("extra-index-url", "")):
        variables["UV_INDEX"] = " ".join(extra)
    if links := _existing(settings.get("find-links", "")):
        variables["UV_FIND_LINKS"] = ",".join(links)
    if settings.get("no-index", "").lower() in ("1", "true", "yes", "on"):
        variables["UV_NO_INDEX"] = "1"
    if settings.get("pre", "").lower() in ("1", "true", "yes", "on"):
        variables["UV_PRERELEASE"] = "allow"
    return {name: value for name, value in variables.items() if name not in environ} | {
        name: value for name, value in environ.items() if name.startswith("UV_")
    }


def local_wheel_folders(variables: Mapping[str, str]) -> list[Path]:
    """The folders of this machine among uv's find-links."""
    places = variables.get("UV_FIND_LINKS", "").split(",")
    return [path for place in places if (path := _local(place)) is not None and path.is_dir()]


def _section(file: Path, section: str) -> dict[str, str]:
    parser = configparser.RawConfigParser()
    try:
        parser.read(file, encoding="utf-8")
    except (configparser.Error, OSError, UnicodeDecodeError):
        return {}
    if not parser.has_section(section):
        return {}
    return {name.replace("_", "-"): " ".join(value.split()) for name, value in parser.items(section) if value}


def _existing(places: str) -> list[str]:
    return [place for place in places.split() if (path := _local(place)) is None or path.exists()]


def _local(place: str) -> Path | None:
    parts = urlsplit(place)
    if parts.scheme == "file":
        return Path(unquote(parts.path))
    return Path(place).expanduser() if place and not parts.scheme else None
