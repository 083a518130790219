"""Writes a Llama of 75 MB with random weights into a folder: ``python weights.py FOLDER``, where torch is."""

import sys

from transformers import LlamaConfig, LlamaForCausalLM

config = LlamaConfig(
    vocab_size=8000,
    hidden_size=512,
    intermediate_size=1024,
    num_hidden_layers=4,
    num_attention_heads=8,
)
LlamaForCausalLM(config).save_pretrained(sys.argv[1])
