"""The rules of ignore files, case by case as Docker has them."""

import pytest

from stoker.core.errors import Invalid
from stoker.core.ignore import parse_ignore

CASES = [
    ("", "a", False),
    ("# a", "a", False),
    ("#a", "#a", False),
    ("a", "a", True),
    ("a", "a/b/c", True),
    ("a", "b/a", False),
    ("/a", "a", True),
    ("./a/", "a/b", True),
    ("a//b/../c", "a/c", True),
    ("*.pyc", "x.pyc", True),
    ("*.pyc", "a/x.pyc", False),
    ("**/*.pyc", "x.pyc", True),
    ("**/*.pyc", "a/b/x.pyc", True),
    ("**/__pycache__", "a/__pycache__/x.pyc", True),
    ("a/**", "a/b/c", True),
    ("a/**", "a", False),
    ("a/**/z", "a/z", True),
    ("a/**/z", "a/b/c/z", True),
    ("**", "a/b", True),
    ("*", "a/b", True),
    ("*/b", "a/b", True),
    ("a?c", "abc", True),
    ("a?c", "a/c", False),
    ("[a-c]x", "bx", True),
    ("[^a-c]x", "bx", False),
    ("[^a-c]x", "dx", True),
    ("a.b", "axb", False),
    ("a+(b){1}|$", "a+(b){1}|$", True),
    (r"\*", "*", True),
    (r"\*", "a", False),
    (r"\!a", "!a", True),
    ("  a  ", "a", True),
    ("*\n!keep", "keep", False),
    ("*\n!keep", "other", True),
    ("*\n! keep", "keep", False),
    ("a\n!a/b", "a/b", False),
    ("a\n!a/b", "a/c", True),
    ("!a\na", "a", True),
    ("*\n!a/**/b\na/x", "a/x/b", True),
    ("\ufeffa", "a", True),
    (".cog", ".cog/x", True),
    ("!.cog", ".cog/openapi_schema.json", True),
    ("", ".cog", True),
    ("", "a/.cog/x", False),
    ("*", "cog.yaml", False),
    ("*", "a/cog.yaml", True),
]


@pytest.mark.parametrize(("text", "path", "excluded"), CASES)
def test_a_path_is_excluded(text: str, path: str, excluded: bool) -> None:
    assert parse_ignore(text).excludes(path) is excluded


def test_the_second_file_goes_on_where_the_first_ends() -> None:
    rules = parse_ignore("*.bin", "!keep.bin")
    assert not rules.excludes("keep.bin")
    assert rules.excludes("other.bin")


def test_a_folder_is_pruned_unless_something_is_taken_back() -> None:
    assert parse_ignore("data").prunes("data")
    assert not parse_ignore("data\n!data/keep").prunes("data")
    assert not parse_ignore("data").prunes("src")
    assert parse_ignore("!.cog").prunes(".cog")


def test_a_broken_pattern_is_named() -> None:
    with pytest.raises(Invalid, match=r"\[z-a\]"):
        parse_ignore("[z-a]")
