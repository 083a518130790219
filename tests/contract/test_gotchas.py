"""Appendix B of the contract: every gotcha has a test that names its number; those that are nowhere else.

A test names a number in its own name (``test_gotcha_7_...``, ``test_gotchas_13_to_15_...``) or at the
beginning of its docstring (``Gotcha 7: ...``). ``test_each_number_has_a_test`` fails for one without.
"""

import ast
import logging
import re
from collections.abc import Awaitable, Callable, Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from stoker.core.prediction import Status
from tests.contract.platform import TOKEN, TOKENS, Platform
from tests.contract.scripted import Run
from tests.contract.story import story, story_with
from tests.contract.test_delivery import stored
from tests.contract.test_streams import read

TESTS = Path(__file__).parents[1]
REFERENCE = TESTS.parents[1] / "shared" / "reference" / "replicate-http-api.md"
NUMBERS = range(1, 39)

NAMED = re.compile(r"gotchas?[_ ]((?:\d+(?:_and_|_to_| and | to |, )?)+)", re.IGNORECASE)


def numbers(text: str) -> Iterator[int]:
    """The gotchas that a test's name or the beginning of its docstring names."""
    for named in NAMED.findall(text):
        parts = re.split(r"[^\da-z]+|_", named)
        for before, part, after in zip(["", *parts], parts, [*parts[1:], ""], strict=False):
            if part == "to":
                yield from range(int(before) + 1, int(after))
            elif part.isdigit():
                yield int(part)


