"""Which links models/sdxl follows for trained weights: public ones, this server's, what is allowed."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from tests.catalog.things import MODELS
from tests.web_server import Web

CONTENT = b"weights" * 10_000


@pytest.fixture(scope="module")
def sources() -> ModuleType:
    spec = importlib.util.spec_from_file_location("sdxl_sources", MODELS / "sdxl/sources.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing private is allowed."""
    monkeypatch.setenv("STOKER_BASE_URL", "https://stoker.example")
    monkeypatch.setenv("STOKER_ALLOW_NET", "")


def test_private_addresses_are_refused_by_name_and_number(sources: ModuleType, tmp_path: Path) -> None:
    with Web() as web:
        for host in ("127.0.0.1", "localhost"):
            with pytest.raises(ValueError, match="private address"):
                sources.fetch(f"http://{host}:{web.port}/file", tmp_path / "file")
    assert web.seen == []


@pytest.mark.parametrize(
    ("variable", "value"),
    [("STOKER_BASE_URL", "http://127.0.0.1:{port}"), ("STOKER_ALLOW_NET", "10.0.0.0/8,127.0.0.0/8")],
)
def test_this_server_and_what_the_operator_allows(
    sources: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    with Web() as web:
        monkeypatch.setenv(variable, value.format(port=web.port))
        web.files["/file"] = CONTENT
        web.redirects["/away"] = "/file"
        sources.fetch(f"{web.url}/away", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_a_redirect_is_looked_at_again(
    sources: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Web() as own, Web() as other:
        monkeypatch.setenv("STOKER_BASE_URL", own.url)
        own.redirects |= {"/away": f"{other.url}/file", "/disk": "file:///etc/passwd"}
        with pytest.raises(ValueError, match="private address"):
            sources.fetch(f"{own.url}/away", tmp_path / "file")
        with pytest.raises(ValueError, match="302"):
            sources.fetch(f"{own.url}/disk", tmp_path / "file")
    assert other.seen == []


def test_what_is_missing_or_too_large(
    sources: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Web() as web:
        monkeypatch.setenv("STOKER_BASE_URL", web.url)
        web.files["/file"] = CONTENT
        with pytest.raises(ValueError, match="the answer was 404"):
            sources.fetch(f"{web.url}/none", tmp_path / "file")
        monkeypatch.setattr(sources, "LIMIT_BYTES", 1000)
        with pytest.raises(ValueError, match="larger than 1000 bytes"):
            sources.fetch(f"{web.url}/file", tmp_path / "file")
