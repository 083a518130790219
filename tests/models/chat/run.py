"""A language model in shape: gives the last message back word by word, counts tokens, or tells its inputs."""

import json
import re
import time

from cog import BaseRunner, ConcatenateIterator, Input, streaming


class Runner(BaseRunner):
    @streaming
    def run(
        self,
        messages: str = "",
        prompt: str = "",
        system_prompt: str = "You are a helpful assistant.",
        max_tokens: int = Input(default=16, ge=1),
        temperature: float = Input(default=0.6, ge=0, le=5),
        top_p: float = 0.9,
        top_k: int = 50,
        presence_penalty: float = 0,
        stop_sequences: str = "",
        prompt_template: str = "",
        seed: int = Input(default=None),
    ) -> ConcatenateIterator[str]:
        inputs = {name: value for name, value in locals().items() if name != "self"}
        said = json.loads(messages)[-1]["content"] if messages else prompt
        if said == "your inputs":
            said = json.dumps(inputs)
            max_tokens = 1000
        words = re.findall(r"\s*\S+", said)
        for word in words[:max_tokens]:
            yield word
        while said == "for ever":
            yield " and ever"
            time.sleep(0.01)
        if said == "fall over":
            raise RuntimeError("fell over")
        self.record_metric("input_token_count", len(f"{messages}{prompt}".split()))
        self.record_metric("output_token_count", len(words[:max_tokens]))
        if said.startswith("my reason is"):
            self.record_metric("finish_reason", words[3].strip())
