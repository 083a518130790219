"""Prints what a cold boot takes through HTTP, and growing from none to four instances: plain against forked.

    python -m benchmarks.boots.served [--rounds 5] [--python .venv/models/bin/python]

One server has the same model twice, in one environment. Of the second, the first line does something before
the imports, so that none is done for it beforehand and it always starts plainly. The two take turns. The
version has booted before; each boot is from the request to the first output, with no process of it there.
Needs packages for a push with torch. Asserts nothing.
"""

import argparse
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx

from benchmarks.boots.__main__ import HERE, PYTHON
from benchmarks.contenders import stoker
from tests.servers import StokerServer

YAML = """build:
  python_version: "3.11"
  python_requirements: requirements.txt
predict: predict.py:Predictor
concurrency:
  max: 1
"""
PACKAGES = HERE.parents[1] / "models" / "llama" / "requirements.txt"
PLAINLY = "print(end='')  # done before the imports, so these are not done beforehand\n"
INSTANCES = 4
LINE = 100
"""Predictions at once, each of ``RUN_S``: worth four instances, however slow their boot."""
RUN_S = 5.0
WITHIN_S = 300.0

Seconds = dict[str, list[float]]


class Model:
    """One of the two, as its callers see it."""

    def __init__(self, server: StokerServer, client: httpx.Client, name: str, version: str):
        self.name = name
        self._server = server
        self._client = client
        self._version = version
        client.patch(f"/v1/stoker/models/local/{name}/scale", json={"idle_s": 0}).raise_for_status()

    def boot_s(self) -> float:
        """From the request to the answer with the output, with an instance of its own."""
        began = time.monotonic()
        answer = self._create(0, headers={"prefer": "wait=60"})
        took_s = time.monotonic() - began
        if answer["status"] != "succeeded":
            raise SystemExit(f"{self.name}: {answer['status']} {answer['error']}\n{answer['logs']}")
        self.rest()
        return took_s

    def start(self) -> str:
        """How its latest instance began."""
        path = f"/v1/stoker/boots?model=local/{self.name}"
        return self._client.get(path).raise_for_status().json()["results"][0]["start"]

    def grow_s(self) -> float:
        """From the first request until four instances have given an output."""
        began = time.time()
        ids = [self._create(RUN_S)["id"] for _ in range(LINE)]
        firsts: dict[int, float] = {}
        self._until(lambda: len(self._note(ids, firsts)) >= INSTANCES)
        for id in ids:
            self._client.post(f"/v1/predictions/{id}/cancel").raise_for_status()
        self.rest()
        return sorted(firsts.values())[INSTANCES - 1] - began

    def _note(self, ids: list[str], firsts: dict[int, float]) -> dict[int, float]:
        """When each process gave its first output, of those that began to run first."""
        for id in ids[: 2 * INSTANCES]:
            output = self._client.get(f"/v1/predictions/{id}").raise_for_status().json()["output"]
            if output is not None:
                firsts.setdefault(output["process"], output["at"])
        return firsts

    def rest(self) -> None:
        """Returns when it has no instance."""
        self._until(lambda: not self._client.get("/health").json()["instances"])

    def _create(self, seconds: float, **options: Any) -> dict[str, Any]:
        body = {"version": self._version, "input": {"seconds": seconds}}
        return self._client.post("/v1/predictions", json=body, **options).raise_for_status().json()

    def _until(self, holds: Any) -> None:
        end = time.monotonic() + WITHIN_S
        while not holds():
            if time.monotonic() > end:
                raise SystemExit(f"{self.name}: it took too long")
            time.sleep(0.02)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.boots.served")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--python", type=Path, default=PYTHON)
    options = parser.parse_args()
    with stoker() as server, tempfile.TemporaryDirectory() as folder, _client(server) as client:
        models = [_model(server, client, name, Path(folder), options.python) for name in ("plain", "forked")]
        while models[1].start() != "forked":  # the fork server is ready a while after the first boot
            models[1].boot_s()
        _report("request to first output", _turns(models, options.rounds, Model.boot_s))
        growths = _turns(models, max(1, options.rounds // 2), Model.grow_s)
        _report(f"0 to {INSTANCES} instances", growths)


def _turns(models: Sequence[Model], rounds: int, measure: Any) -> Seconds:
    found: Seconds = {model.name: [] for model in models}
    for _ in range(rounds):
        for model in models:
            found[model.name].append(measure(model))
            if model.start() != model.name:
                raise SystemExit(f"{model.name} was started {model.start()}")
    return found


def _report(what: str, found: Seconds) -> None:
    ratios = [plain / forked for plain, forked in zip(found["plain"], found["forked"], strict=True)]
    for name, samples in found.items():
        print(f"{what}, {name}: median {statistics.median(samples):.2f} s, fastest {min(samples):.2f} s")
    print(f"{what}: forked is {statistics.median(ratios):.1f} times as fast", flush=True)


def _model(server: StokerServer, client: httpx.Client, name: str, folder: Path, python: Path) -> Model:
    """Pushes it, and has it boot once."""
    project = folder / name
    project.mkdir()
    (project / "cog.yaml").write_text(YAML)
    shutil.copy(PACKAGES, project / "requirements.txt")
    code = (HERE / "predict.py").read_text()
    docstring, _, rest = code.partition("\n")
    (project / "predict.py").write_text(f"{docstring}\n{PLAINLY if name == 'plain' else ''}{rest}")
    weights = folder / "weights"
    if not weights.exists():
        subprocess.run([python, HERE / "weights.py", weights], check=True, stderr=subprocess.DEVNULL)
    shutil.copytree(weights, project / "weights")
    model = Model(server, client, name, server.push(project, f"local/{name}"))
    model.boot_s()
    return model


def _client(server: StokerServer) -> httpx.Client:
    headers = {"authorization": f"Bearer {server.variables()['REPLICATE_API_TOKEN']}"}
    return httpx.Client(base_url=server.base_url, headers=headers, timeout=120)


if __name__ == "__main__":
    main()
