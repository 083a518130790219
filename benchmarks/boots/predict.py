"""A model as many are: torch and transformers, some tens of megabytes of weights, one forward pass."""

import os

import torch
from cog import BasePredictor
from transformers import LlamaForCausalLM


class Predictor(BasePredictor):
    def setup(self) -> None:
        self.model = LlamaForCausalLM.from_pretrained(os.environ["STOKER_CHECKPOINT"])

    def predict(self) -> list[int]:
        with torch.inference_mode():
            return list(self.model(torch.arange(64).unsqueeze(0)).logits.shape)
