"""BLIP-2 in memory: a picture and words go in, words come out.

Called by the predictor. Never fetches anything: the weights lie in a folder.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from transformers import AutoTokenizer, Blip2ForConditionalGeneration, Blip2Processor
from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil

MOST_TOKENS = 50
"""Of an answer."""
MOST_PLACES = 2048
BEAMS = 5
"""Of the search that is used without chance, as in the code that came with BLIP-2; so are the next two."""
NUCLEUS = 0.9
REPETITION_PENALTY = 1.5
"""For language models that read the picture apart from what they write (T5); others count the prompt."""


def folder_from(environment: Mapping[str, str]) -> Path:
    """Where the weights are; raises ``RuntimeError`` where the version has none."""
    folder = environment.get("STOKER_CHECKPOINT")
    if not folder:
        raise RuntimeError(
            "STOKER_CHECKPOINT is not set: this model needs a folder with BLIP-2's weights. "
            "Add it with: stoker catalog add salesforce/blip-2 --weights DIR"
        )
    return Path(folder)


def use_threads() -> None:
    """As many threads as the instance was given; more would fight with its neighbours'."""
    if given := os.environ.get("OMP_NUM_THREADS"):
        torch.set_num_threads(int(given))


@dataclass(frozen=True)
class Viewer:
    """The model and what prepares its inputs."""

    model: Blip2ForConditionalGeneration
    processor: Blip2Processor

    @classmethod
    def load(cls, folder: Path) -> "Viewer":
        _check(folder)
        model = Blip2ForConditionalGeneration.from_pretrained(folder, local_files_only=True, **_placement())
        if model.config.image_token_index is None:
            raise RuntimeError(
                f"{folder} has the layout of 2023, without image_token_index; take today's from the hub."
            )
        # The image processor that needs Pillow alone; the other one would need torchvision.
        processor = Blip2Processor(
            BlipImageProcessorPil.from_pretrained(folder, local_files_only=True),
            AutoTokenizer.from_pretrained(folder, local_files_only=True),
            num_query_tokens=model.config.num_query_tokens,
        )
        return cls(model.eval(), processor)

    @torch.inference_mode()
    def say(self, picture: Image.Image, words: str, *, temperature: float | None) -> str:
        """What the language model says to the picture and the words; with a temperature by chance."""
        given = self.processor(images=picture, text=words, return_tensors="pt")
        given = given.to(self.model.device, self.model.dtype)
        self._check_length(given["input_ids"].shape[1])
        out = self.model.generate(**given, max_new_tokens=MOST_TOKENS, **self._search(temperature))
        written = out[0] if self._reads_apart else out[0, given["input_ids"].shape[1] :]
        return self.processor.tokenizer.decode(written, skip_special_tokens=True).strip()

    @property
    def _reads_apart(self) -> bool:
        return self.model.config.text_config.is_encoder_decoder

    def _check_length(self, length: int) -> None:
        """A model has places for so many tokens; T5 has no such bound, and memory has one."""
        places = getattr(self.model.config.text_config, "max_position_embeddings", MOST_PLACES)
        if length + MOST_TOKENS > places:
            raise ValueError(
                f"Question and context are too long: with the picture they have {length} tokens, and "
                f"{places - MOST_TOKENS} are the most."
            )

    def _search(self, temperature: float | None) -> dict[str, Any]:
        penalty = {"repetition_penalty": REPETITION_PENALTY} if self._reads_apart else {}
        if temperature is None:
            return {"do_sample": False, "num_beams": BEAMS, **penalty}
        return {"do_sample": True, "top_p": NUCLEUS, "top_k": 0, "temperature": temperature, **penalty}


def _check(folder: Path) -> None:
    """Raises ``RuntimeError`` unless it is a BLIP-2: of anything else transformers makes one of noise."""
    config = folder / "config.json"
    kind = json.loads(config.read_text("utf-8")).get("model_type") if config.is_file() else "nothing"
    if kind != "blip-2":
        raise RuntimeError(f"{folder} holds no BLIP-2 weights: its config.json says model_type {kind}.")


def _placement() -> dict[str, Any]:
    """In half precision over all GPUs, or in full precision on the CPU."""
    if not torch.cuda.is_available():
        return {"dtype": torch.float32}
    if torch.cuda.device_count() == 1:
        return {"dtype": torch.bfloat16, "device_map": {"": 0}}
    return {"dtype": torch.bfloat16, "device_map": "auto"}
