"""The published ``replicate`` 1.0.7, unmodified, against a real server with real models.

Everything that issue and contract say this client must be able to do: both ways of naming a model, blocking,
background, streamed, async, files in and out, errors as its own classes. Base URLs with and without ``/v1``.
"""

import asyncio
import io
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import pytest
import replicate
from packaging.version import parse
from replicate.exceptions import ModelError, ReplicateError
from replicate.schema import make_schema_backwards_compatible

from tests.clients.stories import PUBLISHED, SOUGHT, paged, stocked
from tests.conftest import MODELS, Pushed
from tests.servers import TOKEN, StokerServer


@pytest.fixture(params=["", "/v1"], ids=["plain base", "base with v1"])
def client(server: StokerServer, request: pytest.FixtureRequest) -> Iterator[replicate.Client]:
    made = replicate.Client(api_token=TOKEN, base_url=server.base_url + request.param)
    yield made
    made._client.close()


def test_run_by_name_and_version(client: replicate.Client, pushed: Pushed):
    version = pushed("empty")
    assert client.run(f"local/empty:{version}", input={"text": "hello"}) == "hello"


def test_run_by_name_alone(client: replicate.Client, pushed: Pushed):
    pushed("empty")
    assert client.run("local/empty", input={"text": "hello"}) == "hello"


def test_run_an_iterator_gives_an_iterator(client: replicate.Client, pushed: Pushed):
    version = pushed("concatenate")
    output = client.run(f"local/concatenate:{version}", input={"pieces": 3})
    assert "".join(output) == "Once upon a"


def test_run_a_list_gives_a_list(client: replicate.Client, pushed: Pushed):
    """Gotcha 15: the client makes an iterator of a list where ``cog_version`` is older than 0.3.9."""
    version = pushed("output_list")
    assert client.run(f"local/output_list:{version}", input={"count": 2}) == ["item 0", "item 1"]
    shown = client.models.get("local/output_list").versions.get(version)
    assert parse("0.3.9") <= parse(shown.cog_version)
    kept = deepcopy(shown.openapi_schema)
    assert make_schema_backwards_compatible(shown.openapi_schema, shown.cog_version) == kept


def test_run_longer_than_the_wait(client: replicate.Client, pushed: Pushed):
    """Gotcha 1: an expired wait reads ``starting``, so the client polls on."""
    version = pushed("cancellable")
    assert client.run(f"local/cancellable:{version}", input={"limit_s": 2.0}, wait=1) == "ran to its end"


def test_run_without_waiting(client: replicate.Client, pushed: Pushed):
    version = pushed("empty")
    assert client.run(f"local/empty:{version}", input={"text": "later"}, wait=False) == "later"


def test_background_reload_and_wait(client: replicate.Client, pushed: Pushed):
    prediction = client.predictions.create(version=pushed("empty"), input={"text": "back"})
    prediction.wait()
    prediction.reload()
    assert (prediction.status, prediction.output, prediction.error) == ("succeeded", "back", None)
    assert prediction.metrics is not None
    assert prediction.metrics["total_time"] > 0  # type: ignore[typeddict-item]
    assert client.predictions.get(prediction.id).output == "back"
    assert prediction.id in [p.id for p in client.predictions.list()]


def test_create_by_model_name(client: replicate.Client, pushed: Pushed):
    version = pushed("empty")
    prediction = client.predictions.create(model="local/empty", input={"text": "x"})
    assert prediction.version == version


def test_cancel(client: replicate.Client, pushed: Pushed):
    prediction = client.predictions.create(version=pushed("cancellable"), input={"limit_s": 600})
    prediction.cancel()
    assert prediction.status == "canceled"
    assert client.predictions.get(prediction.id).status == "canceled"


def test_stream(client: replicate.Client, pushed: Pushed):
    version = pushed("concatenate")
    events = list(client.stream(f"local/concatenate:{version}", input={"pieces": 4}))
    assert "".join(str(event) for event in events) == "Once upon a time\n"


def test_stream_of_a_failing_model_raises(client: replicate.Client, pushed: Pushed):
    version = pushed("concatenate")
    with pytest.raises(RuntimeError, match="out of words"):
        list(client.stream(f"local/concatenate:{version}", input={"pieces": 1, "fail": True}))


