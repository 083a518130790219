"""The checkpoint, loaded: three ways to use the base model, which share its weights, and the refiner.

Loaded once by ``predict``'s setup. Knows devices and memory; ``generation`` knows what to make of an order.
"""

import json
import os
from pathlib import Path
from typing import Any

import hardware
import progress
from diffusers import (
    StableDiffusionXLImg2ImgPipeline,
    StableDiffusionXLInpaintPipeline,
    StableDiffusionXLPipeline,
)
from hardware import Hardware

MISSING = (
    "no weights: STOKER_CHECKPOINT names no folder. Add them with "
    "`stoker catalog add stability-ai/sdxl --weights DIR-or-hub-id`"
)


class Pipelines:
    def __init__(self, folder: Path, device: Hardware, text: Any, refiner: Any | None):
        self.folder = folder
        self.hardware = device
        self.text = text
        # Not from_pipe, which would bring the shared weights to another precision.
        self.image = StableDiffusionXLImg2ImgPipeline(**_shared(text))
        self.inpaint = StableDiffusionXLInpaintPipeline(**_shared(text))
        self.refiner = refiner
        modules = _modules(text, refiner)
        self._stays = device.holds(sum(map(_size_bytes, modules)))
        for module in modules:
            # Adapters do this when the first is loaded; done before, it changes no rounding between pictures.
            module.requires_grad_(False)
            if self._stays:
                module.to(device.device)
        for pipeline in filter(None, (self.text, self.image, self.inpaint, refiner)):
            pipeline.set_progress_bar_config(file=progress.Lines())
        text.vae.enable_slicing()  # several pictures are decoded one by one: the same result in less memory

    @classmethod
    def load(cls) -> "Pipelines":
        folder = _folder()
        device = hardware.find()
        options = {"dtype": device.dtype, "local_files_only": True, "add_watermarker": False}
        text = StableDiffusionXLPipeline.from_pretrained(folder, variant=_variant(folder), **options)
        refiner = folder / "refiner"
        if not refiner.is_dir():
            return cls(folder, device, text, None)
        shared = {name: getattr(text, name) for name in ("vae", "text_encoder_2", "tokenizer_2")}
        loaded = StableDiffusionXLImg2ImgPipeline.from_pretrained(
            refiner, variant=_variant(refiner), **shared, **options
        )
        return cls(folder, device, text, loaded)

    def ready(self, pipeline: Any) -> Any:
        """The pipeline, able to run: its parts are on the device, or come and go where memory is short."""
        if not self._stays:
            pipeline.enable_model_cpu_offload(device=self.hardware.device)
        # Decoding in full precision changes the decoder for a while; a run that was cancelled may have left
        # it so.
        pipeline.vae.to(dtype=self.hardware.dtype)
        return pipeline


def _folder() -> Path:
    named = os.environ.get("STOKER_CHECKPOINT")
    if not named or not Path(named).is_dir():
        raise RuntimeError(MISSING)
    index = Path(named) / "model_index.json"
    if not index.is_file():
        raise RuntimeError(f"{named} is no checkpoint in the layout of diffusers: it has no model_index.json")
    kind = json.loads(index.read_text()).get("_class_name", "")
    if not kind.startswith("StableDiffusionXL"):
        raise RuntimeError(
            f"{named} is a {kind or 'checkpoint without a class'}, not a StableDiffusionXLPipeline"
        )
    return Path(named)


def _variant(folder: Path) -> str | None:
    """``fp16`` where only files of half precision are there, which a hub may well have been asked for."""
    names = [path.name for path in (folder / "unet").glob("*.safetensors")]
    return "fp16" if names and all(".fp16" in name for name in names) else None


def _shared(pipeline: Any) -> dict[str, Any]:
    return pipeline.components | {
        "force_zeros_for_empty_prompt": pipeline.config.force_zeros_for_empty_prompt,
        "add_watermarker": False,
    }


def _modules(text: Any, refiner: Any | None) -> list[Any]:
    """Everything with weights, once."""
    modules = [text.vae, text.text_encoder, text.text_encoder_2, text.unet]
    return modules if refiner is None else [*modules, refiner.unet]


def _size_bytes(module: Any) -> int:
    return sum(weight.nbytes for weight in module.parameters())
