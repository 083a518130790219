"""Many adapters beside one Llama in one process: each request's own, whatever else is in the batch."""

import io
import json
import tarfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.catalog.conftest import Added, Tiny
from tests.catalog.things import Lab
from tests.scenarios import api
from tests.scenarios.machine import until
from tests.servers import StokerServer

NAME = "meta/meta-llama-3.1-70b-instruct"
CONFIG, TENSORS = "adapter_config.json", "adapter_model.safetensors"
PAGE_TOKENS = 16


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    lab = Lab("llama", "llama_adapters_lab", tmp_path_factory.mktemp("lab") / "log")
    yield lab
    lab.close()


@pytest.fixture(scope="module")
def checkpoint(tiny: Tiny) -> str:
    return str(tiny("llama"))


@pytest.fixture(scope="module")
def adapters(lab: Lab, checkpoint: str, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Three of different sizes, beside different layers."""
    folder = tmp_path_factory.mktemp("adapters")
    kinds: list[dict[str, Any]] = [
        {"rank": 4},
        {"rank": 2, "targets": ["q_proj", "v_proj"]},
        {"rank": 9, "targets": ["k_proj", "o_proj", "down_proj"]},
    ]
    paths = [str(folder / f"{number}.tar") for number in range(len(kinds))]
    for seed, (path, kind) in enumerate(zip(paths, kinds, strict=True)):
        lab("write_adapter", checkpoint=checkpoint, path=path, seed=seed, **kind)
    return paths


@pytest.fixture(scope="module")
def base(added: Added) -> str:
    return added("llama", NAME)


@pytest.fixture
def client(server: StokerServer) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


def upload(client: httpx.Client, content: bytes) -> str:
    """A link to the bytes, as a caller may give one."""
    file = client.post("/v1/files", files={"content": ("weights.tar", content, "application/x-tar")}).json()
    return str(file["urls"]["get"])


def says(client: httpx.Client, version: str, **input: Any) -> str:
    ended = api.run(client, version, {"max_tokens": 20, "temperature": 0, **input})
    assert ended["status"] == "succeeded", ended["error"]
    return "".join(ended["output"])


def tar_of(files: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return content.getvalue()


def files_of(path: str) -> dict[str, bytes]:
    with tarfile.open(path) as tar:
        return {member.name: file.read() for member in tar if (file := tar.extractfile(member))}


def with_config(path: str, **changes: Any) -> bytes:
    files = files_of(path)
    return tar_of(files | {CONFIG: json.dumps(json.loads(files[CONFIG]) | changes).encode()})


@pytest.mark.parametrize(
    ("batch_tokens", "pages"),
    [
        pytest.param(32, 512, id="small steps"),
        pytest.param(256, 512, id="large steps"),
        pytest.param(32, 26, id="some begin again, since the cache cannot hold all"),
    ],
)
def test_each_in_a_mixed_batch_gets_what_it_gets_alone(
    lab: Lab, checkpoint: str, adapters: list[str], batch_tokens: int, pages: int
) -> None:
    found = lab(
        "mixed",
        checkpoint=checkpoint,
        adapters=adapters,
        count=16,
        batch_tokens=batch_tokens,
        pages=pages,
    )
    assert {which for which, _, _ in found} == {0, 1, 2, 3}
    for _, together, alone in found:
        assert together == alone


def test_pages_are_shared_with_the_same_adapter_only(lab: Lab, checkpoint: str, adapters: list[str]) -> None:
    first, second, _ = adapters
    order = [first, second, None, first, None, second]
    found = lab("in_turn", checkpoint=checkpoint, order=order)
    assert found["made"] == found["right"]
    assert len({tuple(made) for made in found["right"]}) == 3, "the prompt is the same, the answers are not"
    assert found["shared"] == [0, 0, 0, *[5 * PAGE_TOKENS] * 3]


@pytest.mark.parametrize("each", [4, 40])
def test_only_the_tokens_of_an_adapter_change(
    lab: Lab, checkpoint: str, adapters: list[str], each: int
) -> None:
    """The third is not beside this layer. Small steps and large ones are computed differently."""
    found = lab("beside", checkpoint=checkpoint, adapters=adapters[:2], each=each, tokens=5 * each)
    assert found["far"] < 1e-4 < 0.1 < found["changed"]
    assert found["plain"], "others have what they have without any adapter, to the last bit"
    assert found["after"]
    assert found["hooks"] == 0, "where nobody has an adapter, nothing is done"
    assert not found["copied"], "a request that begins again is copied, its adapter is not"


def test_the_one_used_longest_ago_goes_first(lab: Lab, checkpoint: str, adapters: list[str]) -> None:
    a, b, c = adapters
    assert lab("kept", checkpoint=checkpoint, order=[a, b, a, c, a, b], most=2) == [
        "0.tar",
        "1.tar",
        "2.tar",
        "1.tar",
    ]
    # One that is in use stays, though the others were used later.
    used = lab("kept", checkpoint=checkpoint, order=[b, c, b, a], held=a, most=2)
    assert used == ["0.tar", "1.tar", "2.tar", "1.tar"]


def test_many_who_want_the_same_load_it_once(
    lab: Lab, checkpoint: str, adapters: list[str], tmp_path: Path
) -> None:
    found = lab("loaded_once", checkpoint=checkpoint, weights=adapters[0], folder=str(tmp_path), count=5)
    assert found == {"read": 1, "adapters": 1}


def test_who_finds_no_place_waits_and_is_not_overtaken(
    lab: Lab, checkpoint: str, adapters: list[str]
) -> None:
    waited = lab("waiting", checkpoint=checkpoint, first=adapters[0], second=adapters[1], cancels=False)
    assert waited == ["first is done", "second", "first again"]
    left = lab("waiting", checkpoint=checkpoint, first=adapters[0], second=adapters[1], cancels=True)
    assert left == ["first again", "first is done"], "nobody waits any more, so the first may be used"


def test_a_large_one_takes_more_places(
    lab: Lab, checkpoint: str, adapters: list[str], tmp_path: Path
) -> None:
    large = str(tmp_path / "large.tar")
    lab("write_adapter", checkpoint=checkpoint, path=large, seed=9, rank=33)
    a, b, _ = adapters
    assert lab("refused", checkpoint=checkpoint, weights=[large], most=2) == [
        "The adapter is too large: it takes 3 places for adapters, and this model has 2 (LLAMA_ADAPTERS,"
        " or what memory allows)."
    ]
    order = [a, b, large, a]
    assert len(lab("kept", checkpoint=checkpoint, order=order, most=3)) == 4, "all others had to go"
    assert len(lab("kept", checkpoint=checkpoint, order=order, most=5)) == 3


def test_what_cannot_be_served_is_said(
    lab: Lab, checkpoint: str, adapters: list[str], tmp_path: Path
) -> None:
    wrong = {
        "no tar": (b"no tar", "The weights are no adapter of a training, or incomplete: "),
        "cut": (
            Path(adapters[0]).read_bytes()[:2000],
            "The weights are no adapter of a training, or incomplete",
        ),
        "packed": (b"\x1f\x8b\x08" + bytes(40), "The weights are no adapter of a training, or incomplete: "),
        "empty": (tar_of({}), f"The weights are no adapter of a training: the tar has no {CONFIG}."),
        "dora": (with_config(adapters[0], use_dora=True), "does not serve (use_dora); plain LoRA is."),
        "kind": (
            with_config(adapters[0], peft_type="IA3"),
            "does not serve (IA3, bias none); plain LoRA is.",
        ),
        "rank": (with_config(adapters[0], r="many"), "r must be a whole number of 1 or more, not 'many'."),
        "alpha": (with_config(adapters[0], lora_alpha=None), "lora_alpha must be a number, not None."),
        "other": (with_config(adapters[0], target_modules=["q_proj"]), "The adapter is of another base: "),
        "nothing": (
            with_config(adapters[0], target_modules=["x_proj"]),
            "The adapter is of another base: ",
        ),
        "list": (tar_of(files_of(adapters[0]) | {CONFIG: b"[]"}), f"{CONFIG} must be a JSON object."),
        "large": (
            tar_of({CONFIG: b"{}", TENSORS: bytes(10_000_000)}),
            "The adapter is too large: adapter_model.safetensors has more than ",
        ),
    }
    for name, (content, _) in wrong.items():
        (tmp_path / name).write_bytes(content)
    lab("write_adapter", checkpoint=checkpoint, path=str(tmp_path / "infinite"), seed=1, strength=1e38)
    paths = [str(tmp_path / name) for name in [*wrong, "infinite"]]
    said = lab("refused", checkpoint=checkpoint, weights=paths, most=4)
    words = [*(words for _, words in wrong.values()), "it has values that are no numbers."]
    for found, expected in zip(said, words, strict=True):
        assert expected in found


def test_files_are_told_apart_by_their_content(lab: Lab, tmp_path: Path) -> None:
    assert lab("digests", folder=str(tmp_path)) == {
        "small told apart": True,
        "large remembered": True,
        "large changed": True,
    }


def test_another_manager_than_ours_is_refused_at_the_start(lab: Lab) -> None:
    assert "prepare_batch_tensors takes (batch) and not (requests_in_batch)" in lab("strange_manager")


def test_predictions_with_and_without_weights_share_an_instance(
    lab: Lab, checkpoint: str, client: httpx.Client, base: str, adapters: list[str]
) -> None:
    wanted = lab("answers", checkpoint=checkpoint, adapters=[None, *adapters], prompt="Hi", most=20)
    links = [upload(client, Path(path).read_bytes()) for path in adapters]
    inputs: list[dict[str, Any]] = [{}, *({"replicate_weights": link} for link in links)]
    asked = {"prompt": "Hi", "system_prompt": ""}
    alone = [says(client, base, **asked, **one) for one in inputs]
    assert alone == wanted
    assert len(set(alone)) == 4
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(lambda one: says(client, base, **asked, **one), inputs * 2))
    assert together == alone * 2


def test_bad_weights_fail_their_own_prediction_only(
    client: httpx.Client, base: str, adapters: list[str]
) -> None:
    given = {"prompt": "Hi", "max_tokens": 300, "min_tokens": 300, "temperature": 0}
    good = upload(client, Path(adapters[0]).read_bytes())
    neighbour = api.create(client, base, given | {"replicate_weights": good})
    for content, words in (
        (b"no tar", "The weights are no adapter of a training"),
        (with_config(adapters[0], target_modules=["q_proj"]), "The adapter is of another base"),
    ):
        wrong = api.run(client, base, given | {"replicate_weights": upload(client, content)})
        assert wrong["status"] == "failed"
        assert words in wrong["error"]
    assert api.ended(client, neighbour["id"])["metrics"]["output_token_count"] == 300


def test_a_cancelled_prediction_gives_its_place_back(
    client: httpx.Client, added: Added, changed: Callable[..., Path], adapters: list[str]
) -> None:
    name = "local/observed-llama"
    version = added("llama", name, catalogue=changed("llama", name, Path(__file__).parent / "observed.py"))

    def used() -> str:
        return "".join(api.run(client, version, {"prompt": "!adapters"})["output"])

    link = upload(client, Path(adapters[0]).read_bytes())
    running = api.create(client, version, {"prompt": "Hi", "max_tokens": 900, "replicate_weights": link})
    api.when(client, running["id"], lambda prediction: prediction["output"])
    assert used() == "1 of 1"
    client.post(f"/v1/predictions/{running['id']}/cancel")
    assert api.ended(client, running["id"])["status"] == "canceled"
    until(lambda: used() == "0 of 1", "nobody uses the adapter, which stays in memory")
