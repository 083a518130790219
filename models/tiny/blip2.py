"""Tiny BLIP-2 checkpoints: the real classes and files, random weights, two megabytes.

Called by ``python models/tiny blip2 DIR`` and by the tests. The words are nonsense, but nonsense that depends
on the picture and on what is asked. Two kinds, as published: with a language model that reads apart (T5) or
one that only goes on (OPT).
"""

import json
from collections.abc import Iterator
from pathlib import Path
from pydoc_data.topics import topics

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    Blip2Config,
    Blip2ForConditionalGeneration,
    Blip2Processor,
    GenerationConfig,
    OPTConfig,
    PreTrainedTokenizerFast,
    T5Config,
    T5Tokenizer,
)
from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil

WORDS = 800
WIDTH = 64
SIDE = 56
QUERIES = 8
"""What the language model is told of a picture: so many vectors."""


def make(folder: Path, *, seed: int = 0, language_model: str = "t5") -> None:
    """Writes the checkpoint with ``t5`` or ``opt`` in it; the same seed gives the same weights."""
    torch.manual_seed(seed)
    tokenizer = _t5_tokenizer() if language_model == "t5" else _opt_tokenizer()
    processor = Blip2Processor(
        BlipImageProcessorPil(size={"height": SIDE, "width": SIDE}), tokenizer, num_query_tokens=QUERIES
    )
    text = _t5(tokenizer) if language_model == "t5" else _opt(tokenizer)
    model = Blip2ForConditionalGeneration(_config(text, tokenizer)).eval()
    _spread(model)
    end = tokenizer.eos_token_id
    start = tokenizer.pad_token_id if language_model == "t5" else end
    model.generation_config = GenerationConfig(
        bos_token_id=start,
        eos_token_id=end,
        pad_token_id=tokenizer.pad_token_id,
        decoder_start_token_id=start,
    )
    model.save_pretrained(folder)
    processor.save_pretrained(folder)


def _t5_tokenizer() -> T5Tokenizer:
    learned = Tokenizer(models.Unigram())
    learned.pre_tokenizer = pre_tokenizers.Metaspace()
    special = ["<pad>", "</s>", "<unk>"]
    trainer = trainers.UnigramTrainer(
        vocab_size=WORDS, special_tokens=special, unk_token="<unk>", show_progress=False
    )
    learned.train_from_iterator(_texts(), trainer)
    pieces = json.loads(learned.to_str())["model"]["vocab"]
    return T5Tokenizer(vocab=[(piece, score) for piece, score in pieces], extra_ids=0)


def _opt_tokenizer() -> PreTrainedTokenizerFast:
    learned = Tokenizer(models.BPE())
    learned.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    learned.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=WORDS,
        special_tokens=["<s>", "<pad>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    learned.train_from_iterator(_texts(), trainer)
    learned.post_processor = processors.TemplateProcessing(single="</s> $A", special_tokens=[("</s>", 2)])
    return PreTrainedTokenizerFast(
        tokenizer_object=learned, bos_token="</s>", eos_token="</s>", unk_token="</s>", pad_token="<pad>"
    )


def _texts() -> Iterator[str]:
    """Words of Python's own manual."""
    for _, text in sorted(topics.items()):
        yield " ".join(word for word in text.split() if word.isalpha())


def _t5(tokenizer: T5Tokenizer) -> T5Config:
    return T5Config(
        vocab_size=len(tokenizer),
        d_model=WIDTH,
        d_kv=16,
        d_ff=2 * WIDTH,
        num_layers=2,
        num_heads=4,
        feed_forward_proj="gated-gelu",
        tie_word_embeddings=False,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=tokenizer.pad_token_id,
        decoder_start_token_id=tokenizer.pad_token_id,
    )


def _opt(tokenizer: PreTrainedTokenizerFast) -> OPTConfig:
    return OPTConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        word_embed_proj_dim=WIDTH,
        ffn_dim=2 * WIDTH,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=256,
        tie_word_embeddings=False,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )


def _config(text: T5Config | OPTConfig, tokenizer: PreTrainedTokenizerFast) -> Blip2Config:
    return Blip2Config(
        vision_config={
            "hidden_size": WIDTH,
            "intermediate_size": 2 * WIDTH,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "image_size": SIDE,
            "patch_size": 14,
        },
        qformer_config={
            "hidden_size": WIDTH,
            "intermediate_size": 2 * WIDTH,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "vocab_size": 1,
        },
        text_config=text,
        num_query_tokens=QUERIES,
        image_text_hidden_size=WIDTH,
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
    )


def _spread(model: Blip2ForConditionalGeneration) -> None:
    """Makes fresh weights large enough for the picture and the question to matter; found by trying."""
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if weights.dim() == 2 and "embed" not in name:
                torch.nn.init.xavier_normal_(weights, gain=1.5)
        model.query_tokens.normal_(0, 1)
        model.vision_model.embeddings.patch_embedding.weight.normal_(0, 0.1)
        model.vision_model.embeddings.position_embedding.normal_(0, 0.1)
        model.get_input_embeddings().weight.normal_(0, 1)
        model.language_model.get_output_embeddings().weight.normal_(0, 0.6)
