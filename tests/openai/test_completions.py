"""Completions: the prompt goes in as it is."""

import json
from typing import Any

import pytest
from openai import BadRequestError, OpenAI

from tests.openai.conftest import Named


def test_a_completion(client: OpenAI, model: Named):
    answer = client.completions.create(model=model("chat"), prompt="one two three", max_tokens=2)
    assert (answer.object, answer.id.startswith("cmpl-")) == ("text_completion", True)
    (choice,) = answer.choices
    assert (choice.index, choice.text, choice.finish_reason) == (0, "one two", "length")
    assert answer.usage is not None and answer.usage.total_tokens == 5


def test_no_template_of_a_chat_is_put_around_it(client: OpenAI, model: Named):
    answer = client.completions.create(model=model("chat"), prompt="your inputs", temperature=0, stop="END")
    given = json.loads(answer.choices[0].text)
    assert (given["prompt"], given["messages"], given["prompt_template"]) == ("your inputs", "", "{prompt}")
    assert (given["temperature"], given["stop_sequences"]) == (0, "END")
    own: dict[str, Any] = {"prompt_template": "[{prompt}]"}
    answer = client.completions.create(model=model("chat"), prompt="your inputs", extra_body=own)
    assert json.loads(answer.choices[0].text)["prompt_template"] == "[{prompt}]"


def test_several_prompts(client: OpenAI, model: Named):
    answer = client.completions.create(model=model("prompt_only"), prompt=["a", "b"], n=2)
    assert [(choice.index, choice.text) for choice in answer.choices] == [
        (0, "<a>"),
        (1, "<a>"),
        (2, "<b>"),
        (3, "<b>"),
    ]


def test_a_stream(client: OpenAI, model: Named):
    stream = client.completions.create(model=model("chat"), prompt="one two", stream=True)
    told = [(chunk.choices[0].text, chunk.choices[0].finish_reason) for chunk in stream]
    assert told == [("one", None), (" two", None), ("", "stop")]


@pytest.mark.parametrize(
    ("asked", "param"),
    [
        ({"prompt": [1, 2, 3]}, "prompt"),
        ({"prompt": None}, "prompt"),
        ({"prompt": []}, "prompt"),
        ({"prompt": "x", "echo": True}, "echo"),
        ({"prompt": "x", "suffix": "y"}, "suffix"),
        ({"prompt": "x", "logprobs": 2}, "logprobs"),
        ({"prompt": ["x"] * 65, "n": 2}, "n"),
    ],
    ids=str,
)
def test_what_cannot_be_taken_is_named(client: OpenAI, model: Named, asked: dict[str, Any], param: str):
    with pytest.raises(BadRequestError) as refused:
        client.completions.create(model=model("chat"), **asked)
    assert refused.value.param == param
