"""What ``test_llama_training_parts`` asks of models/llama; runs in the lab (see ``lab``)."""

import os
import re
from pathlib import Path
from typing import Any

import llama_lab
import torch
from archive import Adapter, Progress, read_adapter, read_progress, write
from lessons import Course, Lesson, Reader, parts
from loading import load, load_tokenizer
from lora import Shape, targets_in
from served import Beside, Span, prepare, put
from taught import attach, begin, fill, tensors
from torch import nn
from training import Method, Training


def read(checkpoint: str, file: str, template: str | None = None, **changes: Any) -> list[list[Any]]:
    """Each lesson as runs of text, with whether they are learned; or what is said against the file."""
    tokenizer = load_tokenizer(Path(checkpoint))
    if template is not None:
        tokenizer.chat_template = template or None
    given = {"most_tokens": 500, "system_prompt": "", "prompt_template": ""} | changes
    try:
        lessons = Reader(tokenizer=tokenizer, **given).read(Path(file), "train_data")
    except ValueError as error:
        return [["refused", str(error)]]
    return [_runs(tokenizer, lesson) for lesson in lessons]


def _runs(tokenizer: Any, lesson: Lesson) -> list[Any]:
    found: list[Any] = []
    for token, is_learned in zip(lesson.tokens, lesson.learned, strict=True):
        if not found or found[-1][1] != is_learned:
            found.append([[], is_learned])
        found[-1][0].append(token)
    return [[tokenizer.decode(tokens), is_learned] for tokens, is_learned in found]


def order(count: int, batch: int, epochs: int, after: int) -> list[list[Any]]:
    """Steps and the numbers of their lessons."""
    lessons = [Lesson([number, 1], [False, True]) for number in range(count)]
    course = Course(lessons=lessons, batch=batch, epochs=epochs, seed=3)
    return [[step, [one.tokens[0] for one in chosen]] for step, chosen in course.batches(after=after)]


def rates(schedule: str, warmup_ratio: float, steps: int) -> list[float]:
    course = Course(lessons=_lessons(1), batch=1, epochs=steps, seed=0)
    training = _training(_small(), course, schedule=schedule, warmup_ratio=warmup_ratio)
    return [step.learning_rate for step in training.steps()]


def micro_batches() -> list[list[float]]:
    """Losses of a training whose batches are in memory whole, and of one with a lesson at a time."""
    course = Course(lessons=_lessons(5), batch=5, epochs=4, seed=0)
    return [[step.loss for step in _training(_small(), course, micro_batch=most).steps()] for most in (5, 1)]


def kept(folder: str) -> dict[str, Any]:
    """What an archive gives back, whether the same content is the same bytes, and what is said of others."""
    first, second, other = (Path(folder, name) for name in ("1.tar", "2.tar", "other.tar"))
    adapter = Adapter(Shape(rank=2, alpha=4, targets=("v_proj", "q_proj")), {"a": torch.arange(3.0)})
    for path in (first, second):
        write(str(path), adapter, Progress({"seed": 1}, 7, {"m": torch.ones(2)}))
    told, progress = read_adapter(first), read_progress(first)
    other.write_bytes(first.read_bytes()[:2000])
    return {
        "same": first.read_bytes() == second.read_bytes(),
        "tensors": told.tensors["a"].tolist(),
        "targets": told.shape.targets,
        "scale": told.shape.scale,
        "progress": [progress.begun_with, progress.step, progress.moments["m"].tolist()],
        "broken": _refusal(lambda: read_adapter(other)),
        "no archive": _refusal(lambda: read_adapter(Path(__file__))),
    }


def refused_adapters(checkpoint: str) -> list[str]:
    """What is said of adapters of another model, and of a layer that no model has."""
    model = load(Path(checkpoint)).model
    pairs = attach(model, Shape(rank=2, alpha=4), dtype=torch.float32)
    mine = tensors(pairs)
    name = sorted(mine)[0]
    return [
        _refusal(lambda: fill(pairs, {key: value for key, value in mine.items() if key != name})),
        _refusal(lambda: fill(pairs, mine | {name: torch.zeros(1, 1)})),
        _refusal(lambda: targets_in(model, ["q_proj", "x_proj"])),
    ]


