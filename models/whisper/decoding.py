"""Windows of sound become tokens: the model is asked again, with more chance, where an answer is bad.

Called by the transcript, with one window or several at once. The rules for a bad answer are those of the
Whisper paper (section 4.5): it repeats itself, or the model hardly believes it.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from checkpoint import Checkpoint
from transformers.modeling_outputs import BaseModelOutput


@dataclass(frozen=True)
class Wishes:
    """How to decode."""

    task: str
    """``transcribe`` or ``translate``."""
    language: str
    """A code."""
    temperatures: tuple[float, ...]
    """Tried in turn until an answer is good."""
    suppressed: tuple[int, ...] = ()
    """Tokens that are never written."""
    beams: int = 1
    """Wherever the temperature is 0."""
    compression_ratio_threshold: float | None = None
    logprob_threshold: float | None = None
    no_speech_threshold: float | None = None


@dataclass(frozen=True)
class Decoded:
    """What the model wrote for one window."""

    tokens: list[int]
    """Words and times, without the end."""
    text: str
    temperature: float
    avg_logprob: float
    no_speech_prob: float

    @property
    def compression_ratio(self) -> float:
        """How much smaller the text gets when it is packed: what repeats itself gets very small."""
        written = self.text.encode()
        return len(written) / len(zlib.compress(written))


class Decoder:
    """Decodes windows with one checkpoint, always with the same wishes."""

    def __init__(self, checkpoint: Checkpoint, wishes: Wishes):
        self.checkpoint = checkpoint
        self.wishes = wishes

    @torch.inference_mode()
    def decode(self, windows: Sequence[torch.Tensor], prompt: Sequence[int] = ()) -> list[Decoded]:
        """One answer a window; all see the same prompt, the words that came before."""
        heard = encode(self.checkpoint, windows)
        silences = self._silences(heard, prompt)
        answers: dict[int, Decoded] = {}
        wanted = list(range(len(windows)))
        for temperature in self.wishes.temperatures:
            tried = self._answers(heard[wanted], prompt, temperature)
            for place, (tokens, sure) in zip(wanted, tried, strict=True):
                text = self.checkpoint.words(tokens).strip()
                answers[place] = Decoded(tokens, text, temperature, sure, silences[place])
            wanted = [place for place in wanted if self._is_bad(answers[place])]
            if not wanted:
                break
        return [answers[place] for place in range(len(windows))]

    def is_silence(self, decoded: Decoded) -> bool:
        """Whether nobody speaks: the model says so, and does not believe what it wrote."""
        wishes = self.wishes
        if wishes.no_speech_threshold is None or decoded.no_speech_prob <= wishes.no_speech_threshold:
            return False
        return wishes.logprob_threshold is None or decoded.avg_logprob <= wishes.logprob_threshold

    def _is_bad(self, decoded: Decoded) -> bool:
        wishes = self.wishes
        repeats = (
            wishes.compression_ratio_threshold is not None
            and decoded.compression_ratio > wishes.compression_ratio_threshold
        )
        doubtful = wishes.logprob_threshold is not None and decoded.avg_logprob < wishes.logprob_threshold
        return (repeats or doubtful) and not self.is_silence(decoded)

    def _silences(self, heard: torch.Tensor, prompt: Sequence[int]) -> list[float]:
        """How likely nobody speaks, for each window."""
        start = [*prompt, self.checkpoint.model.generation_config.decoder_start_token_id]
        return next_tokens(self.checkpoint, heard, start)[:, self.checkpoint.no_speech].tolist()

    def _answers(
        self, heard: torch.Tensor, prompt: Sequence[int], temperature: float
    ) -> list[tuple[list[int], float]]:
        """Tokens and their mean log-probability, for each window."""
        out = self.checkpoint.model.generate(
            encoder_outputs=BaseModelOutput(last_hidden_state=heard),
            generation_config=self._config(len(prompt), self.wishes.beams if temperature == 0 else 1),
            temperature=temperature,
            prompt_ids=torch.tensor(prompt, device=heard.device) if prompt else None,
            return_timestamps=True,
            return_dict_in_generate=True,
            force_unique_generate_call=True,  # windows and thresholds are our own affair
            **self._spoken(),
        )
        written = out.sequences[:, -len(out.scores) :]
        if "sequences_scores" in out:
            sure = out.sequences_scores
        else:
            sure = _mean_logprobs(out.scores, written, temperature, self._end)
        rows = (self._until_end(row) for row in written.tolist())
        return list(zip(rows, sure.tolist(), strict=True))

    def _config(self, prompt_length: int, beams: int) -> Any:
        """The checkpoint's own, with what a caller may wish; generating changes it, so it is a copy."""
        model = self.checkpoint.model
        config = type(model.generation_config).from_dict(model.generation_config.to_dict())
        places = model.config.max_target_positions
        config.max_new_tokens = min(places // 2, places - prompt_length - 4)
        config.max_length = None
        config.num_beams = beams
        config.output_scores = True
        config.top_k = 0
        config.suppress_tokens = list(self.wishes.suppressed) or None
        for name in ("no_speech_threshold", "logprob_threshold", "compression_ratio_threshold"):
            setattr(config, name, None)
        return config

    def _spoken(self) -> dict[str, str]:
        """A model that knows English alone has no marks for language and task."""
        if not self.checkpoint.is_multilingual:
            return {}
        return {"language": self.wishes.language, "task": self.wishes.task}

    @property
    def _end(self) -> int:
        return self.checkpoint.model.generation_config.eos_token_id

    def _until_end(self, tokens: list[int]) -> list[int]:
        return tokens[: tokens.index(self._end)] if self._end in tokens else tokens


def encode(checkpoint: Checkpoint, windows: Sequence[torch.Tensor]) -> torch.Tensor:
    """What the encoder makes of the windows; done once, whatever is asked of it afterwards."""
    features = torch.stack(list(windows)).to(checkpoint.device, checkpoint.model.dtype)
    return checkpoint.model.get_encoder()(features).last_hidden_state


def next_tokens(checkpoint: Checkpoint, heard: torch.Tensor, start: Sequence[int]) -> torch.Tensor:
    """How likely each token is after these, (windows, vocabulary)."""
    begun = torch.tensor([list(start)], device=heard.device).expand(len(heard), -1)
    out = checkpoint.model(
        encoder_outputs=BaseModelOutput(last_hidden_state=heard), decoder_input_ids=begun, use_cache=False
    )
    return out.logits[:, -1].float().softmax(dim=-1)


@torch.inference_mode()
def detect_language(checkpoint: Checkpoint, window: torch.Tensor) -> tuple[str, float]:
    """The code of the language that is spoken in the window, and how sure that is."""
    start = [checkpoint.model.generation_config.decoder_start_token_id]
    shares = next_tokens(checkpoint, encode(checkpoint, [window]), start)[0]
    codes = list(checkpoint.languages)
    among = shares[list(checkpoint.languages.values())]
    best = int(among.argmax())
    return codes[best], float(among[best] / among.sum())


def _mean_logprobs(
    scores: Sequence[torch.Tensor], written: torch.Tensor, temperature: float, end: int
) -> torch.Tensor:
    """Over what was written and the end after it; what follows the end in a shorter row does not count."""
    total = torch.zeros(len(written), device=written.device)
    count = torch.zeros_like(total)
    goes_on = torch.ones_like(total, dtype=torch.bool)
    for step, score in enumerate(scores):
        token = written[:, step]
        # Scores were divided by the temperature; how sure the model is must not depend on it.
        logprobs = (score.float() * (temperature or 1.0)).log_softmax(dim=-1)
        chosen = logprobs.gather(-1, token[:, None])[:, 0]
        total += torch.where(goes_on, chosen, 0.0)
        count += goes_on
        goes_on = goes_on & (token != end)
    return total / count
