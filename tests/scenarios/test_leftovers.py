"""What a killed server leaves on the disk is cleared away by the next start; what must stay stays."""

import os

from tests.conftest import MODELS, StartServer
from tests.scenarios.api import run
from tests.scenarios.machine import until

LEFT = ["given/abc-1", "tmp/inputs/abc/0", "scratch/build-x/run.py", "instances/abc/src/run.py"]


def test_a_start_clears_the_working_folders(start_server: StartServer):
    server = start_server()
    version = server.push(MODELS / "empty", "local/empty")
    server.kill()
    for path in LEFT:
        file = server.data_dir / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("left")
    server.start()
    found = {path: (server.data_dir / path).exists() for path in LEFT}
    assert found == dict.fromkeys(LEFT, False)
    assert (server.data_dir / "sources" / version / "run.py").exists()
    with server.client() as client:
        assert run(client, version)["status"] == "succeeded"


def test_what_no_version_needs_goes_in_the_end(start_server: StartServer):
    """A sweep that finds everything old, as it would a week after the version was deleted."""
    server = start_server(STOKER_ENVIRONMENT_KEEP_S="3600")
    version = server.push(MODELS / "empty", "local/empty")
    with server.client() as client:
        assert run(client, version)["status"] == "succeeded"
        assert client.delete(f"/v1/models/local/empty/versions/{version}").status_code == 202
    server.stop()
    (marker,) = (server.data_dir / "environments").glob("*/stoker.json")
    tree = server.data_dir / "sources" / version
    for path in (marker, tree):
        os.utime(path, (0, 0))
    server.start()
    until(lambda: not marker.exists() and not tree.exists(), "environment and sources are gone")
