"""Requirement lines: what reaches the resolver, what is refused."""

import pytest

from stoker.core.catalog import SourceFile
from stoker.core.errors import ConfigInvalid
from stoker.packaging.environments.requirements import Requirements, direct_specifier, read_requirements

WHEEL = SourceFile("parts/own-1.0-py3-none-any.whl", "a" * 64, 10)


def read(text: str) -> Requirements:
    files = {WHEEL.path: WHEEL}
    return read_requirements(text.splitlines(), folder="parts", files=files, place="requirements.txt")


KEPT = {
    "as written": ("six==1.17.0", "six==1.17.0"),
    "spelling": ("Six  >= 1.0 , <2", "Six<2,>=1.0"),
    "comment": ("six # the number", "six"),
    "fragment": (
        "git+https://git.test/a/b.git@main#egg=b&subdirectory=c",
        "git+https://git.test/a/b.git@main#egg=b&subdirectory=c",
    ),
    "name at address": ("b @ https://files.test/b.whl#sha256=00", "b @ https://files.test/b.whl#sha256=00"),
    "remote wheel": ("https://files.test/b.whl", "https://files.test/b.whl"),
    "editable repository": ("-e git+https://git.test/a#egg=a", "git+https://git.test/a#egg=a"),
    "marker": ("six; python_version<'3.12'", 'six; python_version < "3.12"'),
    "continuation": ("six>=1.0, \\\n  <2", "six<2,>=1.0"),
    "hash": ("six==1.0 --hash=sha256:00", "six==1.0 --hash=sha256:00"),
    "wheel of the project": ("./own-1.0-py3-none-any.whl", f"./{'a' * 64}/own-1.0-py3-none-any.whl"),
}


@pytest.mark.parametrize(("text", "line"), KEPT.values(), ids=KEPT.keys())
def test_a_line_is_kept(text: str, line: str) -> None:
    assert read(text).lines == (line,)


@pytest.mark.parametrize("text", ["", "# only a comment", "  ", "-e .", "--editable ./"])
def test_a_line_is_nothing(text: str) -> None:
    assert read(text) == Requirements()


@pytest.mark.parametrize(
    "text", ["cog", "cog==0.9", "coglet>=0.1", "Cog[tracing]", "cog @ https://x.test/c.whl"]
)
def test_the_sdk_is_left_out_with_a_warning(text: str) -> None:
    requirements = read(text)
    assert requirements.lines == ()
    assert "left out" in requirements.warnings[0]


def test_a_package_whose_name_begins_so_is_kept() -> None:
    assert read("cognitive==1.0").lines == ("cognitive==1.0",)


REFUSED = {
    "directory": ("./lib", "local directories"),
    "directory with slash": ("lib/own", "local directories"),
    "editable directory": ("-e ./lib", "local directories"),
    "file address": ("file:///tmp/a.whl", "file: URLs"),
    "name at path": ("own @ ./own-1.0-py3-none-any.whl", "a name with a local path"),
    "name at file": ("own @ file:///a.whl", "file: URLs"),
    "extras": ("./own-1.0-py3-none-any.whl[all]", "takes no extras"),
    "hash of a file": ("./own-1.0-py3-none-any.whl --hash=sha256:00", "takes no extras"),
    "missing file": ("./other.whl", "does not exist in the project"),
    "outside": ("../../own.tar.gz", "outside the project"),
    "absolute": ("/tmp/own.zip", "outside the project"),
    "included file": ("-r more.txt", "-r with a local file"),
    "joined option": ("-rmore.txt", "-r with a local file"),
    "long option": ("--find-links=./wheels", "--find-links with a local file"),
    "nonsense": ("six ==== 1", "not a requirement"),
}


@pytest.mark.parametrize(("text", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_a_line_is_refused(text: str, words: str) -> None:
    with pytest.raises(ConfigInvalid) as refused:
        read("six\n" + text)
    assert words in refused.value.message


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(ConfigInvalid) as refused:
        read("./a\n./b\nsix")
    assert refused.value.message.count("\n- ") == 2


def test_options_are_handed_on_and_files_are_remembered() -> None:
    read_back = read("--extra-index-url https://index.test/simple\n./own-1.0-py3-none-any.whl\nsix")
    assert read_back.options == ("--extra-index-url https://index.test/simple",)
    assert read_back.artifacts == (("a" * 64, "own-1.0-py3-none-any.whl"),)


def test_order_and_repetition_do_not_matter() -> None:
    assert read("b\na\nb") == read("a\nb")


def test_digests_are_noticed() -> None:
    assert read("six==1.0 \\\n  --hash=sha256:00").hashed
    assert not read("six").hashed


def test_what_the_lines_demand_of_one_package() -> None:
    lines = ["torch>=2.0", "torch<3", "torchvision", "https://x.test/a.whl"]
    assert direct_specifier(lines, "torch") == ">=2.0,<3"
    assert direct_specifier(lines, "torchvision") == ""
    assert direct_specifier(lines, "torchaudio") is None
