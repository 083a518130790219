"""A checkpoint's weights and tokenizer, on the hardware at hand.

Called once by ``predict``. Any directory that ``AutoModelForCausalLM`` reads will do; nothing is fetched,
and no code of the checkpoint's runs.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig, PreTrainedTokenizerBase
from transformers.utils import is_bitsandbytes_available

QUANTISATIONS = ("none", "8bit", "4bit")


@dataclass(frozen=True)
class Loaded:
    model: Any
    tokenizer: PreTrainedTokenizerBase
    ends: list[int]
    """The tokens that end an answer."""


def checkpoint() -> Path:
    """Where the weights are, as the platform says it."""
    given = os.environ.get("STOKER_CHECKPOINT", "")
    if not given:
        raise RuntimeError(
            "This model needs weights: add it with `stoker catalog add NAME --weights DIRECTORY-or-hub-id`,"
            " or set STOKER_CHECKPOINT to the directory of a checkpoint."
        )
    if not Path(given, "config.json").is_file():
        raise RuntimeError(f"STOKER_CHECKPOINT is {given}, which holds no checkpoint: it has no config.json.")
    return Path(given)


def load(folder: Path, *, quantisation: str = "none") -> Loaded:
    """The model ready to generate, with its tokenizer."""
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True, **_placement(quantisation))
    return Loaded(model.eval(), tokenizer, _ends(model, tokenizer))


def _placement(quantisation: str) -> dict[str, Any]:
    """All GPUs share a model that has several; bf16 where the GPU has it; a CPU computes in float32."""
    if quantisation not in QUANTISATIONS:
        raise ValueError(f"LLAMA_QUANTIZE must be one of {', '.join(QUANTISATIONS)}, not {quantisation!r}.")
    gpus = torch.cuda.device_count()
    if gpus == 0:
        if quantisation != "none":
            raise RuntimeError(f"LLAMA_QUANTIZE={quantisation} needs a GPU, and there is none.")
        return {"dtype": torch.float32}
    dtype = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    device_map = "auto" if gpus > 1 else {"": 0}
    return {"dtype": dtype, "device_map": device_map, **_quantised(quantisation, dtype)}


def _quantised(quantisation: str, dtype: torch.dtype) -> dict[str, Any]:
    if quantisation == "none":
        return {}
    if not is_bitsandbytes_available():
        raise RuntimeError(
            f"LLAMA_QUANTIZE={quantisation} needs bitsandbytes among the model's requirements."
        )
    if quantisation == "8bit":
        return {"quantization_config": BitsAndBytesConfig(load_in_8bit=True)}
    config = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=dtype)
    return {"quantization_config": config}


def _ends(model: Any, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """Those of the generation config (chat models have several) and the tokenizer's own."""
    given = model.generation_config.eos_token_id
    ends = set(given if isinstance(given, list) else [given])
    ends.add(tokenizer.eos_token_id)
    return sorted(end for end in ends if end is not None)
