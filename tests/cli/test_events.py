"""Server-sent events as the wire brings them, in one piece or in many."""

import pytest

from stoker.cli.server.events import Event, parse

WIRE = (
    b": hi\n\n"
    b"event: output\nid: 1:0\ndata: Once upon\n\n"
    b"event: output\r\nid: 2:0\r\ndata:  a time\r\ndata: \r\ndata: there\r\n\r\n"
    b": still here\n\n"
    b"event: output\ndata: \xe2\x80\xa8\xc3\xbc\n\n"
    b"data: plain\n\n"
    b"event: done\nid: 3:0\ndata: {}\n\n"
    b"event: output\ndata: cut o"
)
EVENTS = [
    Event("output", "Once upon", "1:0"),
    Event("output", " a time\n\nthere", "2:0"),
    Event("output", "\u2028ü", "2:0"),
    Event("message", "plain", "2:0"),
    Event("done", "{}", "3:0"),
]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_chunks_of_any_size(size: int) -> None:
    chunks = (WIRE[at : at + size] for at in range(0, len(WIRE), size))
    assert list(parse(chunks)) == EVENTS
