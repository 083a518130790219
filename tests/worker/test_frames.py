"""The protocol's frames, on both sides."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoker.core.errors import InstanceFailed
from stoker.engines import frames as server
from stoker_worker import frames as worker

FRAMES = st.lists(
    st.tuples(st.integers(0, 255), st.integers(0, 2**32 - 1), st.binary(max_size=300)), max_size=8
)


def numbers(module: object) -> dict[str, int]:
    return {name: value for name, value in vars(module).items() if name.isupper() and isinstance(value, int)}


def test_both_sides_have_the_same_numbers() -> None:
    assert numbers(server) == numbers(worker)
    assert len(numbers(server)) == 14


@given(FRAMES, st.lists(st.integers(1, 400), max_size=20))
def test_frames_survive_any_cut(sent: list[tuple[int, int, bytes]], cuts: list[int]) -> None:
    for module, decoder in ((server, server.Decoder(1000)), (worker, worker.Decoder())):
        data = b"".join(module.pack(*frame) for frame in sent)
        got = []
        for size in (*cuts, len(data) + 1):
            got += decoder.feed(data[:size])
            data = data[size:]
        assert got == sent


def test_a_frame_above_the_limit_is_refused() -> None:
    decoder = server.Decoder(10)
    assert decoder.feed(server.pack(1, 2, b"x" * 10)) == [(1, 2, b"x" * 10)]
    with pytest.raises(InstanceFailed):
        decoder.feed(server.pack(1, 2, b"x" * 11)[:9])


def test_text_that_is_not_unicode_is_escaped() -> None:
    assert worker.to_json({"error": "\ud800\u2603"}) == b'{"error":"\\ud800\\u2603"}'
    assert worker.to_json("\u2603") == '"\u2603"'.encode()
