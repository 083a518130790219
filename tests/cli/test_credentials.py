"""Which server a command talks to, and which token it shows to whom."""

import stat
from pathlib import Path

import click
import pytest

from stoker.cli.server import credentials
from stoker.cli.server.credentials import Credentials

STORED = Credentials("http://127.0.0.1:8080", "r8_stored")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    credentials.save(tmp_path / "home", STORED)
    return tmp_path / "home"


def test_saved_for_this_user_alone_and_loaded_again(home: Path) -> None:
    assert credentials.load(home) == STORED
    assert stat.S_IMODE((home / "credentials.json").stat().st_mode) == 0o600
    assert [path.name for path in home.iterdir()] == ["credentials.json"]


def test_saving_again_replaces(home: Path) -> None:
    newer = Credentials("http://127.0.0.1:9090", "r8_newer")
    credentials.save(home, newer)
    assert credentials.load(home) == newer


def test_nothing_stored(tmp_path: Path) -> None:
    assert credentials.load(tmp_path) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"base_url": "http://x"}'])
def test_a_damaged_file_is_said_to_be_one(tmp_path: Path, text: str) -> None:
    (tmp_path / "credentials.json").write_text(text)
    with pytest.raises(click.ClickException, match="damaged"):
        credentials.load(tmp_path)


def resolve(home: Path, **environ: str) -> Credentials:
    return credentials.resolve({"STOKER_HOME": str(home)} | environ)


def test_the_environment_goes_first(home: Path) -> None:
    found = resolve(home, REPLICATE_BASE_URL="http://there:1/", REPLICATE_API_TOKEN=" r8_mine ")
    assert found == Credentials("http://there:1", "r8_mine")


@pytest.mark.parametrize(
    "url", ["http://there:1/v1", "http://there:1/v1/", "http://there:1", "http://there:1/"]
)
def test_the_base_url_may_end_in_v1(home: Path, url: str) -> None:
    assert resolve(home, REPLICATE_BASE_URL=url, REPLICATE_API_TOKEN="t").base_url == "http://there:1"


def test_without_an_environment_what_serve_stored(home: Path) -> None:
    assert resolve(home) == STORED


def test_a_stored_token_goes_to_the_server_it_was_stored_for(home: Path) -> None:
    assert resolve(home, REPLICATE_BASE_URL="http://127.0.0.1:8080/v1") == STORED


def test_a_stored_token_goes_to_no_other_server(home: Path) -> None:
    with pytest.raises(click.ClickException, match="REPLICATE_API_TOKEN is not set"):
        resolve(home, REPLICATE_BASE_URL="http://elsewhere.example")


def test_a_token_alone_goes_to_the_stored_server(home: Path) -> None:
    assert resolve(home, REPLICATE_API_TOKEN="r8_other") == Credentials(STORED.base_url, "r8_other")


def test_nothing_known_says_how_to_begin(tmp_path: Path) -> None:
    with pytest.raises(click.ClickException, match="stoker serve"):
        resolve(tmp_path)
