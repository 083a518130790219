"""``python -m benchmarks.sdxl``: pictures through the whole platform, against the pipeline by itself.

They take turns, so that whatever else the machine does falls on both. What the platform adds is the same for
a large model: the order, the file and its link. Safety checker and watermark are off, since the pipeline has
neither. Needs ``make .venv/models/.installed``.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import httpx

from benchmarks import report
from benchmarks.contenders import stoker
from benchmarks.library import alone

NAME = "stability-ai/sdxl"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sdxl", description=__doc__)
    parser.add_argument("--checkpoint", type=Path, help="a directory; by default a tiny one")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--pictures", type=int, default=5)
    given = parser.parse_args()
    print("  ".join(f"{name}={value}" for name, value in report.machine().items()))
    with (
        alone("sdxl_library.py", "tiny") as library,
        stoker() as server,
        tempfile.TemporaryDirectory() as folder,
    ):
        checkpoint = given.checkpoint or Path(folder)
        if given.checkpoint is None:
            library("make", folder=str(checkpoint))
        library("load", folder=str(checkpoint))
        done = server.stoker("catalog", "add", NAME, "--weights", str(checkpoint))
        if done.returncode != 0:
            raise SystemExit(done.stderr)
        size = {"width": given.size, "height": given.size}
        asked = {"num_inference_steps": given.steps, "apply_watermark": False, "disable_safety_checker": True}
        with server.client() as client:
            _report(
                [
                    (_through(client, size | asked), library("picture", size=given.size, steps=given.steps))
                    for _ in range(given.pictures + 1)
                ][1:]  # the first warms up
            )
    return 0


def _through(client: httpx.Client, asked: dict[str, object]) -> float:
    """Seconds from the request to the last byte of the picture."""
    begun = time.perf_counter()
    made = client.post(f"/v1/models/{NAME}/predictions", json={"input": {"prompt": "A kite", **asked}})
    url = made.raise_for_status().json()["urls"]["get"]
    while (prediction := client.get(url).json())["status"] not in ("succeeded", "failed", "canceled"):
        time.sleep(0.01)
    if prediction["status"] != "succeeded":
        raise SystemExit(prediction["error"])
    client.get(prediction["output"][0]).raise_for_status()
    return time.perf_counter() - begun


def _report(pairs: list[tuple[float, float]]) -> None:
    for name, seconds in zip(("platform", "pipeline"), zip(*pairs, strict=True), strict=True):
        print(f"{name:9} {60 / statistics.median(seconds):6.1f} images a minute")
    ratios = [library / platform for platform, library in pairs]
    print(f"{statistics.median(ratios):.2f} of the pipeline ({min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    sys.exit(main())
