"""meta/meta-llama-3.1-...-instruct on a real server with a tiny checkpoint, asked by the published client."""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
import replicate

from tests.catalog.conftest import Added
from tests.catalog.things import MODELS
from tests.scenarios import api
from tests.scenarios.machine import until
from tests.servers import TOKEN, StokerServer

NAME = "meta/meta-llama-3.1-70b-instruct"
SURFACES = Path(__file__).parents[2] / "../shared/reference/model-surfaces.json"
GREEDY = {"temperature": 0}
PROMPTS = [
    "",
    "Hi",
    "Explain gradient descent in 3 sentences.",
    "word " * 60,
    "Ein längerer Text, in dem auch Zeichen wie 漢字 und 🙂 stehen. " * 5,
]


@pytest.fixture(scope="module")
def version(added: Added) -> str:
    return added("llama", NAME)


@pytest.fixture(scope="module")
def stock(server: StokerServer, version: str) -> Iterator[replicate.Client]:
    made = replicate.Client(api_token=TOKEN, base_url=server.base_url)
    connections = made._client  # made at first use: here, or threads would each make one of their own
    yield made
    connections.close()


@pytest.fixture
def client(server: StokerServer) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


@pytest.fixture(scope="module")
def observed(added: Added, changed: Callable[..., Path]) -> str:
    """The model with a window in it; see ``observed``."""
    name = "local/observed-llama"
    return added("llama", name, catalogue=changed("llama", name, Path(__file__).parent / "observed.py"))


def ask(stock: replicate.Client, prompt: str, **given: Any) -> str:
    return "".join(stock.run(NAME, input={"prompt": prompt, "max_tokens": 24} | given))


def test_the_surface_is_the_published_one(client: httpx.Client, version: str) -> None:
    published = json.loads(SURFACES.read_text())[NAME]
    schemas = client.get(f"/v1/models/{NAME}/versions/{version}").json()["openapi_schema"]["components"][
        "schemas"
    ]
    ours = schemas["Input"]["properties"]
    for name, wanted in published["input"].items():
        assert ours[name]["type"] == wanted["type"], name
        assert ours[name].get("default") == wanted.get("default"), name
        assert not {"minimum", "maximum", "enum"} & set(ours[name]), name
        assert ours[name]["description"], name
    assert set(ours) - set(published["input"]) == {"messages", "replicate_weights"}
    assert not schemas["Input"].get("required")
    assert {key: value for key, value in schemas["Output"].items() if key != "title"} == published["output"]


def test_text_is_streamed_as_it_is_made(client: httpx.Client, version: str) -> None:
    created = api.create(client, version, {"prompt": "Hi", "max_tokens": 40, "min_tokens": 40, "seed": 1})
    events = api.events(client, created["urls"]["stream"])
    ended = api.ended(client, created["id"])
    assert ended["status"] == "succeeded"
    pieces = [event["data"] for event in events if event["event"] == "output"]
    assert len(pieces) > 20
    assert "".join(pieces) == "".join(ended["output"])
    assert len(ended["output"]) > 20


def test_what_it_took_is_recorded(client: httpx.Client, version: str) -> None:
    metrics = api.run(client, version, {"prompt": "Hi", "max_tokens": 17, "min_tokens": 17})["metrics"]
    assert metrics["output_token_count"] == 17
    assert metrics["input_token_count"] > 10
    assert metrics["tokens_per_second"] > 0
    assert 0 < metrics["time_to_first_token"] <= metrics["predict_time"]
    assert metrics["finish_reason"] == "length"


def test_many_at_once_get_what_each_gets_alone(stock: replicate.Client) -> None:
    asked = [(prompt, 5 + 9 * number) for number in range(6) for prompt in PROMPTS]
    alone = [ask(stock, prompt, max_tokens=most, **GREEDY) for prompt, most in asked]
    with ThreadPoolExecutor(12) as threads:
        together = list(threads.map(lambda one: ask(stock, one[0], max_tokens=one[1], **GREEDY), asked))
    assert together == alone
    assert len(set(alone)) > len(PROMPTS)


def test_a_seed_gives_the_same_answer_and_another_another(stock: replicate.Client) -> None:
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda seed: ask(stock, "Hi", seed=seed, temperature=1), [1, 2, 1, 3]))
    assert found[0] == found[2]
    assert len(set(found)) == 3


