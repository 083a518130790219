"""pip's configuration, read and said to uv."""

from pathlib import Path

import pytest

from stoker.packaging.environments.pipsettings import (
    config_files,
    for_pip,
    for_uv,
    local_wheel_folders,
    pip_settings,
)


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_later_files_win_then_the_section_install_then_the_environment(tmp_path: Path) -> None:
    first = write(
        tmp_path, "1", "[global]\nindex-url = https://one.test\nextra_index_url =\n  https://a\n  https://b\n"
    )
    second = write(tmp_path, "2", "[global]\nindex-url = https://two.test\n[install]\npre = true\n")
    settings = pip_settings({"PIP_CERT": "/c.pem", "PIP_PRE": " ", "HOME": "/"}, [first, second])
    assert settings == {
        "index-url": "https://two.test",
        "extra-index-url": "https://a https://b",
        "pre": "true",
        "cert": "/c.pem",
    }
    assert (
        pip_settings({"PIP_INDEX_URL": "https://three.test"}, [second])["index-url"] == "https://three.test"
    )


@pytest.mark.parametrize("text", ["no section", "[global]\nindex-url", "[other]\na = b\n", "\x00"])
def test_a_file_that_cannot_be_read_is_no_file(tmp_path: Path, text: str) -> None:
    assert pip_settings({}, [write(tmp_path, "pip.conf", text), tmp_path / "missing"]) == {}


def test_files_are_those_of_pip(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "x"), "PIP_CONFIG_FILE": "/own.conf"}
    files = config_files(environ)
    assert files[-1] == Path("/own.conf")
    assert files.index(tmp_path / ".pip" / "pip.conf") < files.index(tmp_path / "x" / "pip" / "pip.conf")
    assert config_files({"PIP_CONFIG_FILE": "/dev/null"}) == []


def test_uv_is_told_the_same(tmp_path: Path) -> None:
    settings = {
        "index-url": "https://index.test/simple",
        "extra-index-url": f"https://more.test file://{tmp_path}/gone file://{tmp_path}",
        "find-links": f"{tmp_path} /no/such/folder",
        "cert": "/c.pem",
        "trusted-host": "more.test",
        "no-index": "true",
    }
    assert for_uv(settings, {}) == {
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_DEFAULT_INDEX": "https://index.test/simple",
        "UV_INDEX": f"https://more.test file://{tmp_path}",
        "UV_FIND_LINKS": str(tmp_path),
        "SSL_CERT_FILE": "/c.pem",
        "UV_INSECURE_HOST": "more.test",
        "UV_NO_INDEX": "1",
    }


def test_what_is_set_for_uv_itself_wins() -> None:
    variables = for_uv(
        {"index-url": "https://pip.test"}, {"UV_DEFAULT_INDEX": "https://uv.test", "PATH": "/"}
    )
    assert variables["UV_DEFAULT_INDEX"] == "https://uv.test"
    assert "PATH" not in variables


def test_pip_in_another_home_is_told_too() -> None:
    assert for_pip({"extra-index-url": "https://a"}) == {"PIP_EXTRA_INDEX_URL": "https://a"}


def test_wheel_folders_are_those_on_this_machine(tmp_path: Path) -> None:
    places = f"https://links.test,file://{tmp_path},/no/such"
    assert local_wheel_folders({"UV_FIND_LINKS": places}) == [tmp_path]
    assert local_wheel_folders({}) == []
