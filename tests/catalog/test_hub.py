"""Weights from a hub: what is taken, that a broken download goes on, and a sentence for each failure."""

import resource
import shutil
import ssl
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from stoker.core.errors import Invalid
from tests.catalog.depot import Depot, play
from tests.catalog.fake_hub import COMMIT, Hub, fake_hub
from tests.catalog.weights import safetensors

REPO = "acme/scale-v1"
WEIGHTS = "model.safetensors"


@pytest.fixture
def hub() -> Iterator[Hub]:
    with fake_hub() as running:
        running.repos[REPO] = {
            WEIGHTS: safetensors({"factor": [3], "more": [7] * 200_000}),
            "config.json": b"{}",
            "tokenizer/merges.txt": b"a b",
            "LICENSE.md": b"Yours",
        }
        yield running


def test_weights_and_what_describes_them_and_nothing_else(hub: Hub, tmp_path: Path) -> None:
    wanted = dict(hub.repos[REPO])
    hub.repos[REPO] |= {
        "pytorch_model.bin": b"pickled",
        "modeling.py": b"import os",
        "flax_model.msgpack": b"x",
        "model.fp16.safetensors": safetensors({"factor": [3]}),
        ".gitattributes": b"x",
        "../outside.json": b"{}",
    }

    async def story(depot: Depot) -> None:
        got = await depot.got(REPO, leave_out=("*.fp16.safetensors",))
        assert got.commit == COMMIT
        folder = await depot.shelf.place(got.id)
        found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
        assert {path: file.read_bytes() for path, file in found.items()} == wanted
        assert not any(file.stat().st_mode & 0o222 for file in found.values())
        assert got.size_bytes == sum(map(len, wanted.values()))

    play(tmp_path / "data", story, hub_url=hub.url)


def test_what_breaks_off_goes_on_where_it_ended(hub: Hub, tmp_path: Path) -> None:
    hub.cuts[WEIGHTS] = [500_000, 300_000, 0]

    async def story(depot: Depot) -> None:
        await depot.got(REPO)
        assert [one.start for one in hub.asked_for(WEIGHTS)] == [None, 500_000, 800_000, 800_000]

    play(tmp_path / "data", story, hub_url=hub.url)


def test_a_hub_without_ranges_is_asked_for_all_of_it_again(hub: Hub, tmp_path: Path) -> None:
    hub.cuts[WEIGHTS], hub.ranges = [500_000], False

    async def story(depot: Depot) -> None:
        got = await depot.got(REPO)
        assert ((await depot.shelf.place(got.id)) / WEIGHTS).read_bytes() == hub.repos[REPO][WEIGHTS]

    play(tmp_path / "data", story, hub_url=hub.url)


def test_what_never_comes_is_given_up_and_can_be_gone_on_with(hub: Hub, tmp_path: Path) -> None:
    hub.cuts[WEIGHTS] = [500_000, *[0] * 50]

    async def story(depot: Depot) -> None:
        refused = await depot.refused(REPO)
        assert f"The download of {WEIGHTS} broke off again and again" in refused
        assert "run the same again" in refused
        hub.cuts.clear()
        hub.asked.clear()
        await depot.got(REPO)
        assert [one.start for one in hub.asked_for(WEIGHTS)] == [500_000]

    play(tmp_path / "data", story, hub_url=hub.url)


@pytest.mark.parametrize("file", [WEIGHTS, "config.json"])
def test_other_bytes_than_announced_are_thrown_away(hub: Hub, tmp_path: Path, file: str) -> None:
    hub.damaged.add(file)

    async def story(depot: Depot) -> None:
        assert f"{file} has other bytes than the hub announced" in await depot.refused(REPO)
        hub.damaged.clear()
        await depot.got(REPO)

    play(tmp_path / "data", story, hub_url=hub.url)


def test_the_token_opens_what_is_gated_and_stays_with_the_hub(hub: Hub, tmp_path: Path) -> None:
    hub.gated.add(REPO)

    async def story(depot: Depot) -> None:
        await depot.got(REPO)
        elsewhere = [one for one in hub.asked if one.host.startswith("localhost")]
        assert elsewhere and not any(one.token for one in elsewhere)

    play(tmp_path / "data", story, hub_url=hub.url, token=hub.token)


@pytest.mark.parametrize(
    ("token", "words"),
    [
        (None, ["asks for a token", "HF_TOKEN", "accept its terms"]),
        ("hf_other", ["Accept the model's terms", "until access is granted"]),
    ],
)
def test_what_is_gated_says_how_to_get_it(
    hub: Hub, tmp_path: Path, token: str | None, words: list[str]
) -> None:
    hub.gated.add(REPO)

    async def story(depot: Depot) -> None:
        refused = await depot.refused(REPO)
        assert all(word in refused for word in (*words, f"{hub.url}/{REPO}")), refused

    play(tmp_path / "data", story, hub_url=hub.url, token=token)


