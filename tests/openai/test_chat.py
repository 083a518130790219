"""Chat completions: what goes in, what comes out, whole and streamed."""

import asyncio
import base64
import json
from typing import Any

import pytest
from openai import APIError, AsyncOpenAI, BadRequestError, InternalServerError, OpenAI

from tests.openai.conftest import Named
from tests.servers import TOKEN, StokerServer

HELLO: list[Any] = [{"role": "user", "content": "one two three"}]
YOUR_INPUTS: list[Any] = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "your inputs"},
]


def test_a_chat(client: OpenAI, model: Named):
    answer = client.chat.completions.create(model=model("chat"), messages=HELLO)
    assert (answer.object, answer.model) == ("chat.completion", "local/chat")
    (choice,) = answer.choices
    assert (choice.index, choice.message.role, choice.message.content) == (0, "assistant", "one two three")
    assert choice.finish_reason == "stop"
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (
        3,
        3,
        6,
    )


def test_it_is_a_prediction_like_all_others(client: OpenAI, model: Named, server: StokerServer):
    answer = client.chat.completions.create(model=model("chat"), messages=HELLO)
    id = answer.id.removeprefix("chatcmpl-")
    with server.client() as http:
        prediction = http.get(f"/v1/predictions/{id}").json()
    assert answer._request_id == id
    assert (prediction["model"], prediction["status"], prediction["source"]) == (
        "local/chat",
        "succeeded",
        "api",
    )
    assert "".join(prediction["output"]) == answer.choices[0].message.content
    assert prediction["version"] == answer.system_fingerprint
    assert prediction["metrics"]["output_token_count"] == 3
    assert prediction["metrics"]["predict_time"] > 0


def test_what_is_cut_off_says_so(client: OpenAI, model: Named):
    for cut in ({"max_tokens": 2}, {"max_completion_tokens": 2}):
        answer = client.chat.completions.create(model=model("chat"), messages=HELLO, **cut)
        assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == ("one two", "length")


@pytest.mark.parametrize(
    ("said", "most", "told"),
    [
        ("my reason is length", 9, "length"),
        ("my reason is stop", 4, "stop"),
        ("my reason is other", 4, "length"),
    ],
)
def test_a_model_may_say_itself_why_it_ended(client: OpenAI, model: Named, said: str, most: int, told: str):
    asked = [{"role": "user", "content": said}]
    answer = client.chat.completions.create(model=model("chat"), messages=asked, max_tokens=most)
    assert answer.choices[0].finish_reason == told
    *_, last = client.chat.completions.create(
        model=model("chat"), messages=asked, max_tokens=most, stream=True
    )
    assert last.choices[0].finish_reason == told


def test_every_parameter_reaches_its_input(client: OpenAI, model: Named):
    answer = client.chat.completions.create(
        model=model("chat"),
        messages=YOUR_INPUTS,
        temperature=0.25,
        top_p=0.5,
        max_completion_tokens=7,
        presence_penalty=0.5,
        frequency_penalty=0,
        stop=["###", "END"],
        seed=11,
        user="somebody",
        metadata={"a": "b"},
        extra_body={"top_k": 3},
    )
    given = json.loads(answer.choices[0].message.content or "")
    assert json.loads(given.pop("messages")) == YOUR_INPUTS
    assert given == {
        "prompt": "",
        "system_prompt": "You are a helpful assistant.",
        "max_tokens": 7,
        "temperature": 0.25,
        "top_p": 0.5,
        "top_k": 3,
        "presence_penalty": 0.5,
        "stop_sequences": "###,END",
        "prompt_template": "",
        "seed": 11,
    }


def test_several_answers_have_seeds_that_count_on(client: OpenAI, model: Named):
    answer = client.chat.completions.create(model=model("chat"), messages=YOUR_INPUTS, n=3, seed=5)
    seeds = [json.loads(choice.message.content or "")["seed"] for choice in answer.choices]
    assert (seeds, [choice.index for choice in answer.choices]) == ([5, 6, 7], [0, 1, 2])


def test_a_stream_has_a_chunk_for_each_output(client: OpenAI, model: Named):
    stream = client.chat.completions.create(model=model("chat"), messages=HELLO, stream=True)
    chunks = list(stream)
    assert [chunk.choices[0].delta.content for chunk in chunks] == ["", "one", " two", " three", None]
    assert [chunk.choices[0].delta.role for chunk in chunks] == ["assistant", None, None, None, None]
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None, None, None, None, "stop"]
    assert len({chunk.id for chunk in chunks}) == 1
    assert {chunk.object for chunk in chunks} == {"chat.completion.chunk"}
    assert {chunk.usage for chunk in chunks} == {None}


def test_a_stream_with_usage(client: OpenAI, model: Named):
    stream = client.chat.completions.create(
        model=model("chat"),
        messages=HELLO,
        max_tokens=2,
        n=2,
        stream=True,
        stream_options={"include_usage": True},
    )
    *chunks, last = stream
    texts = ["", ""]
    for chunk in chunks:
        texts[chunk.choices[0].index] += chunk.choices[0].delta.content or ""
    assert texts == ["one two", "one two"]
    assert [chunk.choices[0].finish_reason for chunk in chunks].count("length") == 2
    assert last.choices == []
    assert last.usage is not None and (last.usage.prompt_tokens, last.usage.completion_tokens) == (6, 4)


