"""The environment variables of a model process: made from nothing, never inherited as a whole.

Called by ``process``. A token or secret in the server's own environment must not reach a model.
"""

import os
import sys
from pathlib import Path

from stoker.core.checkpoints import CHECKPOINT_VARIABLE
from stoker.engines.folders import Folders
from stoker.ports.engine import InstanceSpec

_PASSED_ON = (
    "CUDA_VISIBLE_DEVICES",
    "LD_LIBRARY_PATH",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TZ",
)
"""What describes the machine rather than the server."""

THREADS = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "RAYON_NUM_THREADS",
)

OWN = frozenset({"HOME", "TMPDIR", "COG_WEIGHTS", CHECKPOINT_VARIABLE, *THREADS})
"""What differs between instances that run the same in every other way."""

_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def variables(spec: InstanceSpec, folders: Folders) -> dict[str, str]:
    """What the model process sees; the version's own variables win, but for what it was given here."""
    environment = spec.python.parent.parent
    return {
        **{name: os.environ[name] for name in _PASSED_ON if name in os.environ},
        "PATH": f"{spec.python.parent}:{_system_path()}",
        "VIRTUAL_ENV": str(environment),
        "HOME": str(folders.home),
        "TMPDIR": str(folders.tmp),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        **_share(spec),
        **spec.variables,
        **_gpus(spec),
        **({"COG_WEIGHTS": str(folders.weights(spec.weights_name))} if spec.weights is not None else {}),
        **({CHECKPOINT_VARIABLE: str(spec.checkpoint)} if spec.checkpoint is not None else {}),
    }


def _share(spec: InstanceSpec) -> dict[str, str]:
    """What tells the libraries of a model which part of the machine is theirs."""
    return {name: str(spec.threads) for name in THREADS}


def _gpus(spec: InstanceSpec) -> dict[str, str]:
    """An empty list hides every GPU. Numbers mean places on the bus, as NVIDIA's tools number them."""
    if spec.gpus is None:
        return {}
    return {
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
        "CUDA_VISIBLE_DEVICES": ",".join(map(str, spec.gpus)),
    }


def _system_path() -> str:
    """The operator's PATH, where the machine's tools are, without the server's own environment."""
    own = Path(sys.executable).parent
    parts = os.environ.get("PATH", _SYSTEM_PATH).split(os.pathsep)
    return os.pathsep.join(part for part in parts if part and Path(part) != own) or _SYSTEM_PATH
