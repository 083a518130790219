"""A tiny Llama: ``make`` gives it random weights in a second, ``train`` lets it learn for some minutes.

The tokenizer is a byte-level BPE trained on the spot; its special tokens and its chat template have the
form of Llama 3's, so that prompts take the way they take in the published model.
"""

import random
import time
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path

import corpus
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

BEGIN, END, TURN_END = "<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>"
HEADER, HEADER_END = "<|start_header_id|>", "<|end_header_id|>"
SPECIAL = (BEGIN, END, HEADER, HEADER_END, TURN_END)
TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    f"{HEADER}{{{{ message.role }}}}{HEADER_END}\n\n{{{{ message.content }}}}{TURN_END}"
    "{% endfor %}{% if add_generation_prompt %}"
    f"{HEADER}assistant{HEADER_END}\n\n"
    "{% endif %}"
)
CONTEXT = 1024
WINDOW = 128
BATCH = 16


def make(folder: Path, *, seed: int = 0, width: int = 64, layers: int = 2) -> None:
    """A checkpoint, of a megabyte unless asked otherwise, that answers with noise: the same for a seed."""
    tokenizer = _tokenizer(corpus.standard_library(), size=2048)
    _save(folder, tokenizer, _model(tokenizer, seed=seed, width=width, layers=layers))


def train(folder: Path, *, minutes: float, seed: int = 0) -> None:
    """One of two million parameters that has learned some words; prints what it reads and how it goes."""
    found = corpus.everything()
    for where, texts in found.items():
        print(f"{where}: {len(texts)} texts, {sum(map(len, texts)) / 1e6:.1f} million characters", flush=True)
    texts = [text for group in found.values() for text in group]
    random.Random(seed).shuffle(texts)
    tokenizer = _tokenizer((text[:5000] for text in texts[:1000]), size=4096)
    model = _model(tokenizer, seed=seed, width=160, layers=4)
    print(f"{model.num_parameters() / 1e6:.1f} million parameters, {minutes:g} minutes", flush=True)
    _learn(model, _tokens(tokenizer, texts, most=2_000_000), seconds=60 * minutes, seed=seed)
    _save(folder, tokenizer, model)


def _tokenizer(texts: Iterable[str], *, size: int) -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=list(SPECIAL), initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BEGIN} $A", special_tokens=[(BEGIN, tokenizer.token_to_id(BEGIN))]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=BEGIN,
        eos_token=TURN_END,
        additional_special_tokens=[END, HEADER, HEADER_END],
        chat_template=TEMPLATE,
        model_max_length=CONTEXT,
    )


def _model(tokenizer: PreTrainedTokenizerFast, *, seed: int, width: int, layers: int) -> LlamaForCausalLM:
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=3 * width,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        initializer_range=0.1,  # random answers that differ from each other, instead of one token for ever
    )
    return LlamaForCausalLM(config)


def _save(folder: Path, tokenizer: PreTrainedTokenizerFast, model: LlamaForCausalLM) -> None:
    ends = [tokenizer.convert_tokens_to_ids(END), tokenizer.eos_token_id]
    model.generation_config.eos_token_id = ends
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _tokens(tokenizer: PreTrainedTokenizerFast, texts: list[str], *, most: int) -> torch.Tensor:
    """All texts in one row, each paragraph as a conversation: how it begins asks, how it goes on answers."""
    row: list[int] = []
    chats = list(islice(_chats(texts), most // 100))
    for encoding in tokenizer.backend_tokenizer.encode_batch(chats, add_special_tokens=False):
        row += encoding.ids
    return torch.tensor(row[:most])


def _chats(texts: list[str]) -> Iterator[str]:
    """As the template writes them."""
    for paragraph in chain.from_iterable(text.split("\n\n") for text in texts):
        words = paragraph[:2000].split(" ")
        if len(words) >= 12:
            asked, answer = " ".join(words[:6]), " ".join(words[6:])
            asks = f"{BEGIN}{HEADER}user{HEADER_END}\n\n{asked}{TURN_END}"
            yield f"{asks}{HEADER}assistant{HEADER_END}\n\n{answer}{TURN_END}"


def _learn(model: LlamaForCausalLM, tokens: torch.Tensor, *, seconds: float, seed: int) -> None:
    peak = 3e-3
    optimiser = torch.optim.AdamW(model.parameters(), lr=peak, betas=(0.9, 0.95), weight_decay=0.1)
    chance = torch.Generator().manual_seed(seed)
    begun, told, losses = time.monotonic(), 0.0, 0.0
    step = 0
    model.train()
    while (gone := time.monotonic() - begun) < seconds:
        part = gone / seconds
        for group in optimiser.param_groups:
            group["lr"] = peak * min(1.0, (step + 1) / 50) * (1 - part) + 1e-5
        starts = torch.randint(len(tokens) - WINDOW, (BATCH,), generator=chance).tolist()
        batch = torch.stack([tokens[start : start + WINDOW] for start in starts])
        loss = model(input_ids=batch, labels=batch).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()
        step += 1
        losses = loss.item() if step == 1 else 0.98 * losses + 0.02 * loss.item()
        if gone - told >= 15:
            told = gone
            print(f"{part:4.0%}  step {step}  loss {losses:.2f}", flush=True)
    model.eval()
    print(f"done: {step} steps, loss {losses:.2f}", flush=True)
