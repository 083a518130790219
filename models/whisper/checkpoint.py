"""Whisper's weights: which sizes a checkpoint folder holds, and one of them in memory.

Called by the predictor. The folder is read-only and nothing is ever fetched.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from transformers import WhisperForConditionalGeneration, WhisperProcessor

SIZES = ("tiny", "base", "small", "medium", "large-v1", "large-v2", "large-v3")
_OTHER_NAMES = {"large-v1": "large"}
"""The first large model was published without a number."""


def folder_from(environment: Mapping[str, str]) -> Path:
    """Where the weights are; raises ``RuntimeError`` where the version has none."""
    folder = environment.get("STOKER_CHECKPOINT")
    if not folder:
        raise RuntimeError(
            "STOKER_CHECKPOINT is not set: this model needs a folder with Whisper's weights. "
            "Add it with: stoker catalog add openai/whisper --weights DIR"
        )
    return Path(folder)


def use_threads() -> None:
    """As many threads as the instance was given; more would fight with its neighbours'."""
    if given := os.environ.get("OMP_NUM_THREADS"):
        torch.set_num_threads(int(given))


@dataclass(frozen=True)
class Checkpoint:
    """One model, ready to listen, and what goes in and out of it."""

    size: str
    model: WhisperForConditionalGeneration
    processor: WhisperProcessor

    @classmethod
    def load(cls, size: str, folder: Path) -> "Checkpoint":
        device = "cuda" if torch.cuda.is_available() else "cpu"
        # Half precision is how Whisper was published; a CPU would be slower with it.
        dtype = torch.float16 if device == "cuda" else torch.float32
        model = WhisperForConditionalGeneration.from_pretrained(folder, dtype=dtype, local_files_only=True)
        processor = WhisperProcessor.from_pretrained(folder, local_files_only=True)
        return cls(size, model.to(device).eval(), processor)

    @cached_property
    def languages(self) -> dict[str, int]:
        """Codes and their tokens; none where the model knows English alone."""
        config = self.model.generation_config
        if not getattr(config, "is_multilingual", True):
            return {}
        return {token.strip("<|>"): number for token, number in getattr(config, "lang_to_id", {}).items()}

    @property
    def is_multilingual(self) -> bool:
        return bool(self.languages)

    @property
    def device(self) -> torch.device:
        return self.model.device

    @property
    def first_timestamp(self) -> int:
        """The token of 0.00 seconds; those of later times follow it."""
        return self.model.generation_config.no_timestamps_token_id + 1

    @property
    def no_speech(self) -> int:
        """The token that says that nobody speaks; vocabularies name it differently."""
        return self.model.generation_config.no_timestamps_token_id - 1

    def words(self, tokens: list[int]) -> str:
        """The text of tokens, without times and other marks."""
        spoken = [token for token in tokens if token < self.model.generation_config.eos_token_id]
        return self.processor.tokenizer.decode(spoken, skip_special_tokens=True)


class Shelf:
    """The sizes in a checkpoint folder; the one that was used last stays in memory."""

    def __init__(self, folder: Path):
        self.folders = _sizes(folder)
        self._loaded: Checkpoint | None = None

    def take(self, size: str) -> Checkpoint:
        """The model of that size, or the only one there is; raises ``ValueError`` where it is not there."""
        found = self._choose(size)
        if self._loaded is None or self._loaded.size != found:
            self._loaded = None  # two large ones would not fit
            self._loaded = Checkpoint.load(found, self.folders[found])
            print(f"loaded {found} on {self._loaded.device}")
        return self._loaded

    def biggest(self) -> str:
        return max(self.folders, key=lambda size: SIZES.index(size) if size in SIZES else -1)

    def _choose(self, size: str) -> str:
        if size in self.folders:
            return size
        if len(self.folders) == 1:
            (only,) = self.folders
            print(f"there is only one checkpoint here ({only}); it is used instead of {size}")
            return only
        raise ValueError(f"There is no {size} here; there are {', '.join(sorted(self.folders))}.")


def _sizes(folder: Path) -> dict[str, Path]:
    """Names and folders: of the one model that lies in it, or of those in its subfolders."""
    if (folder / "config.json").is_file():
        name = folder.name.removeprefix("whisper-")
        return {name if name in SIZES else "the given one": _checked(folder)}
    found = {}
    for size in SIZES:
        names = (size, f"whisper-{size}", f"whisper-{_OTHER_NAMES.get(size, size)}")
        held = [folder / name for name in names if (folder / name / "config.json").is_file()]
        if held:
            found[size] = _checked(held[0])
    if not found:
        raise RuntimeError(
            f"{folder} holds no Whisper weights: there is neither a config.json nor a folder for a size."
        )
    return found


def _checked(folder: Path) -> Path:
    """The folder, if a Whisper is in it: of anything else transformers would make one that writes noise."""
    kind = json.loads((folder / "config.json").read_text("utf-8")).get("model_type")
    if kind != "whisper":
        raise RuntimeError(f"{folder} holds no Whisper weights: its config.json says model_type {kind}.")
    return folder
