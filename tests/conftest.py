"""What every suite may use: one server for all, or servers of one's own."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from xdist.remote import Producer

from tests.bundles import Bundles
from tests.servers import StokerServer

MODELS = Path(__file__).parent / "models"

StartServer = Callable[..., StokerServer]
Pushed = Callable[[str], str]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Bundles:
    config.option.loadscopereorder = False
    return Bundles(config, log)


@pytest.fixture(scope="session")
def uv_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Packages are fetched once for all servers and builders of a test run: else each would fetch Cog's."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    return shared / "uv-cache"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, uv_cache: Path) -> Iterator[StokerServer]:
    """A running server that all tests of the process share; leave it running."""
    folder, cached = tmp_path_factory.mktemp("shared"), {"UV_CACHE_DIR": str(uv_cache)}
    running = StokerServer(folder / "data", "--allow-net", "127.0.0.0/8", variables=cached).start()
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="session")
def pushed(server: StokerServer) -> Pushed:
    """``pushed("name")``: the version id of ``tests/models/name``, pushed once as ``local/name``."""
    versions: dict[str, str] = {}

    def push(name: str) -> str:
        if name not in versions:
            versions[name] = server.push(MODELS / name, f"local/{name}")
        return versions[name]

    return push


@pytest.fixture
def start_server(tmp_path: Path, uv_cache: Path) -> Iterator[StartServer]:
    """Starts servers that end with the test; each gets its own data directory unless one is given."""
    started: list[StokerServer] = []

    def start(*args: str, data_dir: Path | None = None, **variables: str) -> StokerServer:
        folder = data_dir or tmp_path / f"data{len(started)}"
        server = StokerServer(folder, *args, variables={"UV_CACHE_DIR": str(uv_cache)} | variables)
        started.append(server)
        return server.start()

    yield start
    for server in started:
        server.stop()
