"""Examples: section 5.4, and our own endpoints to keep them."""

from typing import Any

from stoker.core.prediction import Prediction
from tests.contract.platform import FILE, START_US, Platform
from tests.contract.scripted import Run, never_ends
from tests.contract.story import story

OWN = "/stoker/models/alice/kite/examples"
SHOWN = "/models/alice/kite/examples"
FILE_INPUT = {"type": "object", "properties": {"image": {"type": "string", "format": "uri"}}}


async def kept(p: Platform, prediction: str, **more: Any) -> dict[str, Any]:
    response = await p.client.post(OWN, json={"prediction": prediction} | more)
    assert response.status_code == 201, response.text
    return response.json()


@story
async def test_the_first_is_the_default_and_another_can_be_chosen(p: Platform) -> None:
    version = await p.version("kite", visibility="public")
    first = await p.predict(version, {"text": "one"}, prefer="wait")
    second = await p.predict(version, {"text": "two"}, prefer="wait")
    assert await kept(p, first["id"]) == first
    await kept(p, second["id"])
    model = (await p.other.get("/models/alice/kite")).json()
    assert model["default_example"] == first
    assert (await p.client.get("/models")).json()["results"][0]["default_example"] == first
    page = (await p.other.get(SHOWN)).json()
    assert (page["next"], page["previous"]) == (None, None)
    assert page["results"] == [second, first]
    await kept(p, second["id"], default=True)
    assert (await p.client.get("/models/alice/kite")).json()["default_example"] == second
    dropped = await p.client.delete(f"{OWN}/{second['id']}")
    assert (dropped.status_code, dropped.content) == (204, b"")
    assert (await p.client.get("/models/alice/kite")).json()["default_example"] == first
    assert (await p.client.delete(f"{OWN}/{second['id']}")).status_code == 404


@story
async def test_what_cannot_be_kept_and_by_whom(p: Platform) -> None:
    version, other = await p.version("kite", visibility="public"), await p.version("other")
    body = {"version": version.id, "input": {}}
    theirs = (await p.other.post("/predictions", json=body, headers={"prefer": "wait"})).json()
    elsewhere = await p.predict(other, prefer="wait")
    mine = await p.predict(version, prefer="wait")
    p.dispatcher.script = never_ends
    running, _ = await p.running(version)
    for id, status in ((theirs["id"], 422), (elsewhere["id"], 422), ("none", 422), (running["id"], 409)):
        assert (await p.client.post(OWN, json={"prediction": id})).status_code == status
    assert (await p.client.post(OWN, json={})).status_code == 422
    assert (await p.other.post(OWN, json={"prediction": theirs["id"]})).status_code == 403
    await kept(p, mine["id"])
    assert (await p.other.delete(f"{OWN}/{mine['id']}")).status_code == 403
    hidden = "/models/alice/other/examples"
    assert (await p.other.get(hidden)).status_code == 404
    assert (await p.other.post(f"/stoker{hidden}", json={"prediction": theirs["id"]})).status_code == 404


@story
async def test_files_of_examples_stay_and_have_fresh_links(p: Platform) -> None:
    async def draws(run: Run) -> None:
        await run.start()
        run.emit(run.input["image"], item=False)
        await run.end()

    p.dispatcher.script = draws
    version = await p.version("kite", input=FILE_INPUT, output=FILE, visibility="public")
    made = await p.predict(version, {"image": "data:text/plain,hello"}, prefer="wait")
    link = made["output"]
    assert (await p.anonymous.get(link)).text == "hello"
    await kept(p, made["id"])
    for _ in range(3):
        p.clock.advance(40 * 24 * 3600)
        now_us = p.clock.now_us()
        assert await p.store.files.expire(now_us) == 0
        assert await p.store.predictions.remove_data("alice", now_us) == []
    (shown,) = (await p.other.get(SHOWN)).json()["results"]
    assert shown["output"] != link
    own = (await p.client.get(f"/predictions/{made['id']}")).json()
    assert (own["output"], own["data_removed"]) == (link, False)
    for working in (link, own["input"]["image"], shown["output"], shown["input"]["image"]):
        assert (await p.anonymous.get(working)).text == "hello"
    model = (await p.client.get("/models/alice/kite")).json()
    assert model["default_example"] == shown
    await p.client.delete(f"{OWN}/{made['id']}")
    assert (await p.anonymous.get(link)).status_code == 404
    assert await p.store.files.expire(p.clock.now_us()) == 1
    assert await p.store.predictions.remove_data("alice", p.clock.now_us()) == [made["id"]]


@story
async def test_an_uploaded_input_is_shown_by_its_bytes(p: Platform) -> None:
    version = await p.version("kite", input=FILE_INPUT, visibility="public")
    upload = (await p.client.post("/files", files={"content": ("a b.txt", b"up", "text/plain")})).json()
    made = await p.predict(version, {"image": upload["urls"]["get"]}, prefer="wait")
    await kept(p, made["id"])
    (shown,) = (await p.other.get(SHOWN)).json()["results"]
    assert (await p.anonymous.get(shown["input"]["image"])).text == "up"


@story
async def test_an_example_cannot_open_files_of_others(p: Platform) -> None:
    """Whatever a model writes into its output, only its account's files get fresh links."""
    secret = (await p.other.post("/files", files={"content": ("s.txt", b"secret", "text/plain")})).json()

    async def forges(run: Run) -> None:
        await run.start()
        run.emit([f"{p.base}/delivery/{secret['id']}/1-x/s.txt", secret["urls"]["get"]], item=False)
        await run.end()

    p.dispatcher.script = forges
    version = await p.version("kite", visibility="public")
    made = await p.predict(version, prefer="wait")
    shown = await kept(p, made["id"])
    assert shown["output"] == made["output"]


@story
async def test_a_webhook_is_nobody_elses_business(p: Platform) -> None:
    version = await p.version("kite", visibility="public")
    body = {"version": version.id, "input": {}, "webhook": "https://example.com/secret-path"}
    made = (await p.client.post("/predictions", json=body, headers={"prefer": "wait"})).json()
    assert made["webhook"]
    assert (await kept(p, made["id"]))["webhook"] is None
    assert "secret-path" not in (await p.other.get("/models/alice/kite")).text


@story
async def test_list_pages(p: Platform) -> None:
    version = await p.version("kite", visibility="public")
    ids = [(await p.predict(version, prefer="wait"))["id"] for _ in range(30)]
    for id in ids:
        await kept(p, id)
    first = (await p.client.get(SHOWN)).json()
    second = (await p.client.get(first["next"])).json()
    assert [e["id"] for page in (first, second) for e in page["results"]] == ids[::-1]
    assert (len(first["results"]), second["next"]) == (25, None)


def test_a_prediction_whose_output_is_no_json_object_is_shown_as_it_is() -> None:
    from stoker.core.examples import Example, shown
    from stoker.core.links import Links

    prediction = Prediction(
        id="p", account="a", model="a/b", version="v", created_us=START_US, stream_key="k", output=None
    )
    example = Example(prediction=prediction, kept_us=1, files={"f": "n"})
    assert shown(example, Links("http://x", b"k"), now_us=START_US) == prediction
