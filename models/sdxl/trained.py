"""Trained weights as a file holds them: LoRA tensors, learned words and the words that stand for them.

Used by ``adapters``. A file is plain safetensors, or the tar that a training gives: ``lora.safetensors``, and
where words were learned, too, ``embeddings.pti`` (also safetensors) and ``special_params.json``. Nothing of a
tar is written anywhere, and no pickle is ever read.
"""

import json
import tarfile
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, load_file

LORA, EMBEDDINGS, WORDS, WHOLE = (
    "lora.safetensors",
    "embeddings.pti",
    "special_params.json",
    "unet.safetensors",
)
LIMIT_BYTES = 4 * 1024**3
"""Of one file in a tar, unpacked."""
ENCODERS = ("text_encoders_0", "text_encoders_1")
_PREFIXES = ("unet.", "text_encoder.", "text_encoder_2.", "lora_unet_", "lora_te")


@dataclass(frozen=True)
class Trained:
    lora: dict[str, torch.Tensor]
    embeddings: tuple[torch.Tensor, ...] = ()
    """Of the learned words, for each text encoder."""
    words: dict[str, str] = field(default_factory=dict)
    """What a prompt says, and the learned words ``<s0>``, ``<s1>`` and so on that it means."""


def read(path: Path) -> Trained:
    """The weights; ValueError for a file that holds none."""
    try:
        if tarfile.is_tarfile(path):
            return _read_tar(path)
        return Trained(_named(load_file(path)))
    except SafetensorError as error:
        raise ValueError(f"it is neither a safetensors file nor a tar of one: {error}") from error
    except (tarfile.TarError, EOFError, OSError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"the tar cannot be read: {error}") from error


def _read_tar(path: Path) -> Trained:
    contents = _contents(path)
    if LORA not in contents:
        what = "a whole UNet, of which only the LoRA kind can be used" if WHOLE in contents else f"no {LORA}"
        raise ValueError(f"the tar holds {what}")
    lora = _named(load(contents[LORA]))
    if EMBEDDINGS not in contents:
        return Trained(lora)
    learned = load(contents[EMBEDDINGS])
    if set(learned) != set(ENCODERS):
        raise ValueError(f"{EMBEDDINGS} has not one entry for each text encoder")
    if any(vectors.ndim != 2 or not len(vectors) for vectors in learned.values()):
        raise ValueError(f"{EMBEDDINGS} holds no learned words")
    words = json.loads(contents.get(WORDS, b"{}"))
    if not isinstance(words, dict) or not all(isinstance(word, str) for word in words.values()):
        raise ValueError(f"{WORDS} is not a table of words")
    return Trained(lora, tuple(learned[name] for name in ENCODERS), words)


def _contents(path: Path) -> dict[str, bytes]:
    """The files that count, by name."""
    found: dict[str, bytes] = {}
    with tarfile.open(path) as tar:
        for member in tar:
            name = Path(member.name).name
            if name == WHOLE:
                found[name] = b""
            if not member.isfile() or name not in (LORA, EMBEDDINGS, WORDS):
                continue
            if member.size > LIMIT_BYTES:
                raise ValueError(f"{name} in the tar is larger than {LIMIT_BYTES} bytes")
            file = tar.extractfile(member)
            found[name] = file.read() if file else b""
    return found


def _named(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """With the UNet's name before tensors that say nothing of where they belong, as trainings wrote them."""
    if any(name.startswith(_PREFIXES) for name in tensors):
        return tensors
    return {f"unet.{name}": tensor for name, tensor in tensors.items()}