def test_a_stop_sequence_ends_the_answer_and_is_not_shown(stock: replicate.Client) -> None:
    whole = ask(stock, "Hi", seed=4, max_tokens=60, min_tokens=60)
    # One that lies across the pieces that the answer came in, and one that never comes.
    stop = whole[len(whole) // 2 : len(whole) // 2 + 6].replace(",", "")
    if stop not in whole:
        stop = max(whole.split(","), key=len)[:6]
    cut = ask(stock, "Hi", seed=4, max_tokens=60, min_tokens=60, stop_sequences=f"never there,{stop}")
    assert cut == whole[: whole.index(stop)]
    assert len(cut) < len(whole)


def test_an_end_at_the_last_token_is_an_end_all_the_same(client: httpx.Client, version: str) -> None:
    given = {"prompt": "Hi", "seed": 4, "min_tokens": 60}
    whole = "".join(api.run(client, version, given | {"max_tokens": 60})["output"])
    stop = max(whole.split(","), key=len)[:6]
    stopped = {"stop_sequences": stop, "max_tokens": 60}
    taken = api.run(client, version, given | stopped)["metrics"]["output_token_count"]
    ended = api.run(client, version, given | stopped | {"max_tokens": taken})["metrics"]
    assert ended["output_token_count"] == taken < 60
    assert ended["finish_reason"] == "stop"


def test_the_older_name_of_max_tokens(client: httpx.Client, version: str) -> None:
    given = {"prompt": "Hi", "min_tokens": 40, "max_new_tokens": 7}
    assert api.run(client, version, given)["metrics"]["output_token_count"] == 7


def test_a_conversation_instead_of_a_prompt(stock: replicate.Client) -> None:
    said = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    by_messages = ask(stock, "not used", messages=json.dumps(said), **GREEDY)
    assert by_messages == ask(stock, "Hi", system_prompt="Be brief.", **GREEDY)
    assert by_messages != ask(stock, "Hi", system_prompt="Be long.", **GREEDY)


def test_an_answer_ends_where_the_context_does(client: httpx.Client, version: str) -> None:
    ended = api.run(client, version, {"prompt": "Hi", "max_tokens": 100_000, "min_tokens": 100_000})
    assert ended["status"] == "succeeded"
    assert ended["metrics"]["input_token_count"] + ended["metrics"]["output_token_count"] == 1024
    assert ended["metrics"]["finish_reason"] == "length"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"prompt": "word " * 3000}, "this model takes at most 1023"),
        ({"prompt": "Hi", "temperature": -1}, "temperature must be 0 or more, not -1"),
        ({"prompt": "Hi", "top_p": 0}, "top_p must be above 0 and at most 1, not 0"),
        ({"prompt": "Hi", "max_tokens": 0}, "max_tokens must be 1 or more, not 0"),
        ({"prompt": "Hi", "prompt_template": "{nothing}"}, "prompt_template has no {prompt}"),
        ({"messages": "[{]"}, "messages is not JSON"),
    ],
)
def test_a_wrong_request_fails_alone(
    client: httpx.Client, version: str, given: dict[str, Any], words: str
) -> None:
    neighbour = api.create(client, version, {"prompt": "Hi", "max_tokens": 200, "min_tokens": 200, **GREEDY})
    wrong = api.run(client, version, given)
    assert wrong["status"] == "failed"
    assert words in wrong["error"]
    assert api.ended(client, neighbour["id"])["metrics"]["output_token_count"] == 200


def test_a_prompt_too_long_names_both_numbers(client: httpx.Client, version: str) -> None:
    def tokens(prompt: str) -> int:
        return api.run(client, version, {"prompt": prompt, "max_tokens": 1})["metrics"]["input_token_count"]

    # Each hundred more of a word are the same number of tokens more.
    hundred = tokens("word " * 100)
    long = hundred + 29 * (tokens("word " * 200) - hundred)
    error = api.run(client, version, {"prompt": "word " * 3000})["error"]
    assert error == f"The prompt is too long: it has {long} tokens, and this model takes at most 1023."


def test_a_cancelled_or_abandoned_answer_leaves_the_batch(client: httpx.Client, observed: str) -> None:
    first = api.create(client, observed, {"prompt": "Hi", "max_tokens": 900})
    second = api.create(client, observed, {"prompt": "Ho", "max_tokens": 900})

    def running() -> str:
        return "".join(api.run(client, observed, {"prompt": "!running"})["output"])

    for created in (first, second):
        api.when(client, created["id"], lambda prediction: prediction["output"])
    assert running() == "2"
    client.post(f"/v1/predictions/{first['id']}/cancel")
    canceled = api.ended(client, first["id"])
    assert canceled["status"] == "canceled"
    assert 0 < canceled["metrics"]["output_token_count"] < 900
    until(lambda: running() == "1", "the step that was under way is over, and the next one is without it")
    assert api.get(client, second["id"])["status"] == "processing"
    client.post(f"/v1/predictions/{second['id']}/cancel")
    assert api.ended(client, second["id"])["metrics"]["output_token_count"] < 900
    until(lambda: running() == "0", "nothing runs")


def test_when_the_loop_fails_all_are_told_and_the_instance_is_replaced(
    client: httpx.Client, observed: str
) -> None:
    running = api.create(client, observed, {"prompt": "Hi", "max_tokens": 900})
    api.when(client, running["id"], lambda prediction: prediction["output"])
    fatal = api.run(client, observed, {"prompt": "!fail", "max_tokens": 9})
    for ended in (fatal, api.ended(client, running["id"])):
        assert ended["status"] == "failed"
        assert "'NoneType' object is not callable" in ended["error"]
    # The instance is found unhealthy at the next look; until then it says what is wrong.
    well = api.run(client, observed, {"prompt": "Hi", "max_tokens": 9})
    for _ in range(10_000):
        if well["status"] == "succeeded":
            break
        assert "generation loop has ended" in well["error"]
        well = api.run(client, observed, {"prompt": "Hi", "max_tokens": 9})
    assert well["metrics"]["output_token_count"] == 9


def test_without_weights_it_says_what_to_do(server: StokerServer, client: httpx.Client) -> None:
    version = server.push(MODELS / "llama", "local/llama-without-weights")
    ended = api.run(client, version, {"prompt": "Hi"})
    assert ended["status"] == "failed"
    assert "stoker catalog add NAME --weights" in ended["error"]


def test_thirty_clients_at_the_same_time(stock: replicate.Client) -> None:
    barrier = threading.Barrier(30)

    def one(number: int) -> str:
        barrier.wait()
        return ask(stock, f"Question {number}", min_tokens=24, seed=number)

    with ThreadPoolExecutor(30) as threads:
        answers = list(threads.map(one, range(30)))
    assert all(answers)
    assert len(set(answers)) == 30
