"""The tiny Llama that learns to write words: what it reads, and that it learns more than their frequency."""

from collections.abc import Iterator

import pytest

from tests.catalog.things import Lab


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    opened = Lab("tiny", "tiny_lab", tmp_path_factory.mktemp("lab") / "log")
    yield opened
    opened.close()


def test_only_whole_sentences_of_common_words_are_read(lab: Lab) -> None:
    paragraph = "The file is read. The gnomon is odd. It is closed. The END"
    common = ["the", "file", "is", "read", "it", "closed", "odd", "end"]
    assert lab("rows", paragraph=paragraph, common=common) == ["The file is read.", "It is closed."]
    assert lab("rows", paragraph=paragraph, common=[*common, "gnomon"]) == [
        "The file is read. The gnomon is odd. It is closed."
    ]


def test_it_learns_what_follows_what(lab: Lab) -> None:
    found = lab("taught")
    assert found["loss"] < found["counting"] - 0.7
