"""What models/whisper is made of, each part by itself, where torch is (``lab``)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.catalog.conftest import Tiny
from tests.catalog.speech import LONG, SENTENCE, say
from tests.catalog.things import Lab


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    opened = Lab("whisper", "whisper_lab", tmp_path_factory.mktemp("lab") / "log")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def checkpoint(tiny: Tiny) -> str:
    return str(tiny("whisper"))


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(say(SENTENCE, tmp_path_factory.mktemp("speech") / "short.wav"))


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(say(LONG, tmp_path_factory.mktemp("speech") / "long.wav"))


@pytest.mark.parametrize(
    ("task", "language", "begins"),
    [
        ("transcribe", "de", ["<|startoftranscript|>", "<|de|>", "<|transcribe|>"]),
        ("translate", "japanese", ["<|startoftranscript|>", "<|ja|>", "<|translate|>"]),
        ("translate", "Castilian", ["<|startoftranscript|>", "<|es|>", "<|translate|>"]),
    ],
)
def test_language_and_task_reach_the_decoder(
    lab: Lab, checkpoint: str, short: str, task: str, language: str, begins: list[str]
) -> None:
    heard = lab("hearing", checkpoint=checkpoint, audio=short, task=task, language=language)
    assert heard["starts"] == [begins]


def test_a_detected_language_reaches_the_decoder(lab: Lab, checkpoint: str, short: str) -> None:
    code, share = lab("detected", checkpoint=checkpoint, audio=short)
    assert 0 < share <= 1
    heard = lab("hearing", checkpoint=checkpoint, audio=short, task="transcribe", language="auto")
    assert heard["starts"][0][1] == f"<|{code}|>"


def test_each_window_sees_the_words_before_it(lab: Lab, checkpoint: str, long: str) -> None:
    heard = lab(
        "hearing",
        checkpoint=checkpoint,
        audio=long,
        task="transcribe",
        language="en",
        prompt="Stoker and Cog",
    )
    first, *later = heard["starts"]
    assert later
    assert first[0] == "<|startofprev|>"
    assert "".join(first[1:-3]).replace("Ġ", " ") == " Stoker and Cog"
    written = [token for start in later for token in start[1:-3]]
    assert any(token.startswith("<|") for token in written), "times are shown, too"
    assert max(len(start) for start in later) <= 1 + 47 + 3, "half of the places"
    apart = lab(
        "hearing",
        checkpoint=checkpoint,
        audio=long,
        task="transcribe",
        language="en",
        prompt="Stoker and Cog",
        remember=False,
    )
    assert apart["starts"][0] == first
    assert {tuple(start) for start in apart["starts"][1:]} == {tuple(first[-3:])}


def test_a_model_that_knows_english_alone(lab: Lab, checkpoint: str, short: str, tmp_path: Path) -> None:
    lab("english_only", checkpoint=checkpoint, target=str(tmp_path))

    def hear(task: str, language: str) -> Any:
        return lab("hearing", checkpoint=str(tmp_path), audio=short, task=task, language=language)

    assert hear("transcribe", "en") == hear("transcribe", "auto")
    assert hear("transcribe", "auto")["segments"]
    assert hear("transcribe", "fr") == "This checkpoint does not know french."
    assert hear("translate", "en") == "This checkpoint knows English alone and cannot translate."


@pytest.mark.parametrize("wished", [{}, {"beams": 3}])
def test_windows_at_once_are_decoded_as_each_alone(lab: Lab, checkpoint: str, long: str, wished: Any) -> None:
    together, alone = lab("batch", checkpoint=checkpoint, audio=long, **wished)
    assert [tokens for tokens, _, _ in together] == [tokens for tokens, _, _ in alone]
    for (_, *sure), (_, *sure_alone) in zip(together, alone, strict=True):
        assert sure == pytest.approx(sure_alone, rel=1e-3, abs=1e-6)
    assert len({tuple(tokens) for tokens, _, _ in alone}) == len(alone)


def test_only_bad_tries_are_repeated(lab: Lab, checkpoint: str, long: str) -> None:
    _, plain = lab("batch", checkpoint=checkpoint, audio=long)
    bounds = sorted(certainty for _, certainty, _ in plain)
    between = (bounds[1] + bounds[2]) / 2
    tried, _ = lab("batch", checkpoint=checkpoint, audio=long, temperatures=[0, 1], logprob_threshold=between)
    kept = [one[0] == other[0] for one, other in zip(tried, plain, strict=True)]
    assert kept == [certainty >= between for _, certainty, _ in plain]


def test_sound_is_cut_where_it_is_quiet(lab: Lab, tmp_path: Path) -> None:
    path, pauses = str(tmp_path / "tone.wav"), [[24, 24.5], [47.2, 47.6], [68, 68.4]]
    lab("tone", target=path, seconds=80, silent=pauses)
    pieces = lab("windows", audio=path)
    assert [start for start, _ in pieces] == [0, *(end for _, end in pieces[:-1])]
    for (_, cut), (start, end) in zip(pieces[:-1], pauses, strict=True):
        assert start < cut < end
    assert pieces[-1][1] == 80


def test_the_spectrum_is_that_of_transformers(lab: Lab, checkpoint: str, short: str, tmp_path: Path) -> None:
    assert lab("features", checkpoint=checkpoint, audio=short) < 1e-5
    path = str(tmp_path / "tone.wav")
    lab("tone", target=path, seconds=400, silent=[[299, 301]])
    # Windows around the end of a stretch of five minutes.
    for first in (27_500, 29_999, 30_000, 31_000):
        assert lab("seam", checkpoint=checkpoint, audio=path, first=first) < 1e-4


@pytest.mark.parametrize(
    ("tokens", "length", "pieces", "goes_on"),
    [
        # Times are 100 and more; 150 is 1.00 s, which is frame 100.
        (
            [100, 7, 8, 150, 150, 9, 200, 200],
            3000,
            [[0, 100, [100, 7, 8, 150]], [100, 200, [150, 9, 200]]],
            200,
        ),
        ([100, 7, 150, 160, 9, 200, 200, 5], 3000, [[0, 100, [100, 7, 150]], [120, 200, [160, 9, 200]]], 200),
        ([100, 7, 150, 160, 9, 200], 3000, [[0, 100, [100, 7, 150]], [120, 200, [160, 9, 200]]], 3000),
        ([110, 7, 150], 900, [[20, 100, [110, 7, 150]]], 900),
        ([110, 7, 8], 900, [[20, 900, [110, 7, 8]]], 900),
        ([], 900, [[0, 900, []]], 900),
        ([100, 7, 1000, 1000], 500, [[0, 1800, [100, 7, 1000]]], 500),
    ],
)
def test_pieces(lab: Lab, tokens: list[int], length: int, pieces: list[Any], goes_on: int) -> None:
    assert lab("pieces", tokens=tokens, length=length) == [pieces, goes_on]


def test_subtitles_of_hours_and_of_signs(lab: Lab) -> None:
    srt, vtt = lab(
        "subtitles",
        segments=[
            {"start": 0, "end": 59.9996, "text": " a --> b "},
            {"start": 3599.9996, "end": 36_000.5, "text": "1 < 2 &\n3"},
        ],
    )
    assert srt == (
        "1\n00:00:00,000 --> 00:01:00,000\na -> b\n\n2\n01:00:00,000 --> 10:00:00,500\n1 < 2 & 3\n"
    )
    assert vtt == (
        "WEBVTT\n\n00:00.000 --> 01:00.000\na -&gt; b\n\n01:00:00.000 --> 10:00:00.500\n1 &lt; 2 &amp; 3\n"
    )


@pytest.mark.parametrize(
    ("first", "increment", "tries"),
    [
        (0, 0.2, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (0.3, 0.3, [0.3, 0.6, 0.9]),
        (0, None, [0]),
        (0.5, 0, [0.5]),
        (0.5, -1, [0.5]),
        (2, 0.2, [2]),
    ],
)
def test_temperatures(lab: Lab, first: float, increment: float | None, tries: list[float]) -> None:
    assert lab("tries", first=first, increment=increment) == pytest.approx(tries)


def test_patience_is_a_search_with_beams(lab: Lab) -> None:
    assert [lab("searched", patience=patience) for patience in (None, 1, 2.5)] == [1, 5, 5]


def test_what_is_never_written(lab: Lab, checkpoint: str) -> None:
    own = lab("unwritten", checkpoint=checkpoint, written="-1")
    marks = lab("unwritten", checkpoint=checkpoint, written="")
    assert set(marks) < set(own), "the marks cannot be asked for, the signs can"
    assert set(lab("unwritten", checkpoint=checkpoint, written="-1, 300")) == {*own, 300}
    assert set(lab("unwritten", checkpoint=checkpoint, written="300")) == {*marks, 300}
    assert lab("unwritten", checkpoint=checkpoint, written="-2").startswith("suppress_tokens has -2")


def test_a_folder_with_several_sizes(lab: Lab, checkpoint: str, tmp_path: Path) -> None:
    for name in ("whisper-tiny", "base", "whisper-large"):
        (tmp_path / name).symlink_to(checkpoint)
    sizes = "['base', 'large-v1', 'tiny'], first large-v1"
    assert lab("taken", folder=str(tmp_path), size="tiny") == f"tiny of {sizes}"
    assert lab("taken", folder=str(tmp_path), size="large-v1") == f"large-v1 of {sizes}"
    wrong = lab("taken", folder=str(tmp_path), size="large-v3")
    assert wrong == "refused: There is no large-v3 here; there are base, large-v1, tiny."


def test_a_folder_with_one_or_none(lab: Lab, checkpoint: str, tmp_path: Path) -> None:
    assert lab("taken", folder=checkpoint, size="large-v3").startswith("the given one of")
    assert "holds no Whisper weights" in lab("taken", folder=str(tmp_path), size="tiny")
    (tmp_path / "config.json").write_text('{"model_type": "llama"}')
    other = lab("taken", folder=str(tmp_path), size="tiny")
    assert other == f"refused: {tmp_path} holds no Whisper weights: its config.json says model_type llama."


def test_what_has_no_sound(lab: Lab, tmp_path: Path, short: str) -> None:
    header, cut = tmp_path / "header.wav", tmp_path / "cut.wav"
    header.write_bytes(Path(short).read_bytes()[:44])
    assert lab("refusal", path=str(header)) == "The audio file is empty: there is no sound to hear."
    cut.write_bytes(Path(short).read_bytes()[:60_000])
    assert lab("refusal", path=str(cut)) == "", "what there is of it can be heard"
    playlist = tmp_path / "list.ffconcat"
    playlist.write_text(f"ffconcat version 1.0\nfile {short}\n")
    assert lab("refusal", path=str(playlist)).startswith("This is no audio file")
