"""Servers with a catalogue of the tests' own, and the catalogue's models with tiny checkpoints.

Checkpoints are made and models added once a session, on the server that all share.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.catalog.things import MODELS, make_tiny
from tests.servers import StokerServer

ENTRIES = Path(__file__).parent / "entries"

Tiny = Callable[[str], Path]
Added = Callable[..., str]


@pytest.fixture
def entries() -> Path:
    """A catalogue as an operator may have one: ``stoker catalog add NAME --from DIR``."""
    return ENTRIES


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """``tiny("llama")``: the directory of a tiny checkpoint."""
    made: dict[str, Path] = {}

    def make(model: str) -> Path:
        if model not in made:
            made[model] = make_tiny(model, tmp_path_factory.mktemp("tiny") / model)
        return made[model]

    return make


@pytest.fixture(scope="session")
def added(server: StokerServer, tiny: Tiny) -> Added:
    """``added("llama", "meta/...")``: the version, of what ships or of another catalogue; once a session."""
    versions: dict[str, str] = {}

    def add(model: str, name: str, *, catalogue: Path | None = None) -> str:
        if name not in versions:
            folder = ["--from", str(catalogue)] if catalogue else []
            done = server.stoker("catalog", "add", name, "--weights", str(tiny(model)), *folder)
            assert done.returncode == 0, done.stderr
            assert "deprecated" not in done.stderr, "what ships is written as Cog wants it today"
            versions[name] = done.stdout.split()[-1]
        return versions[name]

    return add


@pytest.fixture(scope="session")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """``changed("llama", "local/name", file)``: a catalogue whose model runs the file's predictor."""

    def change(model: str, name: str, predictor: Path) -> Path:
        catalogue = tmp_path_factory.mktemp("catalogue")
        folder = catalogue / model
        shutil.copytree(MODELS / model, folder)
        shutil.copy(predictor, folder)
        config = folder / "cog.yaml"
        config.write_text(config.read_text().replace("predict.py:", f"{predictor.name}:"))
        (folder / "catalog.toml").write_text(f'title = "t"\nnames = ["{name}"]\ndescription = "d"\n')
        return catalogue

    return change
