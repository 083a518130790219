"""The parts of Llama's training one by one: what is learned, in which order, archives, adapters."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.catalog.conftest import Tiny
from tests.catalog.things import Lab

PAIR = '{"prompt": "a?", "completion": "b."}'


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    lab = Lab("llama", "llama_training_lab", tmp_path_factory.mktemp("lab") / "log")
    yield lab
    lab.close()


@pytest.fixture(scope="module")
def checkpoint(tiny: Tiny) -> str:
    return str(tiny("llama"))


@pytest.fixture
def read(lab: Lab, checkpoint: str, tmp_path: Path) -> Any:
    def read(content: str, **changes: Any) -> Any:
        (tmp_path / "data.jsonl").write_text(content)
        return lab("read", checkpoint=checkpoint, file=str(tmp_path / "data.jsonl"), **changes)

    return read


def turn(role: str, words: str) -> str:
    return f"<|start_header_id|>{role}<|end_header_id|>\n\n{words}<|eot_id|>"


ASKS = "<|start_header_id|>assistant<|end_header_id|>\n\n"


def test_of_a_pair_the_completion_is_learned_and_that_it_ends(read: Any) -> None:
    asked = "<|begin_of_text|>" + turn("user", "a?") + ASKS
    assert read(PAIR) == [[[asked, False], ["b.<|eot_id|>", True]]]
    asked = "<|begin_of_text|>" + turn("system", "Be brief.") + turn("user", "a?") + ASKS
    assert read(PAIR, system_prompt="Be brief.") == [[[asked, False], ["b.<|eot_id|>", True]]]


def test_without_a_chat_template_or_with_ones_own(read: Any) -> None:
    assert read(PAIR, template="") == [[["<|begin_of_text|>a?", False], ["b.<|eot_id|>", True]]]
    own = read(PAIR, prompt_template="Q {prompt} A ")
    assert own == [[["<|begin_of_text|>Q a? A ", False], ["b.<|eot_id|>", True]]]


def test_of_a_conversation_all_answers_are_learned(read: Any) -> None:
    said = [("user", "a?"), ("assistant", "b."), ("user", "c?"), ("assistant", "d."), ("user", "e?")]
    messages = ", ".join(f'{{"role": "{role}", "content": "{words}"}}' for role, words in said)
    assert read(f'{{"messages": [{messages}]}}') == [
        [
            ["<|begin_of_text|>" + turn("user", "a?") + ASKS, False],
            ["b.<|eot_id|>", True],
            [turn("user", "c?") + ASKS, False],
            ["d.<|eot_id|>", True],
        ]
    ]


def test_text_is_learned_whole_and_split_where_it_is_long(read: Any) -> None:
    assert read('\ufeff{"text": "word"}\n\n') == [[["<|begin_of_text|>", False], ["word<|eot_id|>", True]]]
    pieces = read(f'{{"text": "{"word " * 100}"}}', most_tokens=30)
    assert len(pieces) > 3
    assert "".join(text for piece in pieces for text, _ in piece).count("word") == 100


def test_a_long_line_loses_its_end(read: Any) -> None:
    ((asked, learned),) = read(f'{{"prompt": "a?", "completion": "{"word " * 100}"}}', most_tokens=30)
    assert asked[1] is False
    assert learned[1] is True
    assert learned[0].startswith("word word")
    assert "<|eot_id|>" not in learned[0]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (f"{PAIR}\n\n{{", "train_data, line 3: not JSON: "),
        ("[1]", "train_data, line 1: a line must be an object"),
        ('{"prompt": "a"}', 'train_data, line 1: a line must be {"prompt", "completion"}'),
        ('{"prompt": "a", "completion": ""}', "train_data, line 1: completion must be text, and not empty."),
        ('{"text": 3}', "train_data, line 1: text must be text, and not empty."),
        ('{"messages": {}}', "train_data, line 1: messages must be a list."),
        ('{"messages": [{"role": "user", "content": "a"}]}', "line 1: messages has no answer"),
        ('{"messages": [{"role": "me", "content": "a"}]}', "line 1: messages[0].role must be one of"),
        ('{"messages": [{"role": "user"}]}', "line 1: messages[0].content must be text."),
        (
            f'{{"prompt": "{"word " * 900}", "completion": "b"}}',
            "line 1: nothing to learn within the first 500",
        ),
        ("\n", "train_data has nothing to learn from"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(read: Any, content: str, words: str) -> None:
    ((refused, error),) = read(content)
    assert refused == "refused"
    assert words in error


def test_each_epoch_has_all_lessons_in_an_order_of_its_own(lab: Lab) -> None:
    whole = lab("order", count=10, batch=4, epochs=3, after=0)
    assert [step for step, _ in whole] == list(range(1, 10))
    epochs = [[one for _, chosen in whole[3 * n : 3 * n + 3] for one in chosen] for n in range(3)]
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]
    for after in range(10):
        assert lab("order", count=10, batch=4, epochs=3, after=after) == whole[after:]
    assert lab("sizes_of_parts", lengths=[5, 1, 4, 2, 3], most=2) == [[1, 2], [3, 4], [5]]


def test_the_learning_rate_rises_and_falls(lab: Lab) -> None:
    linear = lab("rates", schedule="linear", warmup_ratio=0.5, steps=8)
    assert linear == pytest.approx([0.0025, 0.005, 0.0075, 0.01, 0.01, 0.0075, 0.005, 0.0025])
    cosine = lab("rates", schedule="cosine", warmup_ratio=0, steps=4)
    assert cosine == pytest.approx([0.01, 0.00853553, 0.005, 0.00146447], rel=1e-4)
    assert lab("rates", schedule="constant", warmup_ratio=0, steps=2) == [0.01, 0.01]


def test_how_much_is_in_memory_at_once_changes_nothing(lab: Lab) -> None:
    whole, single = lab("micro_batches")
    assert whole == pytest.approx(single, rel=1e-4)
    assert whole[-1] < whole[0]


def test_an_archive_gives_back_what_was_put_in(lab: Lab, tmp_path: Path) -> None:
    found = lab("kept", folder=str(tmp_path))
    assert found["same"]
    assert (found["tensors"], found["scale"]) == ([0, 1, 2], 2)
    assert found["targets"] == ["q_proj", "v_proj"]
    assert found["progress"] == [{"seed": 1}, 7, [1, 1]]
    assert found["broken"].startswith("The weights are no adapter of a training")
    assert found["no archive"].startswith("The weights are no adapter of a training")


def test_an_adapter_of_another_model_is_refused(lab: Lab, checkpoint: str) -> None:
    missing, wrong, unknown = lab("refused_adapters", checkpoint=checkpoint)
    assert "of another base" in missing
    assert "(1, 1) and not" in wrong
    assert unknown.startswith("This model has no linear layer 'x_proj'; layers are down_proj, ")


def test_an_adapter_acts_as_it_does_in_peft(lab: Lab, checkpoint: str, tmp_path: Path) -> None:
    assert lab("as_peft_would", checkpoint=checkpoint, folder=str(tmp_path)) < 1e-4


def test_the_base_is_the_file_itself_and_no_page_of_it_is_copied(
    lab: Lab, checkpoint: str, tmp_path: Path
) -> None:
    """So the kernel has it once, whatever adapters and processes there are."""
    lab("write_adapter", checkpoint=checkpoint, path=str(tmp_path / "adapter.tar"))
    found = lab("base_memory", checkpoint=checkpoint, weights=str(tmp_path / "adapter.tar"))
    assert found["mapped"] == found["bytes"] > 900_000
    assert found["copied_kb"] == 0


def test_a_checkpoint_of_half_the_precision_is_shared_where_it_is_not_converted(
    lab: Lab, checkpoint: str, tmp_path: Path
) -> None:
    lab("write_adapter", checkpoint=checkpoint, path=str(tmp_path / "adapter.tar"))
    given = {"folder": str(tmp_path / "half"), "weights": str(tmp_path / "adapter.tar")}
    found = lab("half_precision", checkpoint=checkpoint, **given)
    assert 900_000 > found["mapped"] == found["bytes"] > 450_000
    assert found["copied_kb"] == 0
    assert all(found["made"])
