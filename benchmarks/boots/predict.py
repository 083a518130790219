"""A model as many are: torch and transformers, some tens of megabytes of weights, one forward pass."""

import os
import time

import torch
from cog import BasePredictor
from transformers import LlamaForCausalLM


class Predictor(BasePredictor):
    def setup(self) -> None:
        self.model = LlamaForCausalLM.from_pretrained(os.environ.get("STOKER_CHECKPOINT", "weights"))

    def predict(self, seconds: float = 0) -> dict:
        """Goes on for so long after its work; tells who did it, and when."""
        with torch.inference_mode():
            shape = list(self.model(torch.arange(64).unsqueeze(0)).logits.shape)
        at = time.time()
        time.sleep(seconds)
        return {"shape": shape, "process": os.getpid(), "at": at}
