"""A tiny Whisper checkpoint: the real classes and files, random weights, two megabytes.

Called by ``python models/tiny whisper DIR`` and by the tests. It never saw speech: what it writes down is
nonsense, but nonsense that depends on the sound, on the language and on the task.
"""

import json
from pathlib import Path
from pydoc_data.topics import topics

import torch
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers, trainers
from transformers import (
    GenerationConfig,
    WhisperConfig,
    WhisperFeatureExtractor,
    WhisperForConditionalGeneration,
    WhisperProcessor,
    WhisperTokenizer,
)
from transformers.models.whisper.tokenization_whisper import LANGUAGES

WORD_TOKENS = 600
TIMESTAMPS = [f"<|{place * 0.02:.2f}|>" for place in range(1501)]
TASKS = ("translate", "transcribe")
SPECIAL = ["<|endoftext|>", "<|startoftranscript|>"]
SPECIAL += [f"<|{code}|>" for code in LANGUAGES]
SPECIAL += [*(f"<|{task}|>" for task in TASKS), "<|startoflm|>", "<|startofprev|>", "<|nospeech|>"]
SPECIAL += ["<|notimestamps|>"]
"""In the order of the published vocabularies; the timestamps follow."""


def make(folder: Path, *, seed: int = 0) -> None:
    """Writes the checkpoint; the same seed gives the same weights."""
    torch.manual_seed(seed)
    tokenizer = _tokenizer()
    model = WhisperForConditionalGeneration(_config(tokenizer)).eval()
    _spread(model, tokenizer.convert_tokens_to_ids(TIMESTAMPS[0]))
    model.generation_config = _generation(tokenizer)
    model.save_pretrained(folder)
    WhisperProcessor(WhisperFeatureExtractor(), tokenizer).save_pretrained(folder)


def _tokenizer() -> WhisperTokenizer:
    """Pieces of English words, learned from Python's own manual, and Whisper's marks after them."""
    learned = Tokenizer(models.BPE())
    learned.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=WORD_TOKENS, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    learned.train_from_iterator((" ".join(_words(text)) for _, text in sorted(topics.items())), trainer)
    pieces = json.loads(learned.to_str())["model"]
    made = WhisperTokenizer(
        vocab=pieces["vocab"],
        merges=[tuple(pair) for pair in pieces["merges"]],
        pad_token="<|endoftext|>",
        additional_special_tokens=SPECIAL[1:],
    )
    made.add_tokens([AddedToken(time, normalized=False) for time in TIMESTAMPS])
    return made


def _words(text: str) -> list[str]:
    return [word for word in text.split() if word.isalpha()]


def _config(tokenizer: WhisperTokenizer) -> WhisperConfig:
    number = tokenizer.convert_tokens_to_ids
    end = number("<|endoftext|>")
    return WhisperConfig(
        vocab_size=len(tokenizer),
        d_model=64,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=128,
        decoder_ffn_dim=128,
        max_target_positions=96,
        pad_token_id=end,
        bos_token_id=end,
        eos_token_id=end,
        decoder_start_token_id=number("<|startoftranscript|>"),
        suppress_tokens=None,
        begin_suppress_tokens=None,
        tie_word_embeddings=False,  # random ones that are tied say the same word for ever
    )


def _generation(tokenizer: WhisperTokenizer) -> GenerationConfig:
    """What the published checkpoints say of their marks."""
    number = tokenizer.convert_tokens_to_ids
    end = number("<|endoftext|>")
    config = GenerationConfig(
        pad_token_id=end,
        bos_token_id=end,
        eos_token_id=end,
        decoder_start_token_id=number("<|startoftranscript|>"),
        prev_sot_token_id=number("<|startofprev|>"),
        no_timestamps_token_id=number("<|notimestamps|>"),
        max_initial_timestamp_index=50,
        max_length=96,
        is_multilingual=True,
        lang_to_id={f"<|{code}|>": number(f"<|{code}|>") for code in LANGUAGES},
        task_to_id={task: number(f"<|{task}|>") for task in TASKS},
        suppress_tokens=_unspoken(tokenizer),
        begin_suppress_tokens=[number("Ġ"), end],
        return_timestamps=False,
    )
    # Else loading takes it for one that transformers made up, and the marks for language and task are lost.
    config._from_model_config = False
    return config


def _unspoken(tokenizer: WhisperTokenizer) -> list[int]:
    """Signs, halves of letters and marks: what the published checkpoints, too, do not write by themselves."""
    signs = [place for place in range(WORD_TOKENS) if not tokenizer.decode([place]).strip().isalpha()]
    return signs + [tokenizer.convert_tokens_to_ids(mark) for mark in SPECIAL[1:]]


def _spread(model: WhisperForConditionalGeneration, first_time: int) -> None:
    """Makes fresh weights large enough for sound and marks to matter; found by trying.

    A time follows where all times together are likelier than the likeliest word: their weights are smaller,
    and those of late times more so: a window then has several segments.
    """
    decoder = model.model.decoder
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if weights.dim() > 1 and "embed" not in name:
                torch.nn.init.xavier_normal_(weights, gain=2 if "encoder_attn" in name else 1.5)
        decoder.embed_tokens.weight.normal_(0, 1)
        decoder.embed_positions.weight.normal_(0, 2)
        model.proj_out.weight.normal_(0, 0.6)
        late = torch.arange(len(TIMESTAMPS)) / len(TIMESTAMPS)
        model.proj_out.weight[first_time:].mul_(0.9 * torch.exp(-late)[:, None])
