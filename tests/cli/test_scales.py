"""``stoker scale`` and ``stoker warm`` against a server that is told what to answer."""

import json
from typing import Any

import pytest

from tests.cli.conftest import Invoke
from tests.cli.fake_server import VERSION, FakeServer

PATH = "/v1/stoker/models/local/sketch/scale"
WARM = {
    "instances": 2,
    "until": None,
    "schedule": "mon-fri 8-18",
    "adaptive": False,
    "timezone": "Europe/Berlin",
    "is_on": True,
    "hours_a_week": 50.0,
}


def told(**fields: Any) -> dict[str, Any]:
    return {
        "kind": "model",
        "name": "local/sketch",
        "version": None,
        "idle_s": None,
        "min_instances": None,
        "max_instances": None,
        "warm": None,
        "holds": {"idle_s": 60.0, "min_instances": 0, "max_instances": 4},
        "instance_hours_a_week": 0,
        "micro_usd_a_week": 0,
    } | fields


def test_what_is_asked_for_is_shown(fake: FakeServer, invoke: Invoke) -> None:
    fake.overrides["GET", PATH] = [(200, told(idle_s=90.0, max_instances=2))]
    lines = invoke("scale", "local/sketch").stdout.splitlines()
    assert lines == [
        "model      local/sketch",
        "idle       90 s",
        "min        0 (not asked for here)",
        "max        2",
    ]


@pytest.mark.parametrize(
    ("args", "path", "body"),
    [
        (["local/sketch", "--idle", "10m", "--max", "2"], PATH, {"idle_s": 600, "max_instances": 2}),
        (["local/sketch", "--min", "1", "--idle", "default"], PATH, {"idle_s": None, "min_instances": 1}),
        (
            [f"local/sketch:{VERSION}", "--max", "1"],
            f"/v1/stoker/models/local/sketch/versions/{VERSION}/scale",
            {"max_instances": 1},
        ),
        (["local", "--idle", "5m"], "/v1/stoker/accounts/local/scale", {"idle_s": 300}),
        (
            ["local/app", "--deployment", "--idle", "0s"],
            "/v1/stoker/deployments/local/app/scale",
            {"idle_s": 0},
        ),
    ],
)
def test_what_is_changed(
    fake: FakeServer, invoke: Invoke, args: list[str], path: str, body: dict[str, Any]
) -> None:
    fake.overrides["PATCH", path] = [(200, told(**body))]
    assert json.loads(invoke("scale", *args, "--json").stdout)["name"] == "local/sketch"
    (asked,) = fake.asked("PATCH", path)
    assert asked.json() == body


def test_warm_says_when_and_what_it_costs(fake: FakeServer, invoke: Invoke) -> None:
    answer = told(warm=WARM, instance_hours_a_week=100.0, micro_usd_a_week=81_000_000)
    fake.overrides["PATCH", PATH] = [(200, answer)]
    args = ["--schedule", "mon-fri 8-18", "--timezone", "Europe/Berlin", "--instances", "2"]
    lines = invoke("warm", "local/sketch", *args).stdout.splitlines()
    assert lines[-2:] == [
        "warm       mon-fri 8-18 (Europe/Berlin) (now)",
        "kept up    100 instance hours a week, $81.00",
    ]
    (asked,) = fake.asked("PATCH", PATH)
    times = {"schedule": "mon-fri 8-18", "timezone": "Europe/Berlin", "for_s": None, "adaptive": False}
    assert asked.json() == {"warm": {"instances": 2, **times}}


def test_warm_for_a_while_and_off(fake: FakeServer, invoke: Invoke) -> None:
    until = WARM | {"schedule": None, "timezone": None, "until": "2026-11-20T18:00:00Z", "hours_a_week": 8.0}
    answer = told(warm=until, instance_hours_a_week=15.9989, micro_usd_a_week=1_500_000)
    fake.overrides["PATCH", PATH] = [(200, answer), (200, told())]
    assert invoke("warm", "local/sketch", "--for", "8h").stdout.splitlines()[-2:] == [
        "warm       until 2026-11-20 18:00:00 UTC (now)",
        "kept up    16 instance hours until then, $1.50",
    ]
    assert "warm" not in invoke("warm", "local/sketch", "--off").stdout
    assert [one.json()["warm"] and one.json()["warm"]["for_s"] for one in fake.asked("PATCH", PATH)] == [
        28800,
        None,
    ]


def test_the_list_of_what_is_warm(fake: FakeServer, invoke: Invoke) -> None:
    kept = told(name="local/kept", min_instances=1, instance_hours_a_week=168.0)
    usual = told(name="local/usual", warm=WARM | {"schedule": None, "timezone": None, "adaptive": True})
    results = [told(idle_s=5.0), kept, usual]
    fake.overrides["GET", "/v1/stoker/scales"] = [(200, {"results": results})] * 2
    lines = invoke("warm", "--list").stdout.splitlines()
    assert lines[1].split("  ")[0] == "local/kept"
    assert "always" in lines[1] and "168" in lines[1] and "no price is set" in lines[1]
    assert "when it is usually used" in lines[2]
    assert len(lines) == 3
    assert [one["name"] for one in json.loads(invoke("warm", "--list", "--json").stdout)] == [
        "local/kept",
        "local/usual",
    ]


@pytest.mark.parametrize(
    "args",
    [
        ["warm"],
        ["warm", "local"],
        ["warm", "local/sketch", "--list"],
        ["warm", "--list", "--adaptive"],
        ["warm", "local/sketch", "--off", "--for", "8h"],
        ["warm", "local/sketch", "--timezone", "Europe/Berlin"],
        ["scale", "local/sketch", "--idle", "soon"],
        ["scale", f"local/app:{VERSION}", "--deployment"],
    ],
)
def test_what_is_wrongly_called(fake: FakeServer, invoke: Invoke, args: list[str]) -> None:
    assert invoke(*args).exit_code == 2
    assert not fake.requests


@pytest.mark.parametrize(
    ("args", "path"),
    [
        (["local/sketch"], "/v1/stoker/models/local/sketch/resume"),
        (["local/sketch", "--deployment"], "/v1/stoker/deployments/local/sketch/resume"),
    ],
)
def test_a_pause_is_ended(fake: FakeServer, invoke: Invoke, args: list[str], path: str) -> None:
    pause = {
        "model": "local/sketch", "version": VERSION, "deployment": None, "training": None,
        "failures": 3, "error": "no weights", "next_try_s": 4.0,
    }  # fmt: skip
    fake.overrides["POST", path] = [(200, {"resumed": [pause]}), (200, {"resumed": []})]
    lines = [invoke("scale", *args, "--resume").stdout for _ in range(2)]
    assert lines == [
        f"resumed    local/sketch:{VERSION} after 3 failed starts\n",
        "Nothing of local/sketch was paused.\n",
    ]


def test_a_resume_changes_nothing_else(invoke: Invoke) -> None:
    assert "--resume stands alone." in invoke("scale", "local/sketch", "--resume", "--max", "2").stderr
