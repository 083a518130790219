"""``python models/tiny MODEL DIRECTORY``: a checkpoint of a few megabytes, for trying things.

One module a model; its ``make(folder, seed=...)`` writes the checkpoint in the layout of the published
weights, and the catalogue's models load it as they load those. Needs torch and transformers (``make
.venv/models/.installed`` makes an environment that has them).
"""

import argparse
import importlib
from pathlib import Path

MODELS = sorted(
    path.stem.replace("_", "-")
    for path in Path(__file__).parent.glob("*.py")
    if not path.stem.startswith("__")
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python models/tiny", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("model", choices=[name for name in MODELS if name != "corpus"])
    parser.add_argument("folder", type=Path, help="a new or empty directory")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--train", type=float, metavar="MINUTES", help="learn from text found on this machine (llama only)"
    )
    given = parser.parse_args()
    if given.folder.exists() and any(given.folder.iterdir()):
        parser.error(f"{given.folder} is not empty")
    given.folder.mkdir(parents=True, exist_ok=True)
    module = importlib.import_module(given.model.replace("-", "_"))
    if given.train is None:
        module.make(given.folder, seed=given.seed)
    elif hasattr(module, "train"):
        module.train(given.folder, minutes=given.train, seed=given.seed)
    else:
        parser.error(f"{given.model} cannot be trained")


if __name__ == "__main__":
    main()
