"""diffusers by itself, for ``benchmarks.sdxl``. Runs where torch is (see ``answering``)."""

import os
import time
from pathlib import Path

import sdxl
import torch
from answering import answer
from diffusers import StableDiffusionXLPipeline


def make(folder: str) -> None:
    """A tiny checkpoint."""
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
    loaded: list[StableDiffusionXLPipeline] = []
    answer(
        {
            "make": make,
            "load": lambda **given: loaded.append(load(**given)),
            "picture": lambda **given: picture(loaded[0], **given),
        }
    )


if __name__ == "__main__":
    main()