def as_peft_would(checkpoint: str, folder: str) -> float:
    """The greatest difference between our scores with an adapter, taught or served, and PEFT's with it."""
    from peft import LoraConfig, PeftModel, get_peft_model
    from safetensors.torch import save_file

    shape = Shape(rank=4, alpha=12)
    model = load(Path(checkpoint)).model
    pairs = attach(model, shape, dtype=torch.float32)
    begin(pairs, seed=5)
    with torch.no_grad():
        for pair in pairs.values():
            pair.up.normal_(generator=torch.Generator().manual_seed(1))
    row = torch.tensor([[0, 9, 99, 999]])
    taught = model(row).logits
    ours = _with_adapter(checkpoint, Adapter(shape, tensors(pairs)), tokens=4)(row).logits
    plain = load(Path(checkpoint)).model
    config = LoraConfig(r=4, lora_alpha=12, target_modules=list(shape.targets), task_type="CAUSAL_LM")
    get_peft_model(plain, config).save_pretrained(folder)
    save_file(tensors(pairs), Path(folder, "adapter_model.safetensors"))
    theirs = PeftModel.from_pretrained(load(Path(checkpoint)).model, folder)(row).logits
    return max(float((scores - theirs).abs().max()) for scores in (taught, ours))


def _with_adapter(checkpoint: str, adapter: Adapter, *, tokens: int) -> Any:
    """A model that answers its first call, of so many tokens, with the adapter."""
    model = load(Path(checkpoint)).model
    served = put(model, prepare(model, adapter, "its digest"))
    Beside(model).begin([Span(served, 0, tokens)], tokens=tokens)
    return model.requires_grad_(False)


def base_memory(checkpoint: str, weights: str) -> dict[str, int]:
    """Of a served base with an adapter: its bytes, those in the mapped file, and those copied from it."""
    model = _with_adapter(checkpoint, read_adapter(Path(weights)), tokens=3)
    with torch.inference_mode():
        model(torch.tensor([[0, 9, 99]]))
    places = list(model.parameters())
    return {
        "bytes": sum(part.nbytes for part in places),
        "mapped": sum(part.nbytes for part in places if _mapping(part.data_ptr())),
        "copied_kb": sum(_mapping(part.data_ptr()).get("Anonymous", 0) for part in places),
    }


def half_precision(checkpoint: str, folder: str, weights: str) -> dict[str, Any]:
    """The same of a bfloat16 checkpoint that is not converted, and how many tokens each request made."""
    load(Path(checkpoint)).model.to(torch.bfloat16).save_pretrained(folder)
    load_tokenizer(Path(checkpoint)).save_pretrained(folder)
    os.environ["LLAMA_CPU_DTYPE"] = "checkpoint"
    try:
        made = llama_lab.greedy(folder, pages=128, batch_tokens=64, count=4)
        return base_memory(folder, weights) | {"made": [len(tokens) for _, tokens, _ in made]}
    finally:
        del os.environ["LLAMA_CPU_DTYPE"]


def _mapping(address: int) -> dict[str, int]:
    """What the kernel tells of the mapped file of weights at the address; empty where there is none."""
    found: dict[str, int] = {}
    inside = False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if heading := re.match(r"([0-9a-f]+)-([0-9a-f]+) .*?(\S*)$", line):
            start, end = (int(heading[place], 16) for place in (1, 2))
            inside = start <= address < end and heading[3].endswith(".safetensors")
        elif inside and line.endswith("kB"):
            name, size, _ = line.split()
            found[name.rstrip(":")] = int(size)
    return found


def write_adapter(checkpoint: str, path: str) -> None:
    pairs = attach(load(Path(checkpoint)).model, Shape(rank=2, alpha=4), dtype=torch.float32)
    begin(pairs, seed=1)
    write(path, Adapter(Shape(rank=2, alpha=4), tensors(pairs)), Progress({}, 1, {}))


def sizes_of_parts(lengths: list[int], most: int) -> list[list[int]]:
    batch = [Lesson([1] * length, [True] * length) for length in lengths]
    return [[len(lesson.tokens) for lesson in part] for part in parts(batch, most)]


def _refusal(act: Any) -> str:
    try:
        act()
    except ValueError as error:
        return str(error)
    return "nothing"


def _lessons(count: int) -> list[Lesson]:
    return [Lesson(list(range(3 + n)), [False] * 2 + [True] * (1 + n)) for n in range(count)]


def _small() -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    return LlamaForCausalLM(LlamaConfig(vocab_size=32, **sizes))


def _training(model: Any, course: Course, **changes: Any) -> Training:
    assert isinstance(model, nn.Module)
    pairs = attach(model, Shape(rank=2, alpha=4), dtype=torch.float32)
    begin(pairs, seed=1)
    given = {
        "learning_rate": 0.01,
        "schedule": "constant",
        "warmup_ratio": 0.0,
        "weight_decay": 0.0,
        "most_gradient": 1.0,
        "micro_batch": 4,
    }
    return Training(model, pairs, course, Method(**(given | changes)))
