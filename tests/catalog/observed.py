"""Put beside models/llama by a test: the model, telling what is in work, failing if told."""

from cog import AsyncConcatenateIterator, Path, concurrent
from predict import SLOTS
from predict import Predictor as Llama


class Predictor(Llama):
    @concurrent(max=SLOTS)
    async def run(
        self, prompt: str = "", max_tokens: int = 512, replicate_weights: Path | None = None
    ) -> AsyncConcatenateIterator[str]:
        if prompt == "!running":
            yield str(self.engine.running)
            return
        if prompt == "!adapters":
            places = self.places._loaded.values()
            yield f"{sum(place.users for place in places)} of {len(places)}"
            return
        if prompt == "!fail":
            self.engine._manager.batch_processor.model_runner.compute_batch = None
        sampling = {
            "temperature": 0.0,
            "top_p": 1.0,
            "top_k": 0,
            "presence_penalty": 0.0,
            "frequency_penalty": 0.0,
        }
        texts = {"system_prompt": "", "stop_sequences": "", "prompt_template": "", "messages": ""}
        numbers = {"min_tokens": max_tokens, "seed": None, "max_new_tokens": None}
        weights = {"replicate_weights": replicate_weights}
        given = sampling | texts | numbers | weights
        async for piece in super().run(prompt=prompt, max_tokens=max_tokens, **given):
            yield piece
