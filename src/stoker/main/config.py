"""Reads the settings: flags before environment before file before defaults.

A setting ``idle_s`` is ``STOKER_IDLE_S`` in the environment and ``idle_s`` in the TOML file. Two have names
of their own: the data directory is ``STOKER_HOME`` and the first token ``STOKER_BOOTSTRAP_TOKEN``.
"""

import difflib
import ipaddress
import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from stoker.core import ids
from stoker.core.hardware import Hardware
from stoker.core.settings import Settings

ALIASES = {"data_dir": "STOKER_HOME"}
SHARED = {"hub_url": "HF_ENDPOINT", "hub_token": "HF_TOKEN"}
"""Variables that a machine may have for other programs; ours come first."""
LISTS = ("allow_net",)
TABLES = ("hardware",)
"""Lists of tables; in the environment they are JSON."""
PREFIX = "STOKER_"
_KINDS = {"int": "a whole number", "float": "a number", "bool": "true or false", "str": "text"}
NOT_SETTINGS = frozenset(
    {"STOKER_BUILD", "STOKER_INSTANCE", "STOKER_WORKER_FD", "STOKER_WORKER_CONFIG", "STOKER_IMPORT_TOKEN"}
)
"""What we set ourselves for builds and instances, where a server may have been started from; and what
``stoker import`` reads."""


class ConfigError(ValueError):
    """A setting that cannot be used; the text says which and why."""


def variable_of(setting: str) -> str:
    """The environment variable of a setting."""
    return ALIASES.get(setting, f"STOKER_{setting.upper()}")


def misspelt(environ: Mapping[str, str]) -> list[str]:
    """A sentence for each variable that looks like a setting and is none."""
    known = {variable_of(setting) for setting in Settings.__struct_fields__}
    unknown = sorted(name for name in environ if name.startswith(PREFIX) and name not in known | NOT_SETTINGS)
    return [f"{name} is no setting and means nothing{_guess(name, known)}." for name in unknown]


def _guess(name: str, known: set[str]) -> str:
    close = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.8)
    return f" (is it {close[0]} that was meant?)" if close else ""


def load(flags: Mapping[str, Any], environ: Mapping[str, str], *, file: Path | None = None) -> Settings:
    """The settings. ``flags`` holds those that were given. Raises ``ConfigError``."""
    merged: dict[str, Any] = {"data_dir": Path.home() / ".stoker"}
    merged |= _from_file(file) if file else {}
    merged |= _from_environment(environ)
    merged |= flags
    merged["data_dir"] = Path(merged["data_dir"]).expanduser().absolute()
    try:
        settings = msgspec.convert(merged, Settings, strict=False, dec_hook=_path)
    except msgspec.ValidationError as error:
        raise ConfigError(_misfit(str(error))) from error
    _check(settings)
    return settings


def _misfit(told: str) -> str:
    """msgspec's words for a value of a wrong type, in ours."""
    match = re.fullmatch(r"Expected `(\w+)[^`]*`, got .* - at `\$\.(.+)`", told)
    if match is None or match[1] not in _KINDS:
        return f"A setting cannot be used: {told}."
    return f"{match[2]} must be {_KINDS[match[1]]}."


def _check(settings: Settings) -> None:
    """What the types do not say."""
    for name, value in msgspec.structs.asdict(settings).items():
        if isinstance(value, int | float) and not 0 <= value < math.inf:
            raise ConfigError(f"{name} must be a number from 0 on.")
    if settings.port > 65535:
        raise ConfigError("port must be at most 65535.")
    for network in settings.allow_net:
        try:
            ipaddress.ip_network(network, strict=False)
        except ValueError as error:
            raise ConfigError(f"allow_net: {error}; write networks like 10.0.0.0/8.") from error
    if not ids.is_name(settings.account):
        raise ConfigError(f"account: {settings.account!r} is no name; use {ids.NAME_RULE}.")
    _check_hardware(settings.hardware)
    if settings.public_url is not None and not settings.public_url.startswith(("http://", "https://")):
        raise ConfigError("public_url must start with http:// or https://.")
    if settings.hub_url is not None and not settings.hub_url.startswith(("http://", "https://")):
        raise ConfigError("hub_url must start with http:// or https://.")
    if (settings.tls_cert is None) != (settings.tls_key is None):
        raise ConfigError("TLS needs both a certificate and a key: set --tls-cert and --tls-key.")


def _check_hardware(hardware: Sequence[Hardware]) -> None:
    for one in hardware:
        if not ids.is_name(one.sku):
            raise ConfigError(f"hardware: {one.sku!r} is no SKU; use {ids.NAME_RULE}.")
        if one.micro_usd_per_s < 0 or one.gpus < 0 or (one.count or 0) < 0:
            raise ConfigError(f"hardware: the numbers of {one.sku} cannot be negative.")
    if len({one.sku for one in hardware}) < len(hardware):
        raise ConfigError("hardware: a SKU is there twice.")


def _from_file(file: Path) -> dict[str, Any]:
    try:
        values = tomllib.loads(file.read_text())
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}.") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file} is not valid TOML: {error}.") from error
    unknown = values.keys() - set(Settings.__struct_fields__)
    if unknown:
        raise ConfigError(f"{file} has unknown settings: {', '.join(sorted(unknown))}.")
    return values


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for setting in Settings.__struct_fields__:
        text = environ.get(variable_of(setting), "") or environ.get(SHARED.get(setting, ""), "")
        if text:
            found[setting] = _parsed(setting, text)
    return found


def _parsed(setting: str, text: str) -> Any:
    if setting in LISTS:
        return [part.strip() for part in text.split(",") if part.strip()]
    if setting not in TABLES:
        return text
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise ConfigError(f"{variable_of(setting)} is not valid JSON: {error}.") from error


def _path(type: type, value: Any) -> Any:
    if type is Path and isinstance(value, str | Path):
        return Path(value).expanduser()
    raise NotImplementedError(f"{value!r} is not a {type.__name__}")
