"""``python -m benchmarks.llama``: the language model through the platform, against the library by itself.

Three contenders take turns, so that whatever else the machine does falls on all: predictions streamed over
HTTP, transformers' continuous batching manager used directly, and ``generate`` with one batch. Ratios mean
something, absolute figures only on a quiet machine; on a busy one, CPU a token says most, since what others
do falls least on it. Needs ``make .venv/models/.installed``.
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks import client, library, process_tree, report
from benchmarks.contenders import stoker
from tests.servers import StokerServer

NAME = "meta/meta-llama-3.1-8b-instruct"
SLOTS = 64
PROMPT = "word " * 12

Figures = dict[str, float]
Contender = Callable[[int, int], Figures]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.llama", description=__doc__)
    parser.add_argument(
        "--checkpoint", type=Path, help="a directory; by default a new one of --width, --layers"
    )
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--layers", type=int, default=8)
    parser.add_argument("--streams", type=int, nargs="+", default=[1, 16, 64])
    parser.add_argument("--tokens", type=int, default=100, help="of each stream")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    print("  ".join(f"{name}={value}" for name, value in report.machine().items()))
    with (
        library.alone("llama_library.py", "tiny") as manager,
        library.alone("llama_library.py", "tiny") as generate,
        stoker() as server,
        tempfile.TemporaryDirectory() as folder,
    ):
        checkpoint = given.checkpoint
        if checkpoint is None:
            checkpoint = Path(folder) / "checkpoint"
            generate("make", folder=str(checkpoint), width=given.width, layers=given.layers)
        manager("load", folder=str(checkpoint), slots=SLOTS)
        generate("load", folder=str(checkpoint))
        platform = _platform(server, checkpoint)
        prompt = _prompt_tokens(server)
        contenders = {
            "platform": platform,
            "manager": _by_itself(manager, "manager", prompt),
            "generate": _by_itself(generate, "generate", prompt),
        }
        for streams in given.streams:
            _report(streams, _measure(contenders, streams, given.tokens, rounds=given.rounds))
        assert server.process is not None
        for name, pid in zip(contenders, (server.process.pid, manager.pid, generate.pid), strict=True):
            memory, gpu = process_tree.proportional_bytes(pid), process_tree.gpu_bytes(pid)
            print(f"{name:9} {memory / 1e6:8.0f} MB of memory  {gpu / 1e6:8.0f} MB of GPU memory")
    return 0


def _by_itself(run: library.Library, name: str, prompt_tokens: int) -> Contender:
    def measure(streams: int, tokens: int) -> Figures:
        return run(name, streams=streams, tokens=tokens, prompt_tokens=prompt_tokens)

    return measure


def _measure(
    contenders: dict[str, Contender], streams: int, tokens: int, *, rounds: int
) -> dict[str, list[Figures]]:
    """A warm-up and then the rounds; in each, every contender once, and each round begins with another."""
    found: dict[str, list[Figures]] = {name: [] for name in contenders}
    for contender in contenders.values():
        contender(streams, 10)
    names = list(contenders)
    for number in range(rounds):
        for place in range(len(names)):
            name = names[(number + place) % len(names)]
            found[name].append(contenders[name](streams, tokens))
    return found


def _report(streams: int, found: dict[str, list[Figures]]) -> None:
    for name, rounds in found.items():
        rate, first, cpu = (
            statistics.median(figures[figure] for figures in rounds)
            for figure in ("rate", "first_ms", "cpu_us")
        )
        print(
            f"{streams:3} streams  {name:9} {rate:8.0f} tokens/s  first token {first:7.1f} ms"
            f"  CPU {cpu:6.0f} us a token  {_of(found, name, 'manager')}  {_of(found, name, 'generate')}",
            flush=True,
        )


def _of(found: dict[str, list[Figures]], name: str, other: str) -> str:
    """How fast one is beside another; within a round, in which the machine was about as busy for both."""
    ratios = [mine["rate"] / base["rate"] for mine, base in zip(found[name], found[other], strict=True)]
    return f"{statistics.median(ratios):5.2f} of {other} ({min(ratios):.2f} to {max(ratios):.2f})"


def _platform(server: StokerServer, checkpoint: Path) -> Contender:
    done = server.stoker("catalog", "add", NAME, "--weights", str(checkpoint))
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    port = int(server.base_url.rsplit(":", 1)[1])
    token = server.variables()["REPLICATE_API_TOKEN"]
    assert server.process is not None
    pid = server.process.pid

    def stream(streams: int, tokens: int) -> Figures:
        body = {"input": {"prompt": PROMPT, "min_tokens": tokens, "max_tokens": tokens}, "stream": True}
        target = client.Target(
            port, f"/v1/models/{NAME}/predictions", body, {"authorization": f"Bearer {token}"}
        )
        before_s = process_tree.cpu_s(pid)
        load = client.run_well(target, callers=streams, count=streams, mode="stream", seconds=600)
        assert load.first_us is not None
        return {
            "rate": streams * tokens / load.elapsed_s,
            "first_ms": load.first_us.p50 / 1000,
            "cpu_us": 1e6 * (process_tree.cpu_s(pid) - before_s) / (streams * tokens),
        }

    return stream


def _prompt_tokens(server: StokerServer) -> int:
    """How much the model reads for the prompt, chat template included: the others shall read as much."""
    body = {"input": {"prompt": PROMPT, "max_tokens": 1}}
    with server.client() as http:
        made = http.post(f"/v1/models/{NAME}/predictions", json=body, headers={"prefer": "wait=60"})
    return made.raise_for_status().json()["metrics"]["input_token_count"]


if __name__ == "__main__":
    sys.exit(main())
