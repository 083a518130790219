"""The file that a training gives: an adapter in PEFT's form and, to go on from, how far the training was.

``train`` writes one at each checkpoint and at the end; ``places`` reads the adapter alone, of anyone's. A tar
of plain JSON and safetensors, packed or not: no pickle is read, and nothing of it is unpacked to disk. The
same content gives the same bytes.
"""

import io
import json
import lzma
import sys
import tarfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lora import Shape, Tensors
from safetensors import SafetensorError
from safetensors.torch import load, save
from tars import files_in

CONFIG, ADAPTER = "adapter_config.json", "adapter_model.safetensors"
PROGRESS, OPTIMISER = "training.json", "optimizer.safetensors"
CONFIG_BYTES = 1024**2
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
    RecursionError,
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


def read_adapter(path: Path, *, most_bytes: int = sys.maxsize) -> Adapter:
    """The adapter; ``ValueError`` where there is none, or one of a kind that cannot be served.

    Tensors of more than ``most_bytes`` are not read: a small tar may hold very large ones.
    """
    config, tensors = _read(path, {CONFIG: CONFIG_BYTES, ADAPTER: most_bytes})
    return Adapter(_shape(config), tensors)


def read_progress(path: Path) -> Progress:
    """How far the training was; ``ValueError`` for an adapter that tells nothing of it."""
    told, moments = _read(path, {PROGRESS: sys.maxsize, OPTIMISER: sys.maxsize})
    return Progress(told["begun_with"], told["step"], moments)


def _read(path: Path, most_bytes: Mapping[str, int]) -> list[Any]:
    """What is in those files of the tar, in this order."""
    try:
        found = files_in(path, most_bytes)
        for name in most_bytes:
            if name not in found:
                raise ValueError(f"The weights are no adapter of a training: the tar has no {name}.")
        return [(json.loads if name.endswith(".json") else load)(found.pop(name)) for name in most_bytes]
    except BROKEN as error:
        raise ValueError(f"The weights are no adapter of a training, or incomplete: {error}") from None


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
    if not isinstance(alpha, int | float) or not abs(alpha) <= sys.float_info.max:
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
