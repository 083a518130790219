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

_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def variables(spec: InstanceSpec, folders: Folders, *, threads: int) -> dict[str, str]:
    """What the model process sees; the version's own variables win, but for where weights are."""
    environment = spec.python.parent.parent
    return {
        **{name: os.environ[name] for name in _PASSED_ON if name in os.environ},
        "PATH": f"{spec.python.parent}:{_system_path()}",
        "VIRTUAL_ENV": str(environment),
        "HOME": str(folders.home),
        "TMPDIR": str(folders.tmp),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "OMP_NUM_THREADS": str(threads),
        **spec.variables,
        **({"COG_WEIGHTS": str(folders.weights(spec.weights_name))} if spec.weights is not None else {}),
        **({CHECKPOINT_VARIABLE: str(spec.checkpoint)} if spec.checkpoint is not None else {}),
    }


def default_threads() -> int:
    """Threads of one instance's tensor library: half the cores, so that two busy instances do not fight.

    A model with as many threads as cores that others use too was measured at a sixteenth of its speed.
    """
    return max(1, len(os.sched_getaffinity(0)) // 2)


def _system_path() -> str:
    """The operator's PATH, where the machine's tools are, without the server's own environment."""
    own = Path(sys.executable).parent
    parts = os.environ.get("PATH", _SYSTEM_PATH).split(os.pathsep)
    return os.pathsep.join(part for part in parts if part and Path(part) != own) or _SYSTEM_PATH