def test_the_clients_own_helper_for_streams(client: OpenAI, model: Named):
    with client.chat.completions.stream(model=model("chat"), messages=HELLO) as stream:
        assert "".join(event.delta for event in stream if event.type == "content.delta") == "one two three"
        assert stream.get_final_completion().choices[0].message.content == "one two three"


def test_async(server: StokerServer, model: Named):
    name = model("chat")

    async def play() -> tuple[str | None, str]:
        async with AsyncOpenAI(api_key=TOKEN, base_url=f"{server.base_url}/openai/v1") as client:
            whole = await client.chat.completions.create(model=name, messages=HELLO)
            stream = await client.chat.completions.create(model=name, messages=HELLO, stream=True)
            pieces = [chunk.choices[0].delta.content or "" async for chunk in stream]
            return whole.choices[0].message.content, "".join(pieces)

    assert asyncio.run(play()) == ("one two three", "one two three")


def test_a_model_with_only_a_prompt(client: OpenAI, model: Named):
    """Without an input for the system's words they stand before; several turns are told who said them."""
    name = model("prompt_only")
    single = client.chat.completions.create(model=name, messages=HELLO, temperature=1, top_p=1)
    assert single.choices[0].message.content == "<one two three>"
    assert single.usage is None
    talk: list[Any] = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Hi"}, {"type": "text", "text": "there"}]},
        {"role": "assistant", "content": "Hello"},
        {"role": "user", "content": "And?"},
    ]
    several = client.chat.completions.create(model=name, messages=talk)
    spoken = "Be brief.\n\nUser: Hi\nthere\n\nAssistant: Hello\n\nUser: And?\n\nAssistant:"
    assert several.choices[0].message.content == f"<{spoken}>"
    stream = client.chat.completions.create(model=name, messages=HELLO, stream=True)
    assert [chunk.choices[0].delta.content for chunk in stream] == ["", "<one two three>", None]


def test_a_model_that_sees(client: OpenAI, model: Named):
    picture = "data:image/png;base64," + base64.b64encode(b"a cat").decode()
    talk: list[Any] = [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is it?"},
                {"type": "image_url", "image_url": {"url": picture}},
            ],
        }
    ]
    answer = client.chat.completions.create(model=model("beholder"), messages=talk)
    assert answer.choices[0].message.content == "What is it? a cat"
    with pytest.raises(BadRequestError) as blind:
        client.chat.completions.create(model=model("beholder"), messages=HELLO)
    assert "image is required" in blind.value.message
    with pytest.raises(BadRequestError, match="takes no pictures"):
        client.chat.completions.create(model=model("chat"), messages=talk)


@pytest.mark.parametrize(
    ("asked", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "tool", "content": "x", "tool_call_id": "1"}]}, "messages.0.role"),
        ({"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]}, "messages.0.content.0"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "tools"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"logprobs": True}, "logprobs"),
        ({"frequency_penalty": 0.5}, "frequency_penalty"),
        ({"stop": ["a,b"]}, "stop"),
        ({"n": 0}, "n"),
        ({"n": 129}, "n"),
        ({"n": True}, "n"),
        ({"max_completion_tokens": 0}, "max_completion_tokens"),
        ({"temperature": 9}, "temperature"),
        ({"temperature": "warm"}, "temperature"),
        ({"extra_body": {"nobody_knows": 1}}, "nobody_knows"),
    ],
    ids=str,
)
def test_what_cannot_be_taken_is_named(client: OpenAI, model: Named, asked: dict[str, Any], param: str):
    wanted: dict[str, Any] = {"model": model("chat"), "messages": HELLO} | asked
    with pytest.raises(BadRequestError) as refused:
        client.chat.completions.create(**wanted)
    assert (refused.value.param, refused.value.type) == (param, "invalid_request_error")
    assert refused.value.message


def test_a_prediction_that_fails(client: OpenAI, model: Named):
    fall: list[Any] = [{"role": "user", "content": "fall over"}]
    with pytest.raises(InternalServerError) as failed:
        client.chat.completions.create(model=model("chat"), messages=fall)
    assert (failed.value.code, failed.value.body["message"]) == ("prediction_failed", "fell over")
    assert failed.value.response.headers["x-should-retry"] == "false"
    pieces: list[str] = []
    with pytest.raises(APIError, match="fell over") as broken:
        for chunk in client.chat.completions.create(model=model("chat"), messages=fall, stream=True):
            pieces.append(chunk.choices[0].delta.content or "")
    assert (broken.value.code, "".join(pieces)) == ("prediction_failed", "fall over")
    with pytest.raises(InternalServerError, match="fell over"):
        client.chat.completions.create(model=model("prompt_only"), messages=fall, stream=True)


def test_who_hangs_up_ends_the_prediction(client: OpenAI, model: Named, server: StokerServer):
    for_ever: list[Any] = [{"role": "user", "content": "for ever"}]
    with client.chat.completions.create(model=model("chat"), messages=for_ever, stream=True) as stream:
        id = next(iter(stream)).id.removeprefix("chatcmpl-")
    with server.client() as http:
        url = http.get(f"/v1/predictions/{id}").json()["urls"]["stream"]
        assert http.get(url).text.endswith('data: {"reason":"canceled"}\n\n')
        assert http.get(f"/v1/predictions/{id}").json()["status"] == "canceled"
