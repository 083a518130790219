"""``stoker doctor`` on this machine, and on machines that lack something."""

import json
from pathlib import Path

import pytest

from stoker.cli import checks
from tests.cli.conftest import Invoke


def test_this_machine_can_run_models(invoke: Invoke, variables: dict[str, str]) -> None:
    result = invoke("doctor")
    assert result.exit_code == 0, result.stdout
    assert "This machine can run Stoker." in result.stdout
    assert f"{variables['REPLICATE_BASE_URL']}, Stoker 0.1.0, account local" in result.stdout


def test_as_json(invoke: Invoke) -> None:
    found = {check["name"]: check for check in json.loads(invoke("doctor", "--json").stdout)}
    assert {"Python for models", "uv", "CPUs", "memory", "NVIDIA GPU", "server", "ffmpeg"} <= found.keys()
    assert "3.11" in found["Python for models"]["found"]


def test_without_a_server_it_says_how_to_start_one(invoke: Invoke, variables: dict[str, str]) -> None:
    variables["REPLICATE_BASE_URL"] = "http://127.0.0.1:1"
    result = invoke("doctor")
    assert result.exit_code == 0
    assert "Start one with 'stoker serve'" in result.stdout


def test_without_python_nothing_works(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "usable", lambda lines: {})
    result = invoke("doctor")
    assert result.exit_code == 1
    assert "MISSING  Python for models" in result.stdout
    assert result.stdout.endswith("Missing: Python for models.\n")


def test_a_data_directory_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "home").touch()
    assert checks.data_directory(tmp_path / "home").state == "missing"


def test_a_data_directory_that_is_not_there_yet(tmp_path: Path) -> None:
    check = checks.data_directory(tmp_path / "not" / "yet")
    assert (check.state, check.found) == ("ok", f"{tmp_path}/not/yet (made at the first start)")


def test_a_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'NVIDIA H200, 143771 MiB'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert checks.gpus() == checks.Check("NVIDIA GPU", "ok", "NVIDIA H200, 143771 MiB")


def test_a_driver_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\nexit 9\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert checks.gpus().state == "optional"


def test_passwords_of_an_index_are_not_shown(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path), "PIP_INDEX_URL": "https://me:secret@index.example/simple"}
    assert "https://***@index.example/simple" in checks.packages(environ).found


def test_a_certificate_file_that_is_not_there(tmp_path: Path) -> None:
    check = checks.certificates({"SSL_CERT_FILE": str(tmp_path / "none.pem")})
    assert (check.state, "does not exist" in check.found) == ("optional", True)


def test_tools(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    check = checks.tool("ffmpeg")
    assert (check.state, check.advice) == (
        "optional",
        "For models that read or write sound and video: apt-get install ffmpeg",
    )
