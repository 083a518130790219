"""Every scenario that is run on both sides."""

import base64
import importlib.util
from pathlib import Path
from typing import Any

from tests.differential.scenario import Scenario

MODELS = Path(__file__).parents[1] / "models"

TEXT_URL = "data:text/plain;base64," + base64.b64encode(b"inline text").decode()


def _names(model: str, table: str) -> list[str]:
    """The keys of a table in a model's file: what it can be asked for."""
    spec = importlib.util.spec_from_file_location(f"scenario_{model}", MODELS / model / "run.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return list(getattr(module, table))


def _each(model: str, table: str, argument: str, *, without: tuple[str, ...] = ()) -> list[Scenario]:
    return [
        Scenario(model=model, name=name, input={argument: name})
        for name in _names(model, table)
        if name not in without
    ]


def _some(model: str, **inputs: dict[str, Any]) -> list[Scenario]:
    return [Scenario(model=model, name=name.replace("_", " "), input=input) for name, input in inputs.items()]


INPUTS = [
    *_some(
        "input_types",
        nothing={},
        everything={
            "text": "h\u00e9 \U0001f600",
            "number": 10,
            "ratio": 1.5,
            "flag": True,
            "style": "plain",
            "level": 3,
            "name": "ab",
            "words": ["x"],
            "numbers": [1, 2],
            "mapping": {"a": [1]},
            "table": {"k": 1},
            "either": 4,
            "maybe": "yes",
            "perhaps": 0,
            "seed": 5,
            "anything": {"z": None},
            "old": "still",
        },
        unknown_name={"nobody": 1},
        whole_float_for_int={"number": 5.0},
        int_for_float={"ratio": 2},
        text_for_int={"number": "5"},
        number_for_text={"text": 5},
        true_for_int={"number": True},
        one_for_true={"flag": 1},
        too_small={"number": 0},
        too_big={"number": 11, "ratio": 3},
        too_short={"name": "a"},
        too_long={"name": "abcdef"},
        not_the_pattern={"name": "zab"},
        not_a_choice={"style": "italic"},
        not_a_number_choice={"level": 4},
        wrong_item={"numbers": [1, "2"]},
        not_a_list={"words": "a"},
        not_of_the_union={"either": 1.5},
        list_for_anything={"anything": [1]},
        null_for_optional={"maybe": None},
        null_for_text={"text": None},
        null_for_seed={"seed": None},
    ),
    *_some(
        "required_inputs",
        nothing={},
        one={"zeta": "z"},
        both={"zeta": "z", "alpha": 0},
        all={"zeta": "z", "alpha": 1, "middle": 2.5},
    ),
    *_some("defaults", first={}, given={"grown": []}, file_given={"file": TEXT_URL}),
    *_some(
        "input_files",
        nothing={},
        data_url={"one": TEXT_URL},
        url={"one": "{exchange}/photo.png"},
        escaped_url={"one": "{exchange}/a%20b%2Bc.jpg"},
        url_without_extension={"one": "{exchange}/no-extension"},
        empty_file={"one": "{exchange}/empty.bin"},
        several_urls={"more": ["{exchange}/photo.png", "{exchange}/plain.txt"]},
        opened_url={"opened": "{exchange}/plain.txt"},
        opened_data_url={"opened": TEXT_URL},
        missing={"one": "{exchange}/nothing.png"},
        bad_data_url={"one": "data:text/plain;base64,@@@@"},
    ),
    *_some("file_round_trip", picture={"source": "{exchange}/photo.png"}, text={"source": TEXT_URL}),
    *_some(
        "secrets",
        hidden={"key": "hush-hush"},
        shown={"key": "hush-hush", "show": True},
        spare={"key": "k", "spare": "s"},
    ),
    *_some("decorated", nothing={}, given={"text": "t", "number": 1, "file": TEXT_URL}),
    *_some("keyword_only", nothing={"first": "f"}, given={"first": "f", "second": 3, "third": 1.5}),
    *_some("coders", point={"point": {"x": 1, "y": 2}}),
    *_some("older_spelling", plain={"prompt": "p"}, seed={"prompt": "p", "seed": 7, "num_outputs": 2}),
]

OUTPUTS = [
    *_each("output_values", "VALUES", "kind"),
    *_some("output_model", plain={"text": "t"}, with_file={"text": "t", "with_file": True}),
    *_some("output_pydantic", plain={}),
    *_some("output_typed_dict", plain={}),
    *_some("output_list", none={"count": 0}, one={"count": 1}, three={"count": 3}),
    *_some("output_files", three={"big_bytes": 1000}),
    *_some("iterator", none={"count": 0}, one={"count": 1}, three={}, fails={"fail_after": 2}),
    *_some("iterator_of_files", three={}),
    *_some("concatenate", all={}, none={"pieces": 0}, fails={"pieces": 2, "fail": True}),
    *_some("async_iterator", three={}, none={"count": 0}),
    *_some("token_stream", five={}, many={"count": 300}),
    *_some("picture", small={"size_bytes": 1000}),
    *_some("chat", words={"prompt": "one two three"}, inputs={"prompt": "your inputs"}),
    *_some("prompt_only", plain={"prompt": "p"}),
    *_some("beholder", question={"image": TEXT_URL, "question": "What?"}),
    *_some("painter", two={"prompt": "p", "num_outputs": 2}),
    *_some("listener", translated={"audio": TEXT_URL, "translate": True}),
    *_some("big_output", megabytes={"size_bytes": 7_000_000}),
]

FORMS = [
    *_some("empty", plain={"text": "t"}, nothing={}),
    *_some("concurrent_echo", plain={"text": "t"}),
    *_some("function", plain={}),
    *_some("async_function", plain={}),
    *_some("subdirectory", plain={}),
    *_some("inherited", plain={}),
    *_some("setup_weights", plain={"number": 2}),
    *_some("training", predict={"text": "t"}),
    *_some("adapted", predict={"text": "t"}),
]

RUNS = [
    *_some(
        "metrics", good={}, wrong={"kind": "wrong"}, changed={"kind": "changed type"}, fails={"fail": True}
    ),
    *_each("logs", "WAYS", "way", without=("unterminated",)),
    Scenario(model="logs", name="unterminated", input={"way": "unterminated"}, spoils=True),
    Scenario(model="async_logs", name="one", spoils=True),
    *_some("many_logs", some={"size_bytes": 100_000}),
    *_each("errors", "WAYS", "way"),
    *_each("async_errors", "WAYS", "way", without=("exit",)),
    Scenario(model="async_errors", name="exit", input={"way": "exit"}, spoils=True, cog_within_s=3),
    *_some("cancellable", not_at_all={"limit_s": 0.01}),
    *(
        Scenario(
            model="cancellable",
            name=way,
            input={"way": way, "limit_s": 1.5 if way == "sleeps" else 30},
            cancels=True,
        )
        for way in ("plain", "sleeps", "cleans up", "swallows", "other error", "not caught")
    ),
    Scenario(model="cancellable_iterator", name="plain", cancels=True, ignores=("output",)),
    *(
        Scenario(model="cancellable_async", name=way, input={"way": way}, cancels=True)
        for way in ("plain", "cleans up", "swallows")
    ),
    *(
        Scenario(model="crash", name=way, input={"way": way}, spoils=True, ignores=("logs",))
        for way in ("exit", "exit 0", "kill", "segfault", "abort")
    ),
]

SCENARIOS = INPUTS + OUTPUTS + FORMS + RUNS