@cache
def covered_by() -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for path in sorted(TESTS.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                begins = (ast.get_docstring(node) or "").partition(":")[0].partition(".")[0]
                text = f"{node.name} " + (begins if begins.startswith("Gotcha") else "")
                for number in numbers(text):
                    found.setdefault(number, []).append(f"{path.name}::{node.name}")
    return found


@pytest.mark.parametrize("number", NUMBERS)
def test_each_number_has_a_test(number: int) -> None:
    assert covered_by().get(number), f"no test names gotcha {number}"


def test_numbers_are_read_from_names_and_docstrings() -> None:
    assert list(numbers("test_gotchas_13_to_15_versions")) == [13, 14, 15]
    assert list(numbers("test_gotcha_4_error_is_null_and_gotcha_34_times")) == [4, 34]
    assert list(numbers("Gotchas 17 and 18")) == [17, 18]


@pytest.mark.skipif(not REFERENCE.exists(), reason="the reference is not beside this checkout")
def test_there_are_no_other_numbers() -> None:
    appendix = REFERENCE.read_text().partition("## Appendix B")[2].partition("## Appendix C")[0]
    assert [int(number) for number in re.findall(r"^(\d+)\. ", appendix, re.MULTILINE)] == list(NUMBERS)
    assert covered_by().keys() == set(NUMBERS)


def test_gotcha_5_the_statuses_are_those_that_every_client_knows() -> None:
    known = {"starting", "processing", "succeeded", "failed", "canceled"}
    assert {status.value for status in Status} == known


async def fails(run: Run) -> None:
    await run.start()
    run.log("a line of the log\n")
    run.emit("half", " an answer")
    await run.end(Status.FAILED, "out of ink")


@story
async def test_gotcha_6_every_event_has_an_id_and_a_name_that_clients_know(p: Platform) -> None:
    p.dispatcher.script = fails
    made = await p.predict(await p.version("talk", output=TOKENS), prefer="wait")
    text = (await p.anonymous.get(made["urls"]["stream"])).text
    comment, *events = text.removesuffix("\n\n").split("\n\n")
    assert comment == ": hi"
    assert [event.partition("\n")[0] for event in events] == [
        "event: output",
        "event: output",
        "event: error",
        "event: done",
    ]
    assert all(re.search(r"^id: \d+:\d+$", event, re.MULTILINE) for event in events)


@story
async def test_gotcha_9_pieces_that_look_like_files_go_out_as_they_came(p: Platform) -> None:
    """Each an event of its own: merged with what follows they would be files for the Python client."""
    pieces = ["see ", "https:", "//example.com", " or ", "data:", ",x"]

    async def talks(run: Run) -> None:
        await run.start()
        run.emit(*pieces)
        await run.end()

    p.dispatcher.script = talks
    made = await p.predict(await p.version("talk", output=TOKENS), prefer="wait")
    assert made["output"] == pieces
    events = await read(p, made["urls"]["stream"])
    assert [event.data for event in events if event.name == "output"] == pieces


@story_with(account="alice")
async def test_gotcha_13_what_runs_lists_its_versions_under_each_of_its_names(p: Platform) -> None:
    """Python 2's ``use`` takes a model whose list is empty, or a 404, for an official one."""
    mine = await p.version("kite")
    theirs = await p.version("sketch", owner="bob", visibility="public")
    aliases = {"aliases": [{"model": "acme/kite", "id": "f" * 64}]}
    await p.client.put(f"/stoker/models/alice/kite/versions/{mine.id}/aliases", json=aliases)
    removed = await p.version("kite")
    assert (await p.client.delete(f"/models/alice/kite/versions/{removed.id}")).status_code == 202
    for ref, version in (
        ("alice/kite", mine),
        ("Alice/KITE", mine),
        ("acme/kite", mine),
        ("bob/sketch", theirs),
    ):
        listed = await p.client.get(f"/models/{ref}/versions")
        assert [one["id"] for one in listed.json()["results"]] == [version.id], ref
        latest = (await p.client.get(f"/models/{ref}")).json()["latest_version"]
        assert latest == listed.json()["results"][0]
        made = await p.client.post("/predictions", json={"version": latest["id"], "input": {}})
        assert (made.status_code, made.json()["version"]) == (201, version.id)


@story
async def test_gotcha_13_a_model_with_nothing_to_run_has_an_empty_list_and_says_so(p: Platform) -> None:
    """So ``use`` posts to the model, and what it is told is why nothing runs."""
    await p.model("bare")
    assert (await p.client.get("/models/alice/bare/versions")).json()["results"] == []
    refused = await p.client.post("/models/alice/bare/predictions", json={"input": {}})
    assert (refused.status_code, refused.json()["detail"]) == (422, "alice/bare has no version yet.")


@story_with(account="alice")
async def test_gotcha_15_run_counts_are_integers_wherever_a_model_is_shown(p: Platform) -> None:
    new = {"owner": "alice", "name": "kite", "visibility": "public", "hardware": "cpu"}
    shown = [(await p.client.post("/models", json=new)).json()]
    version = await p.version("kite")
    collection = {"slug": "all", "name": "All"}
    await p.client.post("/stoker/collections", json=collection)
    await p.client.put("/stoker/collections/all/models/alice/kite")
    for _ in range(2):
        shown.append((await p.client.get("/models/alice/kite")).json())
        shown.append((await p.client.patch("/models/alice/kite", json={"description": "Flies"})).json())
        shown += (await p.client.get("/models")).json()["results"]
        shown += (await p.client.request("QUERY", "/models", content=b"kite")).json()["results"]
        shown += [hit["model"] for hit in (await p.client.get("/search?query=kite")).json()["models"]]
        shown += (await p.client.get("/collections/all")).json()["models"]
        await p.predict(version, prefer="wait")
    counts = [model["run_count"] for model in shown]
    assert counts == [0] * 7 + [1] * 6
    assert {type(count) for count in counts} == {int}


@story
async def test_gotcha_29_a_token_is_not_looked_at_nor_logged_where_none_is_needed(p: Platform) -> None:
    said: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(self.format(record))

    root, listener = logging.getLogger(), Listener()
    before = root.level
    root.addHandler(listener)
    root.setLevel(logging.DEBUG)
    try:
        made = await p.predict(await p.version("talk", output=TOKENS), prefer="wait")
        for url in (made["urls"]["stream"], await stored(p)):
            for text in (TOKEN, "r8_" + "w" * 37):
                answer = await p.anonymous.get(url, headers={"authorization": f"Bearer {text}"})
                assert answer.status_code == 200
                assert text not in answer.text
    finally:
        root.setLevel(before)
        root.removeHandler(listener)
    ours = [line for line in said if "r8_" in line]
    assert ours == []


@story_with(rate_limit_create_per_minute=3, rate_limit_per_minute=5)
async def test_gotcha_33_polling_reads_little_and_has_a_limit_of_its_own(p: Platform) -> None:
    version = await p.version("talk", output=TOKENS)
    running, _ = await p.running(version)
    over, run = await p.running(version)
    await run.end()
    run.stopped.set()
    await p.client.get(f"/predictions/{over['id']}")
    reads = counted_reads(p)
    for made, reads_each in ((running, 0), (over, 1)):
        del reads[:]
        for _ in range(20):
            answer = await p.client.get(f"/predictions/{made['id']}")
            assert answer.status_code == 200
        assert len(reads) == 20 * reads_each
    assert (await p.client.get("/account")).headers["ratelimit-remaining"] == "4"


def counted_reads(p: Platform) -> list[str]:
    """Notes every read of the database from now on."""
    reads: list[str] = []

    def counted(read: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        def noted(work: Callable[..., Any], *args: Any) -> Awaitable[Any]:
            reads.append(work.__name__)
            return read(work, *args)

        return noted

    for part in vars(p.store).values():
        if hasattr(part, "_read"):
            part._read = counted(part._read)
    return reads


@story
async def test_gotchas_35_and_37_output_and_logs_only_grow(p: Platform) -> None:
    made, run = await p.running(await p.version("talk", output=TOKENS))
    logs, outputs = [""], [list[str]()]
    for n in range(5):
        run.log(f"step {n}\n")
        run.emit(f"piece {n}")
        now = (await p.client.get(f"/predictions/{made['id']}")).json()
        logs.append(now["logs"])
        outputs.append(now["output"])
    await run.end()
    run.stopped.set()
    done = (await p.client.get(f"/predictions/{made['id']}")).json()
    for before, after in pairwise([*logs, done["logs"]]):
        assert after.startswith(before)
    for before, after in pairwise([*outputs, done["output"]]):
        assert after[: len(before)] == before
    assert len(set(logs)) == 6
    assert done["output"] == [f"piece {n}" for n in range(5)]


@story
async def test_gotcha_35_what_does_not_iterate_has_no_output_before_its_end(p: Platform) -> None:
    made, run = await p.running(await p.version("draw"))
    assert (await p.client.get(f"/predictions/{made['id']}")).json()["output"] is None
    run.emit("whole", item=False)
    now = (await p.client.get(f"/predictions/{made['id']}")).json()
    assert (now["status"], now["output"]) == ("processing", None)
    (listed,) = (await p.client.get("/predictions")).json()["results"]
    assert listed["output"] is None
    await run.end()
    run.stopped.set()
    assert (await p.client.get(f"/predictions/{made['id']}")).json()["output"] == "whole"