def test_what_is_not_there(hub: Hub, tmp_path: Path) -> None:
    hub.private.add("acme/secret")
    hub.repos["acme/secret"] = hub.repos[REPO]

    async def with_token(depot: Depot) -> None:
        assert "There is no model acme/nothing" in await depot.refused("acme/nothing")
        assert f"{REPO} has no revision v9" in await depot.refused(REPO, revision="v9")
        await depot.got("acme/secret")

    async def without(depot: Depot) -> None:
        assert "does not exist, is private, or is gated" in await depot.refused("acme/secret")

    play(tmp_path / "data", with_token, hub_url=hub.url, token=hub.token)
    play(tmp_path / "other", without, hub_url=hub.url)


def test_a_hub_that_cannot_be_reached(tmp_path: Path) -> None:
    async def story(depot: Depot) -> None:
        refused = await depot.refused(REPO)
        assert (
            "http://127.0.0.1:9 cannot be reached from the server: 127.0.0.1:9: Connection refused."
            in refused
        )
        assert "HF_ENDPOINT" in refused and "--weights" in refused

    play(tmp_path / "data", story)


def test_a_hub_whose_certificate_is_not_trusted(tmp_path: Path) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(tls)

    async def story(depot: Depot) -> None:
        refused = await depot.refused(REPO)
        assert "CERTIFICATE_VERIFY_FAILED" in refused
        assert "not permitted" not in refused

    with fake_hub(tls) as hub:
        play(tmp_path / "data", story, hub_url=hub.url)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_hub_in_trouble(hub: Hub, tmp_path: Path, status: int) -> None:
    hub.failing = status

    async def story(depot: Depot) -> None:
        assert f"answered with status {status}" in await depot.refused(REPO)

    play(tmp_path / "data", story, hub_url=hub.url)


def test_weights_that_can_run_code_are_taken_only_when_told(hub: Hub, tmp_path: Path) -> None:
    del hub.repos[REPO][WEIGHTS]
    hub.repos[REPO]["pytorch_model.bin"] = b"pickled"

    async def story(depot: Depot) -> None:
        refused = await depot.refused(REPO)
        assert "only pytorch_model.bin" in refused and "--allow-pickle" in refused
        got = await depot.got(REPO, allow_pickle=True)
        assert "pytorch_model.bin" in {file.path for file in got.files}
        del hub.repos[REPO]["pytorch_model.bin"]
        assert "has no weights" in await depot.refused(REPO, allow_pickle=True, leave_out=("x",))

    play(tmp_path / "data", story, hub_url=hub.url)


def test_what_is_here_already_is_not_fetched_again(hub: Hub, tmp_path: Path) -> None:
    async def story(depot: Depot) -> None:
        first = await depot.got(REPO, revision=COMMIT)
        hub.asked.clear()
        by_branch = await depot.fetch(REPO)
        assert (by_branch.checkpoint, by_branch.cached) == (first.id, True)
        assert len(hub.asked) == 1  # to learn what the branch is
        hub.asked.clear()
        by_commit = await depot.fetch(REPO, revision=COMMIT)
        assert (by_commit.checkpoint, by_commit.cached) == (first.id, True)
        assert not hub.asked

    play(tmp_path / "data", story, hub_url=hub.url)


def test_several_repositories_become_folders_of_one_checkpoint(hub: Hub, tmp_path: Path) -> None:
    hub.repos["acme/second"] = {WEIGHTS: safetensors({"factor": [4]}), "config.json": b"{}"}

    async def story(depot: Depot) -> None:
        got = await depot.got(REPO, parts={"refiner": "acme/second"})
        place = await depot.shelf.place(got.id)
        assert (place / WEIGHTS).read_bytes() == hub.repos[REPO][WEIGHTS]
        assert (place / "refiner" / WEIGHTS).read_bytes() == hub.repos["acme/second"][WEIGHTS]
        part = await depot.got("acme/second")
        same = (await depot.shelf.place(part.id)) / WEIGHTS
        assert same.samefile(place / "refiner" / WEIGHTS)
        assert await depot.shelf.remove_unused({got.id}, older_than_s=-1) == 0
        again = await depot.fetch(REPO, parts={"refiner": "acme/second"})
        assert (again.checkpoint, again.cached) == (got.id, True)
        assert len(hub.asked_for(WEIGHTS)) == 2
        with pytest.raises(Invalid, match="no folder of a checkpoint"):
            await depot.fetch(REPO, parts={"../out": "acme/second"})

    play(tmp_path / "data", story, hub_url=hub.url)


def test_a_disk_without_room_is_told_before_anything_is_fetched(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", ["total", "used", "free"])
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(1, 1, 1_000_000))

    async def story(depot: Depot) -> None:
        refused = await depot.refused(REPO)
        assert "GB free" in refused and "Make room" in refused
        assert not hub.asked_for(WEIGHTS)

    play(tmp_path / "data", story, hub_url=hub.url)


def test_a_file_that_cannot_be_written_to_its_end_is_gone_on_with(hub: Hub, tmp_path: Path) -> None:
    """The limit of a file's size stands for a disk that becomes full: the same call fails, half written."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    async def story(depot: Depot) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, before[1]))
        try:
            refused = await depot.refused(REPO)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert f"{WEIGHTS} could not be written" in refused and "is kept" in refused
        got = await depot.got(REPO)
        assert ((await depot.shelf.place(got.id)) / WEIGHTS).read_bytes() == hub.repos[REPO][WEIGHTS]

    play(tmp_path / "data", story, hub_url=hub.url)
