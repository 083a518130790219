"""diffusers by itself, for ``benchmarks.sdxl``. Runs where torch is (see ``library``)."""

import json
import os
import sys
import time
from pathlib import Path

import torch
from diffusers import StableDiffusionXLPipeline

ROOT = Path(__file__).parents[1]


def make(folder: str) -> None:
    """A tiny checkpoint."""
    sys.path.insert(0, str(ROOT / "models/tiny"))
    import sdxl

    sdxl.make(Path(folder))


def load(folder: str) -> StableDiffusionXLPipeline:
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    gpu = torch.cuda.is_available()
    dtype = torch.float16 if gpu else torch.float32
    pipeline = StableDiffusionXLPipeline.from_pretrained(
        folder, dtype=dtype, local_files_only=True, add_watermarker=False
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline.to("cuda" if gpu else "cpu")


def picture(pipeline: StableDiffusionXLPipeline, *, size: int, steps: int) -> float:
    """Seconds that one takes, the PNG included."""
    begun = time.perf_counter()
    with torch.inference_mode():
        made = pipeline("A kite", width=size, height=size, num_inference_steps=steps, guidance_scale=7.5)
    made.images[0].save("/dev/null", "PNG")
    return time.perf_counter() - begun


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    pipeline = None
    for line in sys.stdin:
        name, arguments = json.loads(line)
        found = None
        if name == "make":
            make(**arguments)
        elif name == "load":
            pipeline = load(**arguments)
        else:
            found = picture(pipeline, **arguments)
        print(json.dumps(found), file=answers, flush=True)


if __name__ == "__main__":
    main()
