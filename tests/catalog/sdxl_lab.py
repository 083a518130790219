"""What ``test_sdxl`` does with pictures and weights; runs in the lab (see ``lab``), which has Pillow."""

import base64
import io
import json
import shutil
import tarfile
from pathlib import Path

import numpy as np
import watermark
from PIL import Image
from pipelines import Pipelines
from safetensors.numpy import load_file, save, save_file

BLOCK = "down_blocks.2.attentions.0.transformer_blocks.0.attn1"
"""An attention of the tiny UNet, 64 wide."""
WORD_WIDTHS = (32, 48)
"""Of the tiny text encoders."""


def picture(width: int, height: int, colour: str = "", spot: int = 0) -> str:
    """A plain picture or, without a colour, noise; with a white spot of that size in its middle."""
    if colour:
        made = Image.new("RGB", (width, height), colour)
    else:
        made = Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8))
    if spot:
        made.paste(
            "white", ((width - spot) // 2, (height - spot) // 2, (width + spot) // 2, (height + spot) // 2)
        )
    file = io.BytesIO()
    made.save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def size(data: str) -> list[int]:
    return list(_points(data).shape[1::-1])


def difference(one: str, other: str, mask: str = "") -> dict[str, int]:
    """The greatest difference between two pictures where the mask is white, and where it is black."""
    apart = np.abs(_points(one).astype(int) - _points(other)).max(2)
    white = _points(mask).max(2) > 0 if mask else np.ones_like(apart, dtype=bool)
    return {"white": int(apart[white].max(initial=0)), "black": int(apart[~white].max(initial=0))}


def is_marked(data: str) -> bool:
    return watermark.read(_opened(data)) == watermark.MESSAGE


def lora(seed: int, *, form: str = "peft", width: int = 64) -> str:
    """Trained weights as safetensors, in one of the forms that people have them in."""
    return _coded(save(_lora(seed, form, width)))


def training(seed: int, *, words: int = 2, without: str = "") -> str:
    """The tar that a published training gives: a LoRA, learned words and what stands for them."""
    chance = np.random.default_rng(seed)
    learned = {
        f"text_encoders_{n}": chance.normal(size=(words, width)).astype(np.float32)
        for n, width in enumerate(WORD_WIDTHS)
    }
    files = {
        "lora.safetensors": save(_lora(seed, "processor", 64)),
        "embeddings.pti": save(learned),
        "special_params.json": json.dumps({"TOK": "".join(f"<s{n}>" for n in range(words))}).encode(),
    }
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        for name, content in files.items():
            if name != without:
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))
    return _coded(file.getvalue())


def bare(checkpoint: str, folder: str) -> None:
    """A copy of a checkpoint as a hub gives it that was asked for half precision: no refiner, no checker."""
    extras = ("refiner", "safety_checker", "feature_extractor")
    shutil.copytree(checkpoint, folder, ignore=shutil.ignore_patterns(*extras))
    for file in Path(folder).glob("*/*.safetensors"):
        halves = {name: tensor.astype(np.float16) for name, tensor in load_file(file).items()}
        save_file(halves, file.with_suffix(".fp16.safetensors"), metadata={"format": "pt"})
        file.unlink()


def _lora(seed: int, form: str, width: int) -> dict[str, np.ndarray]:
    chance = np.random.default_rng(seed)
    names = {
        "peft": (f"unet.{BLOCK}.to_%s.lora_A.weight", f"unet.{BLOCK}.to_%s.lora_B.weight"),
        "processor": (f"{BLOCK}.processor.to_%s_lora.down.weight", f"{BLOCK}.processor.to_%s_lora.up.weight"),
        "kohya": tuple(
            f"lora_unet_{BLOCK.replace('.', '_')}_to_%s.lora_{end}.weight" for end in ("down", "up")
        ),
    }
    tensors = {}
    for part in "qkv":
        down, up = (name % part for name in names[form])
        tensors[down] = chance.normal(size=(4, width)).astype(np.float32)
        tensors[up] = chance.normal(size=(width, 4)).astype(np.float32)
        if form == "kohya":
            tensors[down.replace("lora_down.weight", "alpha")] = np.array(4, dtype=np.float32)
    return tensors


def _opened(data: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")


def _points(data: str) -> np.ndarray:
    return np.asarray(_opened(data))


def _coded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def without_weights() -> str:
    """Why nothing is loaded."""
    try:
        Pipelines.load()
    except RuntimeError as error:
        return str(error)
    raise AssertionError("it was loaded")
