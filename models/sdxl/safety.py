"""The safety checker that a checkpoint may bring: Stable Diffusion's own. Used by ``predict``."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from hardware import Hardware
from PIL import Image
from transformers import CLIPImageProcessorPil

OBJECTED = "The safety checker found NSFW content. Run it again with another seed, or try another prompt."


class SafetyChecker:
    def __init__(self, checker: Any, processor: Any, hardware: Hardware):
        self._checker = checker.to(hardware.device)
        self._processor = processor
        self._hardware = hardware

    @classmethod
    def load(cls, folder: Path, hardware: Hardware) -> "SafetyChecker | None":
        """None where the checkpoint has no folder safety_checker, which is said in the log."""
        if not (folder / "safety_checker").is_dir():
            print("This checkpoint has no safety_checker: pictures are given unseen")
            return None
        checker = StableDiffusionSafetyChecker.from_pretrained(
            folder / "safety_checker", dtype=hardware.dtype, local_files_only=True
        )
        logging.getLogger("diffusers.pipelines.stable_diffusion.safety_checker").setLevel(logging.ERROR)
        return cls(checker, _processor(folder), hardware)

    @torch.inference_mode()
    def passed(self, pictures: list[Image.Image]) -> list[Image.Image]:
        """Those that may be shown; raises RuntimeError where none may."""
        pixels = self._processor(pictures, return_tensors="pt").pixel_values
        # The checker blackens what it objects to; only its verdict is wanted, so it is given blanks.
        blanks = [np.zeros(1) for _ in pictures]
        _, objections = self._checker(
            clip_input=pixels.to(self._hardware.device, self._hardware.dtype), images=blanks
        )
        for number, objection in enumerate(objections):
            if objection:
                print(f"NSFW content in picture {number}, which is left out")
        kept = [picture for picture, objection in zip(pictures, objections, strict=True) if not objection]
        if not kept:
            raise RuntimeError(OBJECTED)
        return kept


def _processor(folder: Path) -> Any:
    """How the checker wants pictures; CLIP's usual way where the checkpoint does not say."""
    for name in ("feature_extractor", "safety_checker"):
        if (folder / name / "preprocessor_config.json").is_file():
            return CLIPImageProcessorPil.from_pretrained(folder / name, local_files_only=True)
    return CLIPImageProcessorPil()