def test_files_go_in_as_open_handles_and_come_out(client: replicate.Client, pushed: Pushed, tmp_path: Path):
    version = pushed("file_round_trip")
    source = tmp_path / "word.txt"
    source.write_bytes(b"stressed")
    with source.open("rb") as handle:
        url = client.run(f"local/file_round_trip:{version}", input={"source": handle})
    assert str(url).startswith("http://")
    assert client._client.get(str(url)).content == b"desserts"


def test_files_go_in_as_data_urls(client: replicate.Client, pushed: Pushed):
    version = pushed("file_round_trip")
    url = client.run(
        f"local/file_round_trip:{version}",
        input={"source": io.BytesIO(b"live")},
        file_encoding_strategy="base64",
    )
    assert client._client.get(str(url)).content == b"evil"


def test_files_api(client: replicate.Client):
    made = client.files.create(io.BytesIO(b"some bytes"), metadata={"about": "test"})
    assert made.size == 10
    assert client.files.get(made.id).checksums["md5"] == made.etag
    assert made.id in [file.id for file in client.files.list()]
    client.files.delete(made.id)
    with pytest.raises(ReplicateError) as error:
        client.files.get(made.id)
    assert error.value.status == 404


def test_a_failed_prediction_raises_a_model_error_with_the_exceptions_own_words(
    client: replicate.Client, pushed: Pushed
):
    version = pushed("concatenate")
    with pytest.raises(ModelError, match=r"^out of words$"):
        list(client.run(f"local/concatenate:{version}", input={"pieces": 0, "fail": True}))


def test_invalid_input_raises(client: replicate.Client, pushed: Pushed):
    with pytest.raises(ReplicateError) as error:
        client.predictions.create(version=pushed("concatenate"), input={"pieces": "many"})
    assert (error.value.status, error.value.title) == (422, "Input validation failed")


def test_unknown_model_version_and_token_raise(client: replicate.Client, server: StokerServer):
    with pytest.raises(ReplicateError) as error:
        client.run("local/nothing", input={})
    assert error.value.status == 404
    with pytest.raises(ReplicateError) as error:
        client.predictions.create(version="0" * 64, input={})
    assert error.value.status == 422
    stranger = replicate.Client(api_token="r8_" + "x" * 37, base_url=server.base_url)
    with pytest.raises(ReplicateError) as error:
        stranger.accounts.current()
    assert (error.value.status, error.value.title) == (401, "Unauthenticated")
    stranger._client.close()


def test_models_versions_account_hardware_and_secret(client: replicate.Client, pushed: Pushed):
    version = pushed("empty")
    model = client.models.get("local/empty")
    assert model.latest_version is not None
    assert model.latest_version.id == version
    assert [v.id for v in model.versions.list()] == [version]
    assert model.versions.get(version).cog_version == "0.23.1"
    assert client.accounts.current().username == "local"
    assert client.hardware.list()
    assert client.webhooks.default.secret().key.startswith("whsec_")


def test_a_model_of_ones_own_is_deleted(client: replicate.Client, server: StokerServer):
    version = server.push(MODELS / "empty", "local/discarded-by-python1")
    model = client.models.get("local/discarded-by-python1")
    with pytest.raises(ReplicateError, match="still has versions"):
        client.models.delete("local", "discarded-by-python1")
    assert not model.versions.delete(version), "it looks for 204, and the contract has 202"
    assert model.versions.list().results == []
    assert client.models.delete("local", "discarded-by-python1")
    with pytest.raises(ReplicateError):
        client.models.get("local/discarded-by-python1")


def test_pages(client: replicate.Client, pushed: Pushed, server: StokerServer):
    paged(server, pushed("empty"))
    pages = list(replicate.paginate(client.predictions.list))
    ids = [prediction.id for page in pages for prediction in page]
    assert len(pages) > 1
    assert len(ids) == len(set(ids)) > 100
    assert pages[1].previous is not None
    assert client.predictions.list(pages[1].previous).results == pages[0].results


