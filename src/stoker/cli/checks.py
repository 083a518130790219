"""What this machine has for running models, one check each: found or missing, and what to do.

Used by doctor, on the machine where the server runs. A check only looks: it installs nothing and asks
nothing beyond this machine. Where the builder has a rule (which Pythons count, which package index), it is
the builder's own code that says so.
"""

import json
import os
import re
import resource
import shutil
import ssl
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from stoker.cli.terminal import text
from stoker.packaging.environments.pipsettings import config_files, pip_settings
from stoker.packaging.environments.pythons import search_path, usable

_PROBE_S = 20.0
_LOW_DISK_BYTES = 5 * 10**9
_LOW_MEMORY_BYTES = 2 * 10**9
_LOW_OPEN_FILES = 4096

_SOURCES = ("index-url", "extra-index-url", "find-links", "no-index")
_UV_SOURCES = ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_FIND_LINKS", "UV_OFFLINE")

TOOLS = {
    "git": ("requirements that come from a repository", "git"),
    "gcc": ("packages that have to be compiled", "build-essential"),
    "ffmpeg": ("models that read or write sound and video", "ffmpeg"),
    "espeak-ng": ("speech models", "espeak-ng"),
    "tesseract": ("models that read text in pictures", "tesseract-ocr"),
}
"""Program: what needs it, and the Debian package that brings it."""


@dataclass(frozen=True)
class Check:
    name: str
    state: Literal["ok", "optional", "missing"]
    """``missing`` is required and not there; ``optional`` is worth knowing."""
    found: str
    advice: str = ""


def check_machine(home: Path, environ: Mapping[str, str]) -> list[Check]:
    """Everything, in the order in which a person would ask."""
    return [
        pythons(environ),
        uv(),
        data_directory(home),
        disk(home),
        processors(),
        memory(),
        open_files(),
        gpus(),
        certificates(environ),
        packages(environ),
        *(tool(name) for name in TOOLS),
    ]


def pythons(environ: Mapping[str, str]) -> Check:
    """The interpreters that models can run on."""
    try:
        listed = _output(
            [_uv(), "python", "list", "--only-installed", "--output-format=json"],
            {**environ, "PATH": search_path(environ)},
        )
        found = usable(listed.splitlines())
    except (OSError, subprocess.SubprocessError, json.JSONDecodeError, KeyError):
        found = {}
    if not found:
        advice = "Install Python 3.10 or later, for instance with: apt-get install python3"
        return Check("Python for models", "missing", "none from 3.10 on", advice)
    versions = ", ".join(f"{major}.{minor}" for major, minor in sorted(found))
    return Check("Python for models", "ok", versions, "Others are fetched at push where that is possible.")


def uv() -> Check:
    """The program that makes environments; it comes with Stoker."""
    try:
        return Check("uv", "ok", _output([_uv(), "--version"], os.environ).strip().removeprefix("uv "))
    except (OSError, subprocess.SubprocessError) as error:
        return Check("uv", "missing", str(error), "Install Stoker again; uv is one of its packages.")


def data_directory(home: Path) -> Check:
    """Whether everything that is kept can be written where it is to be."""
    if home.exists() and not home.is_dir():
        return Check("data directory", "missing", f"{home} is not a folder", "Set STOKER_HOME to a folder.")
    if not os.access(_existing(home), os.W_OK | os.X_OK):
        advice = "Make it writable for this user, or set STOKER_HOME to another folder."
        return Check("data directory", "missing", f"{home} cannot be written", advice)
    return Check("data directory", "ok", str(home) + ("" if home.exists() else " (made at the first start)"))


def disk(home: Path) -> Check:
    """Free space where the data directory is; one environment with torch takes gigabytes."""
    free = shutil.disk_usage(_existing(home)).free
    if free < _LOW_DISK_BYTES:
        advice = "Environments with torch take several GB. Free some, or set STOKER_HOME to another disk."
        return Check("free disk", "optional", text.size(free), advice)
    return Check("free disk", "ok", text.size(free))


