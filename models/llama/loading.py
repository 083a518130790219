"""A checkpoint's weights and tokenizer, on the hardware at hand.

Called once by ``predict`` or ``train``. Any directory that ``AutoModelForCausalLM`` reads will do; nothing is
fetched, and no code of the checkpoint's runs. What trainings made goes beside the layers, not into them: so
a CPU's base is the checkpoint's own file, mapped into memory, and all processes that serve it share it.
"""

import functools
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    BitsAndBytesConfig,
    PreTrainedTokenizerBase,
)
from transformers.utils import is_bitsandbytes_available

QUANTISATIONS = ("none", "8bit", "4bit")
CPU_DTYPES: dict[str, torch.dtype | str] = {"float32": torch.float32, "checkpoint": "auto"}
"""What a CPU computes in. Only weights that are not converted can stay in the file that all share."""


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
    _check_kind(Path(given))
    return Path(given)


def _check_kind(folder: Path) -> None:
    """Of a model of another kind, such as Whisper's, transformers would load a part and make up the rest."""
    kinds = json.loads((folder / "config.json").read_text("utf-8")).get("architectures") or []
    if kinds and not any(kind.endswith("ForCausalLM") for kind in kinds):
        raise RuntimeError(f"STOKER_CHECKPOINT is {folder}, which holds a {kinds[0]} and no language model.")


def limit_threads() -> None:
    """As many threads as the platform gives, and never more."""
    threads = os.environ.get("OMP_NUM_THREADS", "")
    if threads.isdecimal() and int(threads) > 0:
        torch.set_num_threads(int(threads))


def load(folder: Path, *, quantisation: str = "none") -> Loaded:
    """The model ready to generate, with its tokenizer."""
    tokenizer = load_tokenizer(folder)
    gpus = torch.cuda.device_count()
    placed = placement(quantisation, gpus=gpus, has_bf16=gpus > 0 and torch.cuda.is_bf16_supported())
    model = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True, **placed)
    return Loaded(model.eval(), tokenizer, _ends(model, tokenizer))


def load_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(folder, local_files_only=True)


def decoder(tokenizer: PreTrainedTokenizerBase) -> Callable[[list[int]], str]:
    """Tokens to text, special ones left out, without the layers of Python around: those cost twice as much.

    What else they do was never asked for.
    """
    core = getattr(tokenizer, "backend_tokenizer", None)
    if core is not None:
        return functools.partial(core.decode, skip_special_tokens=True)
    return functools.partial(tokenizer.decode, skip_special_tokens=True, clean_up_tokenization_spaces=False)


def context_tokens(folder: Path) -> int:
    """How much the checkpoint's model can read at once."""
    return AutoConfig.from_pretrained(folder, local_files_only=True).get_text_config().max_position_embeddings


def placement(quantisation: str, *, gpus: int, has_bf16: bool) -> dict[str, Any]:
    """What ``from_pretrained`` is told of dtype, devices and quantisation, for so many GPUs.

    All GPUs share a model that has several; bf16 where they have it; a CPU computes as it is told.
    """
    if quantisation not in QUANTISATIONS:
        raise ValueError(f"LLAMA_QUANTIZE must be one of {', '.join(QUANTISATIONS)}, not {quantisation!r}.")
    if gpus == 0:
        if quantisation != "none":
            raise RuntimeError(f"LLAMA_QUANTIZE={quantisation} needs a GPU, and there is none.")
        return {"dtype": _cpu_dtype(os.environ.get("LLAMA_CPU_DTYPE") or "float32")}
    dtype = torch.bfloat16 if has_bf16 else torch.float16
    device_map = "auto" if gpus > 1 else {"": 0}
    return {"dtype": dtype, "device_map": device_map, **_quantised(quantisation, dtype)}


def _cpu_dtype(name: str) -> torch.dtype | str:
    if name not in CPU_DTYPES:
        raise ValueError(f"LLAMA_CPU_DTYPE must be one of {', '.join(CPU_DTYPES)}, not {name!r}.")
    return CPU_DTYPES[name]


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
