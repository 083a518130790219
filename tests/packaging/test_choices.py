"""Choices of the build: the nearest interpreter, a CPU build of PyTorch, a Debian package by its name."""

import json
from pathlib import Path

import pytest

from stoker.packaging.environments.pythons import nearest_version, search_path, usable
from stoker.packaging.environments.torch import brings_cuda, cpu_constraints
from stoker.packaging.machine import Machine, package_name, parse_packages

INSTALLED = [(3, 10), (3, 11), (3, 13)]


@pytest.mark.parametrize(
    ("wanted", "nearest"), [((3, 14), (3, 13)), ((3, 12), (3, 11)), ((3, 10), (3, 10)), ((3, 7), (3, 10))]
)
def test_the_nearest_interpreter(wanted: tuple[int, int], nearest: tuple[int, int]) -> None:
    assert nearest_version(wanted, INSTALLED) == nearest


def test_no_interpreter_at_all() -> None:
    assert nearest_version((3, 12), []) is None


def test_interpreters_that_models_can_run_on() -> None:
    def entry(minor: int, patch: int, **more: str) -> dict[str, object]:
        parts = {"major": 3, "minor": minor, "patch": patch}
        path = f"/p/3.{minor}.{patch}"
        return {
            "version_parts": parts,
            "path": path,
            "implementation": "cpython",
            "variant": "default",
            **more,
        }

    listed = [
        entry(9, 1),
        entry(11, 2),
        entry(11, 7),
        entry(11, 4),
        entry(12, 1, implementation="pypy"),
        entry(13, 0, variant="freethreaded"),
    ]
    lines = ["warning: something", json.dumps(listed)]
    assert usable(lines) == {(3, 11): Path("/p/3.11.7")}
    assert usable(["nothing"]) == {}


def test_shims_are_not_searched_but_what_they_stand_for_is(tmp_path: Path) -> None:
    (tmp_path / "versions/3.12.1/bin").mkdir(parents=True)
    path = search_path({"PYENV_ROOT": str(tmp_path), "PATH": f"{tmp_path}/shims:/usr/bin"})
    assert path == f"/usr/bin:{tmp_path}/versions/3.12.1/bin"


WHEELS = [
    "torch-2.12.0+cpu-cp311-cp311-linux_x86_64.whl",
    "torch-2.13.0+cpu-cp311-cp311-linux_x86_64.whl",
    "torch-2.14.0+cpu-cp312-cp312-linux_x86_64.whl",
    "torch-2.15.0-cp311-cp311-linux_x86_64.whl",
    "numpy-2.0.0+cpu-cp311-cp311-linux_x86_64.whl",
    "not a wheel.whl",
]


@pytest.fixture(autouse=True)
def linux_tags(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file names above are for this platform, wherever the tests run."""
    monkeypatch.setattr("packaging.tags.platform_tags", lambda: iter(["linux_x86_64"]))


@pytest.mark.parametrize(
    ("lines", "constraints"),
    [
        ([], ["torch==2.13.0+cpu"]),
        (["torch"], ["torch==2.13.0+cpu"]),
        (["torch==2.12.0"], ["torch==2.12.0+cpu"]),
        (["torch>=2.14"], []),
        (["torch==2.13.0+cpu"], ["torch==2.13.0+cpu"]),
    ],
)
def test_the_newest_cpu_build_that_fits(lines: list[str], constraints: list[str]) -> None:
    assert cpu_constraints(WHEELS, lines, (3, 11)) == constraints


def test_pins_that_bring_cuda() -> None:
    assert brings_cuda(["torch==2.15.0", "nvidia-cublas==13.0"])
    assert not brings_cuda(["torch==2.13.0+cpu", "nvidia-cublas==13.0"])
    assert not brings_cuda(["torch==2.15.0"])
    assert not brings_cuda(["nvidia-cublas==13.0"])


@pytest.mark.parametrize("entry", ["curl", "curl=7.88", "curl:amd64", "curl/stable", " curl "])
def test_apt_names(entry: str) -> None:
    assert package_name(entry) == "curl"


def test_packages_are_what_is_installed_and_what_that_provides() -> None:
    listing = (
        "bash\tinstall ok installed\t\n"
        "gone\tdeinstall ok config-files\t\n"
        "libglib2.0-0t64\tinstall ok installed\tlibglib2.0-0 (= 2.80), other\n"
    )
    assert parse_packages(listing) == {"bash", "libglib2.0-0t64", "libglib2.0-0", "other"}


def test_without_dpkg_only_commands_can_be_told() -> None:
    machine = Machine(dpkg_query=None)
    assert machine.check_packages([]) is None
    assert machine.check_packages(["sh"]) is None
    assert "libgl1" in (machine.check_packages(["sh", "libgl1"]) or "")


def test_a_gpu_is_a_device(tmp_path: Path) -> None:
    (tmp_path / "nvidia0").touch()
    Machine(devices=tmp_path).check_gpu()