def processors() -> Check:
    return Check("CPUs", "ok", text.count(len(os.sched_getaffinity(0)), "core"))


def memory() -> Check:
    """Memory that processes may still take."""
    kept = Path("/proc/meminfo").read_text() if Path("/proc/meminfo").exists() else ""
    amounts = {name: int(kilo) * 1024 for name, kilo in re.findall(r"^(\w+):\s+(\d+) kB", kept, re.MULTILINE)}
    total, free = amounts.get("MemTotal", 0), amounts.get("MemAvailable", 0)
    if not total:
        return Check("memory", "optional", "cannot be told on this system")
    found = f"{text.size(free)} of {text.size(total)} free"
    if free < _LOW_MEMORY_BYTES:
        return Check("memory", "optional", found, "A model that loads torch needs about 1 GB by itself.")
    return Check("memory", "ok", found)


def open_files() -> Check:
    """Every stream and instance holds some files open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < _LOW_OPEN_FILES:
        advice = f"For many callers raise it before 'stoker serve': ulimit -n {min(hard, 65536)}"
        return Check("open files", "optional", f"at most {soft}", advice)
    return Check("open files", "ok", "no limit" if soft == resource.RLIM_INFINITY else f"at most {soft}")


def gpus() -> Check:
    """NVIDIA GPUs, as their driver lists them."""
    advice = "Models with gpu: true need an NVIDIA GPU and its driver; all others run without."
    program = shutil.which("nvidia-smi")
    if program is None:
        return Check("NVIDIA GPU", "optional", "none (no nvidia-smi)", advice)
    query = [program, "--query-gpu=name,memory.total", "--format=csv,noheader"]
    try:
        names = [line.strip() for line in _output(query, os.environ).splitlines() if line.strip()]
    except (OSError, subprocess.SubprocessError) as error:
        return Check("NVIDIA GPU", "optional", f"nvidia-smi failed ({error})", advice)
    return (
        Check("NVIDIA GPU", "ok", "; ".join(names))
        if names
        else Check("NVIDIA GPU", "optional", "none", advice)
    )


def certificates(environ: Mapping[str, str]) -> Check:
    """Which authorities downloads trust."""
    chosen = environ.get("SSL_CERT_FILE") or environ.get("REQUESTS_CA_BUNDLE") or environ.get("PIP_CERT")
    if chosen and not Path(chosen).is_file():
        advice = "Correct SSL_CERT_FILE, REQUESTS_CA_BUNDLE or PIP_CERT, or unset it."
        return Check("certificates", "optional", f"{chosen} does not exist", advice)
    paths = ssl.get_default_verify_paths()
    found = chosen or paths.cafile or paths.capath
    if not found:
        return Check(
            "certificates", "optional", "none installed", "Install them: apt-get install ca-certificates"
        )
    return Check("certificates", "ok", found)


def packages(environ: Mapping[str, str]) -> Check:
    """Where model environments get their packages from."""
    settings = pip_settings(environ, config_files(environ))
    told = [f"{name} {_without_password(settings[name])}" for name in _SOURCES if settings.get(name)]
    told += [f"{name} is set" for name in _UV_SOURCES if environ.get(name)]
    return Check("package index", "ok", "; ".join(told) or "the public index (nothing is configured for pip)")


def tool(name: str) -> Check:
    """A program that some models need."""
    if found := shutil.which(name):
        return Check(name, "ok", found)
    needed_by, package = TOOLS[name]
    return Check(name, "optional", "not installed", f"For {needed_by}: apt-get install {package}")


def _uv() -> str:
    from uv import find_uv_bin

    return find_uv_bin()


def _output(command: list[str], environ: Mapping[str, str]) -> str:
    done = subprocess.run(
        command,
        env=dict(environ),
        capture_output=True,
        text=True,
        timeout=_PROBE_S,
        check=True,
        stdin=subprocess.DEVNULL,
    )
    return done.stdout


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    return next(path for path in (folder.absolute(), *folder.absolute().parents) if path.is_dir())


def _without_password(places: str) -> str:
    return re.sub(r"//[^/\s@]+@", "//***@", places)
