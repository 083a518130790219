import pytest

from stoker.core.links import Links

LINKS = Links("https://models.example", b"k" * 32)
SECOND_US = 1_000_000


def pass_of(url: str) -> str:
    return url.split("/")[-2]


def test_every_url_has_a_single_v1():
    urls = LINKS.prediction("p", stream_key="key", files=False)
    assert urls["get"] == "https://models.example/v1/predictions/p"
    assert urls["cancel"] == "https://models.example/v1/predictions/p/cancel"
    assert urls["stream"] == "https://models.example/v1/streams/key"


def test_streams_of_files_begin_with_files_and_those_of_text_do_not():
    """Gotcha 8: the JavaScript client tells them apart by the path."""
    assert "/v1/files/" in LINKS.prediction("p", stream_key="key", files=True)["stream"]
    assert "/v1/files/" not in LINKS.prediction("p", stream_key="key", files=False)["stream"]


def test_a_model_that_cannot_stream_has_no_stream_url():
    """Gotcha 3: the key is left out, never null."""
    assert "stream" not in LINKS.prediction("p", stream_key=None, files=False)


def test_a_content_link_opens_until_it_expires():
    url = LINKS.content("f", "a b.png", expires_us=10 * SECOND_US)
    assert url.endswith("/a%20b.png")
    assert LINKS.opens("f", pass_of(url), now_us=10 * SECOND_US)
    assert not LINKS.opens("f", pass_of(url), now_us=10 * SECOND_US + 1)


@pytest.mark.parametrize(
    ("name", "last"),
    [("a/b c.png", "a_b%20c.png"), ("a/", "a_"), ("..", "file"), (".", "file"), ("", "file"), ("...", "...")],
)
def test_a_name_is_one_part_of_a_content_links_path(name: str, last: str):
    assert LINKS.content("f", name, expires_us=SECOND_US).partition("/delivery/f/")[2].split("/")[1:] == [
        last
    ]


@pytest.mark.parametrize(
    "forged", ["", "-", "99", "99-", "99-AAAA", "x-AAAA", "-1-AAAA", "99-\u00e9", "\u0663-A"]
)
def test_a_forged_pass_opens_nothing(forged: str):
    assert not LINKS.opens("f", forged, now_us=0)


def test_a_pass_is_good_for_its_own_file_only():
    url = LINKS.content("f", "n", expires_us=10 * SECOND_US)
    assert not LINKS.opens("g", pass_of(url), now_us=0)
    assert not Links("https://models.example", b"x" * 32).opens("f", pass_of(url), now_us=0)


def test_our_own_file_urls_are_recognised():
    assert LINKS.own_file(LINKS.file("abc")) == "abc"
    assert LINKS.own_file(LINKS.content("abc", "n.txt", expires_us=1)) == "abc"
    assert LINKS.own_file("https://models.example/v1/v1/files/abc") == "abc"


def test_other_urls_are_not():
    assert LINKS.own_file("https://models.example.evil/v1/files/abc") is None
    assert LINKS.own_file("https://models.example/v1/predictions/abc") is None
    assert LINKS.own_file("https://models.example/v1/files/stream-abc") is None
    assert LINKS.own_file("hello") is None
