"""Trained weights on the base model: loaded once, kept for the next prediction, switched on and off.

Called by ``generation`` before each picture. The few used last stay loaded; switching between them takes
milliseconds. A file that does not fit leaves nothing behind.
"""

import contextlib
import hashlib
import logging
import re
import tempfile
import warnings
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sources
import trained

KEPT = 4
"""Loaded at the same time. Each makes the model's layers a little larger."""
_LEARNED = re.compile(r"<s(\d+)>")


@dataclass(frozen=True)
class Adapter:
    name: str
    words: dict[str, str]
    """What a prompt says, and what the tokenizers know it by."""
    tokens: list[str]

    def translate(self, prompt: str) -> str:
        for word, meaning in self.words.items():
            prompt = prompt.replace(word, meaning)
        return prompt


class Adapters:
    """Of one pipeline, whose parts the other pipelines share."""

    def __init__(self, pipeline: Any):
        # Several adapters are meant, and most weights have nothing for the text encoders.
        logging.getLogger("diffusers.loaders").setLevel(logging.ERROR)
        warnings.filterwarnings("ignore", message="Already found a `peft_config`")
        self._pipeline = pipeline
        self._loaded: OrderedDict[str, Adapter] = OrderedDict()
        """By sha256 of the file, the one used last at the end."""
        self._known: dict[str, str] = {}
        """The sha256 of what a link led to, and of files."""

    def use(self, link: str, *, scale: float) -> Adapter:
        """Switches the weights behind a link on; fetches them where this link is new."""
        key = hashlib.sha256(link.encode()).hexdigest()  # a data URI may be long
        try:
            if self._known.get(key) not in self._loaded:
                with tempfile.TemporaryDirectory() as folder:
                    file = Path(folder) / "weights"
                    sources.fetch(link, file)
                    self._known[key] = self._ensure(file)
        except ValueError as error:
            raise ValueError(f"replicate_weights cannot be used: {error}") from error
        return self._switch_on(self._known[key], scale)

    def use_file(self, file: Path, *, scale: float) -> Adapter:
        """Switches the weights in a file on that stays as it is."""
        if self._known.get(str(file)) not in self._loaded:
            self._known[str(file)] = self._ensure(file)
        return self._switch_on(self._known[str(file)], scale)

    def use_none(self) -> None:
        if self._loaded:
            self._pipeline.disable_lora()

    def _switch_on(self, digest: str, scale: float) -> Adapter:
        self._loaded.move_to_end(digest)
        adapter = self._loaded[digest]
        self._pipeline.enable_lora()
        self._pipeline.set_adapters([adapter.name], [scale])
        return adapter

    def _ensure(self, file: Path) -> str:
        """Loads the file unless another of the same content is loaded; its sha256."""
        with file.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        if digest not in self._loaded:
            weights = trained.read(file)
            name = f"w{digest[:12]}"
            adapter = Adapter(name, _renamed(weights.words, name), _tokens(weights, name))
            try:
                self._make_room()
                self._load(adapter, weights)
            except BaseException as error:  # a cancel included: half a LoRA must not stay
                self._drop_all(adapter.tokens)
                if isinstance(error, Exception):  # libraries meet a strange file with any of theirs
                    raise ValueError(f"it does not fit this model: {_gist(error)}") from error
                raise
            self._loaded[digest] = adapter
        return digest

    def _make_room(self) -> None:
        while len(self._loaded) >= KEPT:
            digest, oldest = next(iter(self._loaded.items()))
            self._pipeline.delete_adapters(oldest.name)
            self._forget(oldest.tokens)
            del self._loaded[digest]

    def _load(self, adapter: Adapter, weights: trained.Trained) -> None:
        self._pipeline.load_lora_weights(weights.lora, adapter_name=adapter.name)
        if not any(adapter.name in names for names in self._pipeline.get_list_adapters().values()):
            raise ValueError("it holds nothing for any part of this model")
        self._learn(adapter.tokens, weights)
        print(f"Loaded trained weights: {len(weights.lora)} tensors, {len(adapter.tokens)} words")

    def _readers(self) -> list[tuple[Any, Any]]:
        """Each tokenizer with its text encoder."""
        pipeline = self._pipeline
        return [(pipeline.tokenizer, pipeline.text_encoder), (pipeline.tokenizer_2, pipeline.text_encoder_2)]

    def _learn(self, tokens: list[str], weights: trained.Trained) -> None:
        for (tokenizer, encoder), vectors in zip(self._readers(), weights.embeddings, strict=False):
            width = encoder.config.hidden_size
            if vectors.shape != (len(tokens), width):
                raise ValueError(f"its learned words are {list(vectors.shape)}, not {[len(tokens), width]}")
            self._pipeline.load_textual_inversion(
                list(vectors), token=tokens, tokenizer=tokenizer, text_encoder=encoder
            )

    def _forget(self, tokens: list[str]) -> None:
        for tokenizer, encoder in self._readers():
            known = [token for token in tokens if token in tokenizer.get_vocab()]
            if known:
                self._pipeline.unload_textual_inversion(known, tokenizer=tokenizer, text_encoder=encoder)

    def _drop_all(self, tokens: list[str]) -> None:
        """Back to the bare model; what is needed again is loaded again."""
        loaded, self._loaded = self._loaded, OrderedDict()
        with contextlib.suppress(ValueError):
            self._pipeline.unload_lora_weights()
        for learned in (tokens, *(adapter.tokens for adapter in loaded.values())):
            self._forget(learned)


def _tokens(weights: trained.Trained, name: str) -> list[str]:
    """One for each learned vector; two trainings must not mean different things by the same token."""
    count = len(weights.embeddings[0]) if weights.embeddings else 0
    return [f"<{name}-s{number}>" for number in range(count)]


def _renamed(words: dict[str, str], name: str) -> dict[str, str]:
    return {word: _LEARNED.sub(rf"<{name}-s\1>", meaning) for word, meaning in words.items() if word}


def _gist(error: BaseException) -> str:
    """PyTorch's messages go on for every tensor of a model; the first of them tells enough."""
    return " ".join(line.strip() for line in str(error).splitlines()[:2])[:300]
