"""The parts of models/llama one by one: sampling, sizes, prompts, the engine."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.catalog.conftest import Tiny
from tests.catalog.things import Lab

GIB = 1 << 30
RANDOM = {"temperature": 1.0}
SHAPE_8B = {
    "layers": 32,
    "layer_bytes": 2 * 8 * 128 * 2,
    "peak_bytes": 72 * 128 * 2,
    "mask_bytes": 2,
    "vocabulary": 128_256,
    "context_tokens": 131_072,
    "place_bytes": 84 << 20,
}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    lab = Lab("llama", "llama_lab", tmp_path_factory.mktemp("lab") / "log")
    yield lab
    lab.close()


@pytest.fixture(scope="module")
def checkpoint(tiny: Tiny) -> str:
    return str(tiny("llama"))


def test_each_row_has_its_own_parameters(lab: Lab) -> None:
    scores = [0.0, 1.0, 5.0, 4.0, 3.0, 2.0]
    rows: list[dict[str, Any]] = [
        {},
        RANDOM | {"top_k": 2, "seed": 1},
        RANDOM | {"top_p": 0.5, "seed": 2},
        RANDOM | {"top_k": 1},
        RANDOM | {"temperature": 1e-300, "seed": 3},
        RANDOM | {"temperature": 1e300, "seed": 4},
        RANDOM | {"temperature": 1e300, "seed": 4, "top_k": -1},
    ]
    greedy, two, half, one, cold, hot, unlimited = lab(
        "steps", rows=rows, scores=[scores] * len(rows), count=60
    )
    assert set(greedy) == set(one) == set(cold) == set(half) == {2}
    assert set(two) == {2, 3}
    assert set(hot) == {0, 1, 2, 3, 4, 5}
    assert unlimited == hot


def test_a_seed_gives_the_same_whoever_else_is_there(lab: Lab) -> None:
    mine, other = RANDOM | {"seed": 5}, RANDOM | {"seed": 6}
    scores = [0.1 * token for token in range(2000)]
    (alone,) = lab("steps", rows=[mine], scores=[scores], count=20)
    among = lab("steps", rows=[other, mine, RANDOM | {"top_k": 3}, mine], scores=[scores] * 4, count=20)
    assert among[1] == among[3] == alone != among[0]


def test_tokens_come_as_often_as_their_probability_says(lab: Lab) -> None:
    scores = [3.0, 2.0, 1.0, 0.0]
    for temperature in (0.5, 1.0, 2.0):
        found = lab("shares", row={"temperature": temperature, "seed": None}, scores=scores, count=20_000)
        weights = [math.exp(score / temperature) for score in scores]
        for token, weight in enumerate(weights):
            # Five deviations of a share among 20,000 draws.
            assert found.get(str(token), 0) == pytest.approx(
                weight / sum(weights), abs=5 * math.sqrt(0.25 / 20_000)
            )


def test_penalties_count_what_was_made(lab: Lab) -> None:
    scores = [0.0, 1.0, 1.9, 2.5]
    rows = [{"presence_penalty": 1.0}, {"frequency_penalty": 1.0}, {}]
    presence, frequency, none = lab("steps", rows=rows, scores=[scores] * 3, count=6)
    assert presence == [3, 2, 3, 3, 3, 3]
    assert frequency == [3, 2, 3, 1, 2, 3]
    assert none == [3] * 6


def test_an_answer_does_not_end_before_min_tokens(lab: Lab) -> None:
    scores = [9.0, 1.0, 0.0]
    late, soon = lab("steps", rows=[{"min_tokens": 3}, {}], scores=[scores] * 2, count=5)
    assert late == [1, 1, 1, 0, 0]
    assert soon == [0] * 5


def test_one_row_without_numbers_harms_no_other(lab: Lab) -> None:
    broken, well = lab(
        "steps", rows=[RANDOM, RANDOM | {"top_k": 1}], scores=[[None] * 3, [0.0, 2.0, 1.0]], count=4
    )
    assert len(broken) == 4
    assert well == [1] * 4


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", -0.1),
        ("temperature", "nan"),
        ("temperature", "inf"),
        ("top_p", 0),
        ("top_p", 1.01),
        ("top_p", "nan"),
        ("top_k", -2),
        ("presence_penalty", "nan"),
        ("frequency_penalty", "inf"),
        ("min_tokens", -1),
        ("max_tokens", 0),
    ],
)
def test_a_wrong_parameter_is_named(lab: Lab, name: str, value: Any) -> None:
    assert (lab("refusal", **{name: value}) or "").startswith(f"{name} must be ")


def test_the_cache_takes_what_is_free_and_no_more(lab: Lab) -> None:
    large = lab("sizes", free_bytes=120 * GIB, slots=64, places=16, on_gpu=True, **SHAPE_8B)
    small = lab("sizes", free_bytes=12 * GIB, slots=64, places=16, on_gpu=True, **SHAPE_8B)
    token_bytes = SHAPE_8B["layers"] * SHAPE_8B["layer_bytes"]
    assert 80 * GIB < large["pages"] * large["page_tokens"] * token_bytes < 102 * GIB
    assert 4 * GIB < small["pages"] * small["page_tokens"] * token_bytes < 10 * GIB
    assert large["limit_tokens"] == SHAPE_8B["context_tokens"]
    assert small["limit_tokens"] == small["pages"] * small["page_tokens"]


def test_room_is_left_for_adapters_as_far_as_there_is_some(lab: Lab) -> None:
    def planned(free_gib: int, places: int) -> tuple[int, int]:
        found = lab("sizes", free_bytes=free_gib * GIB, slots=64, places=places, on_gpu=True, **SHAPE_8B)
        return found["places"], found["pages"] * found["page_tokens"]

    none, without = planned(40, 0)
    some, beside = planned(40, 16)
    assert (none, some) == (0, 16)
    room_tokens = 2 * 16 * SHAPE_8B["place_bytes"] / (SHAPE_8B["layers"] * SHAPE_8B["layer_bytes"])
    assert without - beside == pytest.approx(0.8 * room_tokens, rel=0.1), "the cache has that much less"
    assert planned(8, 16)[0] == 9, "two adapters of 84 MiB a place, in a fifth of 8 GiB"
    tiny = lab(
        "sizes", free_bytes=GIB, slots=1, places=16, on_gpu=True, **SHAPE_8B | {"place_bytes": 150 << 20}
    )
    assert tiny["places"] == 1


def test_a_cpu_gives_a_part_of_its_memory(lab: Lab) -> None:
    shape = SHAPE_8B | {"context_tokens": 8192}
    found = lab("sizes", free_bytes=64 * GIB, slots=64, places=16, on_gpu=False, **shape)
    assert found["pages"] * found["page_tokens"] == 32_768
    assert found["limit_tokens"] == 8192


def test_too_little_memory_is_said(lab: Lab) -> None:
    assert "After the weights 64 MiB are free" in lab("too_small", free_bytes=64 << 20, **SHAPE_8B)


def test_prompts_take_the_form_that_fits(lab: Lab, checkpoint: str) -> None:
    def rendered(**given: str) -> str:
        found = lab("rendered", checkpoint=checkpoint, **given)
        for token, sign in {
            "<|start_header_id|>": "<",
            "<|end_header_id|>\n\n": ">",
            "<|eot_id|>": ";",
        }.items():
            found = found.replace(token, sign)
        return found

    begin = "<|begin_of_text|>"
    assert rendered(prompt="Hi") == f"{begin}<user>Hi;<assistant>"
    assert rendered(prompt="Hi", system_prompt="Be brief") == f"{begin}<system>Be brief;<user>Hi;<assistant>"
    said = '[{"role": "user", "content": "Hi"}]'
    assert rendered(messages=said, prompt="no") == f"{begin}<user>Hi;<assistant>"
    assert rendered(prompt="Hi", system_prompt="S", template="") == f"{begin}Hi"
    own = "{system_prompt}|{prompt}|{other} {"
    found = rendered(prompt="{system_prompt}", system_prompt="S", prompt_template=own)
    assert found == begin + "S|{system_prompt}|{other} {"
    assert rendered(prompt="Hi", prompt_template="<|begin_of_text|>{prompt}") == f"{begin}Hi"


def test_a_template_without_system_messages_gets_it_with_the_question(lab: Lab, checkpoint: str) -> None:
    refuses = (
        "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}"
        "{% for message in messages %}[{{ message.content }}]{% endfor %}"
    )
    assert (
        lab("rendered", checkpoint=checkpoint, template=refuses, prompt="Hi", system_prompt="S")
        == "[S\n\nHi]"
    )
    never = "{{ raise_exception('never') }}"
    assert "refuses these messages: never" in lab(
        "rendered", checkpoint=checkpoint, template=never, prompt="Hi"
    )


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"messages": "{"}, "messages is not JSON"),
        ({"messages": "{}"}, "messages must be a JSON list"),
        ({"messages": "[]"}, "messages must be a JSON list"),
        ({"messages": '["x"]'}, "messages[0].role"),
        ({"messages": '[{"role": "robot", "content": "x"}]'}, "messages[0].role"),
        ({"messages": '[{"role": "user", "content": 1}]'}, "messages[0].content must be text"),
        ({"prompt": "Hi", "prompt_template": "no place"}, "prompt_template has no {prompt}"),
        ({"template": ""}, "The prompt is empty"),
    ],
)
def test_a_wrong_prompt_is_refused(lab: Lab, checkpoint: str, given: dict[str, str], words: str) -> None:
    answer = lab("rendered", checkpoint=checkpoint, **given)
    assert answer.startswith("refused: ")
    assert words in answer


@pytest.mark.parametrize(
    ("gpus", "has_bf16", "wanted"),
    [
        (0, False, {"dtype": "torch.float32"}),
        (1, True, {"dtype": "torch.bfloat16", "device_map": "{'': 0}"}),
        (1, False, {"dtype": "torch.float16", "device_map": "{'': 0}"}),
        (4, True, {"dtype": "torch.bfloat16", "device_map": "auto"}),
    ],
)
def test_where_it_lies_depends_on_the_hardware(
    lab: Lab, gpus: int, has_bf16: bool, wanted: dict[str, str]
) -> None:
    assert lab("placed", quantisation="none", gpus=gpus, has_bf16=has_bf16) == wanted


@pytest.mark.parametrize(
    ("quantisation", "gpus", "words"),
    [
        ("8bit", 0, "needs a GPU, and there is none"),
        ("4bit", 1, "needs bitsandbytes among the model's requirements"),
        ("3bit", 1, "must be one of none, 8bit, 4bit, not '3bit'"),
    ],
)
def test_smaller_weights_that_cannot_be_had(lab: Lab, quantisation: str, gpus: int, words: str) -> None:
    found = lab("placed", quantisation=quantisation, gpus=gpus, has_bf16=True)
    assert found.startswith("refused: LLAMA_QUANTIZE")
    assert words in found


def test_weights_of_another_kind_of_model_are_refused(lab: Lab, checkpoint: str, tmp_path: Path) -> None:
    assert lab("refused_checkpoint", folder=checkpoint) is None
    assert "it has no config.json" in lab("refused_checkpoint", folder=str(tmp_path))
    config = tmp_path / "config.json"
    config.write_text('{"architectures": ["WhisperForConditionalGeneration"]}')
    refused = lab("refused_checkpoint", folder=str(tmp_path))
    assert refused.endswith("which holds a WhisperForConditionalGeneration and no language model.")
    config.write_text('{"model_type": "llama"}')
    assert lab("refused_checkpoint", folder=str(tmp_path)) is None, "some checkpoints do not tell"


def test_tokens_are_read_as_the_tokenizer_reads_them(lab: Lab, checkpoint: str) -> None:
    texts = ["Hi , there !", "<|start_header_id|>user<|eot_id|> and more", "é 漢字 🙂", ""]
    for quick, own in lab("decoded", checkpoint=checkpoint, texts=texts):
        assert quick == own
        assert "<|" not in quick


@pytest.mark.parametrize("spread_out", [False, True])
def test_many_at_once_get_what_each_gets_alone(lab: Lab, checkpoint: str, spread_out: bool) -> None:
    found = lab("greedy", checkpoint=checkpoint, pages=512, batch_tokens=64, count=20, spread_out=spread_out)
    assert len({length for length, _, _ in found}) > 3
    for _, together, alone in found:
        assert together == alone


def test_requests_that_the_cache_cannot_hold_at_once_still_get_what_they_get_alone(
    lab: Lab, checkpoint: str
) -> None:
    # Room for one of the longest and little more: some are sent back and read again.
    found = lab("greedy", checkpoint=checkpoint, pages=26, batch_tokens=32, count=16)
    for _, together, alone in found:
        assert together == alone


def test_a_request_that_is_left_frees_its_place_within_a_step(lab: Lab, checkpoint: str) -> None:
    found = lab("freed", checkpoint=checkpoint)
    assert found["before"] == 2
    # The step that runs when the cancel comes is finished; one more may have begun unseen by the test.
    assert found["steps"] <= 2
    assert found["streams"] == 0


def test_who_reads_late_gets_all_and_is_told_of_a_failure(lab: Lab, checkpoint: str) -> None:
    found = lab("read_late", checkpoint=checkpoint)
    assert found["count"] == 30
    assert found["told"].startswith("Stopped: ")


def test_all_are_told_when_the_loop_has_ended(lab: Lab, checkpoint: str) -> None:
    found = lab("ended", checkpoint=checkpoint)
    assert found["running"] == "Stopped: The model could not go on with this prediction: no more of it"
    assert found["later"] == "Stopped: The model's generation loop has ended (MemoryError: no more of it)."
