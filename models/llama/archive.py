"""The file that a training gives: an adapter in PEFT's form and, to go on from, how far the training was.

``train`` writes one at each checkpoint and at the end; ``places`` reads the adapter alone, of anyone's. A tar
of plain JSON and safetensors, packed or not: no pickle is read, and nothing of it is unpacked to disk. The
same content gives the same bytes.
"""

import io
import json
import lzma
import math
import tarfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lora import Shape, Tensors
from safetensors import SafetensorError
from safetensors.torch import load, save

CONFIG, ADAPTER = "adapter_config.json", "adapter_model.safetensors"
PROGRESS, OPTIMISER = "training.json", "optimizer.safetensors"
CHANGED = (
    "use_dora",
    "modules_to_save",
    "rank_pattern",
    "alpha_pattern",
    "layers_to_transform",
    "fan_in_fan_out",
    "alora_invocation_tokens",
)
"""Kinds of PEFT adapters that do more than two matrices beside each layer."""


BROKEN = (
    tarfile.TarError,
    EOFError,
    zlib.error,
    lzma.LZMAError,
    SafetensorError,
    UnicodeDecodeError,
    json.JSONDecodeError,
)
"""What libraries say of files that are not what they should be."""


@dataclass(frozen=True)
class Adapter:
    shape: Shape
    tensors: Tensors


@dataclass(frozen=True)
class Progress:
    """How far a training was: what it was begun with, its steps, and the optimiser's two averages."""

    begun_with: dict[str, Any]
    step: int
    moments: Tensors


def write(path: str, adapter: Adapter, progress: Progress) -> None:
    told = {"begun_with": progress.begun_with, "step": progress.step}
    with tarfile.open(path, "w") as tar:
        _add(tar, CONFIG, _json(_config(adapter.shape)))
        _add(tar, ADAPTER, save(adapter.tensors, {"format": "pt"}))
        _add(tar, PROGRESS, _json(told))
        _add(tar, OPTIMISER, save(progress.moments))


def read_adapter(path: Path, *, most_bytes: int | None = None) -> Adapter:
    """The adapter; ``ValueError`` where there is none, or one of a kind that cannot be served.

    A file in it that is larger than ``most_bytes`` is not read: a small tar may hold a very large one.
    """
    found = _read(path, CONFIG, ADAPTER, most_bytes=most_bytes)
    return Adapter(_shape(json.loads(found[CONFIG])), load(found[ADAPTER]))


def read_progress(path: Path) -> Progress:
    """How far the training was; ``ValueError`` for an adapter that tells nothing of it."""
    found = _read(path, PROGRESS, OPTIMISER)
    told = json.loads(found[PROGRESS])
    return Progress(told["begun_with"], told["step"], load(found[OPTIMISER]))


def _read(path: Path, *names: str, most_bytes: int | None = None) -> dict[str, bytes]:
    try:
        with tarfile.open(path) as tar:
            members = {Path(member.name).name: member for member in tar if member.isfile()}
            for name in names:
                if name not in members:
                    raise ValueError(f"The weights are no adapter of a training: the tar has no {name}.")
                if most_bytes is not None and members[name].size > most_bytes:
                    raise ValueError(f"The adapter is too large: {name} has more than {most_bytes} bytes.")
            files = {name: tar.extractfile(members[name]) for name in names}
            found = {name: file.read() for name, file in files.items() if file}
            for name in names:
                _check(name, found[name])
            return found
    except BROKEN as error:
        raise ValueError(f"The weights are no adapter of a training, or incomplete: {error}") from None


def _check(name: str, content: bytes) -> None:
    if name.endswith(".json"):
        json.loads(content)
    else:
        load(content)


def _config(shape: Shape) -> dict[str, Any]:
    return {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": None,
        "r": shape.rank,
        "lora_alpha": shape.alpha,
        "use_rslora": shape.by_root,
        "target_modules": sorted(shape.targets),
        "bias": "none",
        "inference_mode": True,
    }


def _shape(config: Any) -> Shape:
    if not isinstance(config, dict):
        raise ValueError(f"The adapter's {CONFIG} must be a JSON object.")
    unserved = [name for name in CHANGED if config.get(name)]
    if config.get("peft_type") != "LORA" or unserved or config.get("bias", "none") != "none":
        kind = unserved[0] if unserved else f"{config.get('peft_type')}, bias {config.get('bias')}"
        raise ValueError(f"The adapter is of a kind that this model does not serve ({kind}); plain LoRA is.")
    targets = config.get("target_modules")
    if not isinstance(targets, list) or not all(isinstance(target, str) for target in targets):
        raise ValueError("The adapter's target_modules must be a list of names of layers.")
    rank, alpha = config.get("r"), config.get("lora_alpha")
    if not isinstance(rank, int) or rank < 1:
        raise ValueError(f"The adapter's r must be a whole number of 1 or more, not {rank!r}.")
    if not isinstance(alpha, int | float) or not math.isfinite(alpha):
        raise ValueError(f"The adapter's lora_alpha must be a number, not {alpha!r}.")
    return Shape(
        rank=rank,
        alpha=float(alpha),
        targets=tuple(sorted(targets)),
        by_root=bool(config.get("use_rslora")),
    )


def _json(content: dict[str, Any]) -> bytes:
    return json.dumps(content, indent=1, sort_keys=True).encode()


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))