def test_deployments(client: replicate.Client, pushed: Pushed):
    wanted = {"model": "local/empty", "version": pushed("empty"), "hardware": "cpu"}
    made = client.deployments.create(name="local/python1", min_instances=0, max_instances=1, **wanted)
    assert (made.id, made.current_release.number) == ("local/python1", 1)
    assert client.deployments.get("local/python1").current_release.configuration.max_instances == 1
    assert made.id in [deployment.id for deployment in client.deployments.list()]
    prediction = made.predictions.create({"text": "waited for"}, wait=True)
    assert (prediction.status, prediction.output) == ("succeeded", "waited for")
    prediction = client.deployments.predictions.create("local/python1", {"text": "from afar"})
    prediction.wait()
    assert prediction.output == "from afar"
    assert prediction.version == made.current_release.version
    prediction = client.predictions.create(deployment="local/python1", input={"text": "by name"})
    prediction.wait()
    assert prediction.output == "by name"
    changed = client.deployments.update("local", "python1", max_instances=2)
    assert changed.current_release.number == 2
    assert changed.current_release.created_by.username == "local"
    with pytest.raises(ReplicateError) as error:
        client.deployments.delete("local", "python1")
    assert error.value.status == 409
    client.deployments.update("local", "python1", min_instances=0, max_instances=0)
    with pytest.raises(ReplicateError, match="is disabled"):
        made.predictions.create({"text": "refused"})
    assert client.deployments.delete("local", "python1")


def test_trainings(client: replicate.Client, pushed: Pushed):
    base = f"local/training:{pushed('training')}"
    name = f"learned-by-python1-{client._client.base_url.path.count('v1')}"
    destination = client.models.create("local", name, visibility="private", hardware="cpu")
    training = client.trainings.create(base, {"text": io.BytesIO(b"hi")}, f"local/{destination.name}")
    while training.status not in ("succeeded", "failed", "canceled"):
        training.reload()
    assert (training.status, training.error) == ("succeeded", None)
    assert client.run(training.output["version"], input={"text": "!"}) == "learned.txthi!"
    slow = client.trainings.create(
        version=base, input={"text": "data:,x", "pause_s": 60}, destination=f"local/{name}"
    )
    slow.cancel()
    assert client.trainings.get(slow.id).status == "canceled"
    assert {training.id, slow.id} <= {listed.id for listed in client.trainings.list()}
    with pytest.raises(ReplicateError, match="The specified training destination does not exist"):
        client.trainings.create(version=base, input={"text": "data:,x"}, destination="local/nothing")


def test_collections_search_examples_and_published_ids(
    client: replicate.Client, pushed: Pushed, server: StokerServer
):
    version = pushed("empty")
    stocked(server, version)
    assert client.hardware.list()[0].sku == "cpu"
    assert "images" in [collection.slug for collection in client.collections.list()]
    collection = client.collections.get("images")
    assert [f"{model.owner}/{model.name}" for model in collection.models or []] == ["local/empty"]
    assert [f"{m.owner}/{m.name}" for m in client.models.search(SOUGHT).results] == ["local/empty"]
    assert "empty" in [model.name for model in client.models.list()]
    example = client.models.get("local/empty").default_example
    assert example is not None
    assert (example.output, example.version) == ("kept", version)
    assert client.run(f"acme/empty:{PUBLISHED}", input={"text": "pinned"}) == "pinned"
    assert client.run("acme/empty", input={"text": "named"}) == "named"
    prediction = client.predictions.create(version=PUBLISHED, input={"text": "bare"})
    assert prediction.version == version


def test_async_run_stream_and_create(server: StokerServer, pushed: Pushed):
    empty, words = pushed("empty"), pushed("concatenate")

    async def story() -> None:
        client = replicate.Client(api_token=TOKEN, base_url=server.base_url)
        outputs = await asyncio.gather(
            *(client.async_run(f"local/empty:{empty}", input={"text": str(n)}) for n in range(5))
        )
        assert outputs == [str(n) for n in range(5)]
        stream = await client.async_stream(f"local/concatenate:{words}", input={"pieces": 3})
        assert "".join([str(event) async for event in stream]) == "Once upon a"
        prediction = await client.predictions.async_create(version=empty, input={"text": "a"})
        await prediction.async_wait()
        assert prediction.output == "a"
        await client._async_client.aclose()

    asyncio.run(story())
