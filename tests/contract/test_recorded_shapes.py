"""Our answers beside the recorded and documented ones of the real service, one test a record.

A record is found by its method, path, status and the beginning of its variant. One for which
``recorded_runs`` and ``recorded_things`` make no answer fails, and so does an answer without a record.
"""

import asyncio
import json
from pathlib import Path

import httpx
import pytest

from tests.contract import recorded_things  # noqa: F401  fills the table
from tests.contract.platform import platform
from tests.contract.recorded_makers import MAKERS, Record
from tests.contract.recorded_runs import CREATES_PER_MINUTE, draws
from tests.contract.shapes import RECORDINGS, Recordings
from tests.contract.story import WITHIN_S

NOT_OURS: dict[Record, str] = {
    ("*", "*", 402, ""): "no credit is asked for",
    ("POST", "/v1/predictions", 202, ""): "a wait that ran out is answered 201 as well (section 5.5)",
}
COMPARED = ("ratelimit-remaining", "ratelimit-reset", "preference-applied", "access-control-allow-origin")
"""Recorded headers that must be there; the others are informational or of the real service's own machines."""


def records() -> list[Record]:
    """All records, with as much of the variant as tells them apart."""
    if not RECORDINGS.exists():
        return []
    told = json.loads(RECORDINGS.read_text())
    found = told["recorded"] + told["documented_not_recorded"]
    return [(r["method"], r["path"], r["status"], r.get("variant", "").partition(",")[0]) for r in found]


def ours() -> list[Record]:
    return [record for record in records() if record not in NOT_OURS]


@pytest.mark.parametrize("record", ours(), ids=lambda record: " ".join(map(str, record)).strip())
def test_answer(record: Record, tmp_path: Path) -> None:
    async def play() -> None:
        limits = {"rate_limit_create_per_minute": CREATES_PER_MINUTE, "rate_limit_per_minute": 1000}
        async with platform(tmp_path / "data", account="alice", **limits) as p:
            p.dispatcher.script = draws
            check(await asyncio.wait_for(MAKERS[record](p), WITHIN_S), record)

    asyncio.run(play())


@pytest.mark.skipif(not RECORDINGS.exists(), reason="the recordings are not beside this checkout")
def test_every_maker_has_its_record() -> None:
    assert MAKERS.keys() | NOT_OURS.keys() == set(records())


def check(response: httpx.Response, record: Record) -> None:
    """The answer fits the record."""
    recordings = Recordings()
    recorded = recordings.answer(*record)
    assert response.status_code == record[2], response.text
    kinds = {text.partition(";")[0] for text in recorded["content_type"]}
    if kinds and "(the stored content type)" not in kinds:
        assert response.headers["content-type"].partition(";")[0] in kinds
    assert [n for n in COMPARED if n in recorded.get("headers", {}) and n not in response.headers] == []
    if "empty" in recorded.get("body_kind", []):
        assert response.content == b""
    if "body" in recorded:
        assert recordings.differences(response.json(), recorded["body"]) == []
