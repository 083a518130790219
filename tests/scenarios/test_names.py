"""Models under the names that people know."""

from tests.conftest import MODELS
from tests.servers import StokerServer


def test_the_operator_pushes_and_runs_a_model_under_its_published_name(server: StokerServer):
    version = server.push(MODELS / "empty", "meta/meta-llama-3.1-70b-instruct")
    assert len(version) == 64
    done = server.stoker("run", "meta/meta-llama-3.1-70b-instruct", "-i", "text=hello")
    assert done.stdout.strip() == "hello"
    with server.client() as client:
        assert client.get("/v1/models/meta/meta-llama-3.1-70b-instruct").json()["owner"] == "meta"
