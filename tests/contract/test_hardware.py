"""Hardware: sections 4.3 and 5.3. What is listed can be asked for."""

from pathlib import Path

import pytest

from stoker.core.hardware import Hardware, detected, offered
from stoker.main.config import ConfigError, load
from tests.contract.platform import Platform
from tests.contract.story import story_with

NEW = {"owner": "alice", "visibility": "private"}
T4 = Hardware(sku="gpu-t4", name="Nvidia T4 GPU", micro_usd_per_s=225, gpus=1, count=2)


@story_with(hardware=(T4,))
async def test_what_is_listed_is_accepted(p: Platform) -> None:
    listed = (await p.client.get("/hardware")).json()
    assert listed == [{"sku": "cpu", "name": "CPU"}, {"sku": "gpu-t4", "name": "Nvidia T4 GPU"}]
    for number, one in enumerate(listed):
        made = await p.client.post("/models", json=NEW | {"name": f"m{number}", "hardware": one["sku"]})
        assert made.status_code == 201
    refused = await p.client.post("/models", json=NEW | {"name": "x", "hardware": "gpu-h100"})
    assert refused.json()["invalid_fields"][0]["description"] == (
        'hardware must be one of the following: "cpu", "gpu-t4"'
    )


def test_what_the_machine_has_gets_replicates_names() -> None:
    found = detected(["NVIDIA H100 80GB HBM3"] * 3 + ["Tesla T4", "NVIDIA A100-SXM4-80GB", "NVIDIA H200"])
    assert [(one.sku, one.gpus, one.count) for one in found] == [
        ("cpu", 0, None),
        ("gpu-h100", 1, 3),
        ("gpu-h100-2x", 2, 1),
        ("gpu-t4", 1, 1),
        ("gpu-a100-large", 1, 1),
        ("gpu-h200", 1, 1),
    ]
    assert [one.name for one in found][1:4] == ["Nvidia H100 GPU", "2x Nvidia H100 GPU", "Nvidia T4 GPU"]
    assert found[-1].name == "Nvidia H200 GPU"
    assert {one.micro_usd_per_s for one in found} == {0}


def test_what_is_configured_replaces_what_is_found_and_there_is_always_a_cpu() -> None:
    assert [one.sku for one in offered([T4], ["NVIDIA H100"])] == ["cpu", "gpu-t4"]
    own = Hardware(sku="cpu", name="Four cores", micro_usd_per_s=100)
    assert offered([T4, own], []) == (T4, own)
    assert [one.sku for one in offered([], [])] == ["cpu"]


def test_hardware_is_configured_in_the_file_or_as_json(tmp_path: Path) -> None:
    file = tmp_path / "stoker.toml"
    file.write_text(
        '[[hardware]]\nsku = "gpu-t4"\nname = "Nvidia T4 GPU"\nmicro_usd_per_s = 225\ngpus = 1\ncount = 2\n'
    )
    assert load({}, {}, file=file).hardware == (T4,)
    told = '[{"sku": "cpu", "name": "CPU", "micro_usd_per_s": 100}]'
    (cpu,) = load({}, {"STOKER_HARDWARE": told}, file=file).hardware
    assert cpu.micro_usd_per_s == 100


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ('[{"sku": "GPU 1", "name": "x"}]', "is no SKU"),
        ('[{"sku": "a", "name": "x", "micro_usd_per_s": 0.5}]', "micro_usd_per_s"),
        ('[{"sku": "a", "name": "x", "count": -1}]', "cannot be negative"),
        ('[{"sku": "a", "name": "x"}, {"sku": "a", "name": "y"}]', "twice"),
        ('[{"sku": "a", "name": "x", "price": 1}]', "price"),
        ("[{", "not valid JSON"),
    ],
)
def test_hardware_that_cannot_be_used_is_said(told: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        load({}, {"STOKER_HARDWARE": told})
