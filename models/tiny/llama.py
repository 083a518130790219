"""A tiny Llama: ``make`` gives it random weights in a second, ``train`` lets it learn for some minutes.

The tokenizer is a byte-level BPE trained on the spot; its special tokens and its chat template have the
form of Llama 3's, so that prompts take the way they take in the published model.
"""

import random
import time
from collections.abc import Callable, Iterable
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
PEAK_RATE = 6e-3
WARMUP_STEPS = 50
TELL_EACH = 0.05
ASKING_WORDS = 4
SYSTEM = "You are a helpful assistant."
"""What the catalogue's model says where a caller does not."""


def make(folder: Path, *, seed: int = 0, width: int = 64, layers: int = 2) -> None:
    """A checkpoint, of a megabyte unless asked otherwise, that answers with noise: the same for a seed."""
    tokenizer = make_tokenizer(corpus.standard_library(), size=2048)
    # Random answers that differ from each other, instead of one token for ever.
    _save(folder, tokenizer, make_model(tokenizer, seed=seed, width=width, layers=layers, spread=0.1))


def train(folder: Path, *, minutes: float, seed: int = 0) -> None:
    """One of a million parameters that has learned to write words; prints what it reads and how it goes."""
    found = corpus.prose(seed=seed)
    for where, paragraphs in found.items():
        size = sum(map(len, paragraphs)) / 1e6
        print(f"{where}: {len(paragraphs)} paragraphs, {size:.1f} million characters", flush=True)
    paragraphs = [paragraph for group in found.values() for paragraph in group]
    random.Random(seed).shuffle(paragraphs)
    tokenizer = make_tokenizer(paragraphs, size=4096)
    model = make_model(tokenizer, seed=seed, width=128, layers=4, spread=0.02)
    tokens = tokens_of(tokenizer, paragraphs)
    print(
        f"{model.num_parameters() / 1e6:.1f} million parameters, {len(tokens) / 1e6:.1f} million tokens,"
        f" {minutes:g} minutes",
        flush=True,
    )
    begun = time.monotonic()
    learn(model, tokens, gone=lambda _: (time.monotonic() - begun) / (60 * minutes), seed=seed)
    _save(folder, tokenizer, model)


def make_tokenizer(texts: Iterable[str], *, size: int) -> PreTrainedTokenizerFast:
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


def make_model(
    tokenizer: PreTrainedTokenizerFast, *, seed: int, width: int, layers: int, spread: float
) -> LlamaForCausalLM:
    """``spread`` is that of the random weights."""
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
        initializer_range=spread,
    )
    return LlamaForCausalLM(config)


def _save(folder: Path, tokenizer: PreTrainedTokenizerFast, model: LlamaForCausalLM) -> None:
    ends = [tokenizer.convert_tokens_to_ids(END), tokenizer.eos_token_id]
    model.generation_config.eos_token_id = ends
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def tokens_of(tokenizer: PreTrainedTokenizerFast, paragraphs: list[str]) -> torch.Tensor:
    """All in one row, each paragraph as a conversation."""
    row: list[int] = []
    chats = [_chat(number, paragraph) for number, paragraph in enumerate(paragraphs)]
    for encoding in tokenizer.backend_tokenizer.encode_batch(chats, add_special_tokens=False):
        row += encoding.ids
    return torch.tensor(row)


def _chat(number: int, paragraph: str) -> str:
    """As the template writes it: the first words ask, the paragraph answers; some have a system message."""
    said = [("user", " ".join(paragraph.split(" ")[:ASKING_WORDS])), ("assistant", paragraph)]
    if number % 3 == 0:
        said.insert(0, ("system", SYSTEM))
    return BEGIN + "".join(f"{HEADER}{role}{HEADER_END}\n\n{text}{TURN_END}" for role, text in said)


def learn(model: LlamaForCausalLM, tokens: torch.Tensor, *, gone: Callable[[int], float], seed: int) -> None:
    """Until all is ``gone``: it is told the number of steps and says which part of the training they were."""
    optimiser = torch.optim.AdamW(model.parameters(), lr=PEAK_RATE, betas=(0.9, 0.95), weight_decay=0.1)
    chance = torch.Generator().manual_seed(seed)
    step, told, losses = 0, 0.0, 0.0
    model.train()
    while (part := gone(step)) < 1:
        for group in optimiser.param_groups:
            group["lr"] = PEAK_RATE * min(1.0, (step + 1) / WARMUP_STEPS) * (1 - part)
        batch = _batch(tokens, chance)
        loss = model(input_ids=batch, labels=batch).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()
        step += 1
        losses = loss.item() if step == 1 else 0.98 * losses + 0.02 * loss.item()
        if part - told >= TELL_EACH:
            told = part
            print(f"{part:4.0%}  step {step}  loss {losses:.2f}", flush=True)
    model.eval()
    print(f"done: {step} steps, loss {losses:.2f}", flush=True)


def _batch(tokens: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    starts = torch.randint(len(tokens) - WINDOW, (BATCH,), generator=chance).tolist()
    return torch.stack([tokens[start : start + WINDOW] for start in starts])
