"""openai/whisper on a real server with a tiny checkpoint, asked by the published client.

The weights are random: what is written is nonsense, but it depends on the sound, the language and the task.
So these tests compare answers with each other, and times with the sound's length.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import replicate

from tests.catalog.conftest import Added
from tests.catalog.speech import LONG, SENTENCE, say
from tests.catalog.things import Lab
from tests.scenarios import api
from tests.servers import TOKEN, StokerServer

NAME = "openai/whisper"
PUBLISHED = "cdd97b257f93cb89dede1c7584df59efd8f09f98c99a9f02e1a23c6cf6ba7ab3"
SURFACES = Path(__file__).parents[2] / "../shared/reference/model-surfaces.json"
KEYS = [
    "id",
    "seek",
    "start",
    "end",
    "text",
    "tokens",
    "temperature",
    "avg_logprob",
    "compression_ratio",
    "no_speech_prob",
]
ONE_TRY = {"temperature_increment_on_fallback": 0}

Json = dict[str, Any]
Listen = Callable[..., Json]


@pytest.fixture(scope="module")
def version(added: Added) -> str:
    return added("whisper", NAME)


@pytest.fixture(scope="module")
def stock(server: StokerServer) -> Iterator[replicate.Client]:
    made = replicate.Client(api_token=TOKEN, base_url=server.base_url)
    yield made
    made._client.close()


@pytest.fixture
def client(server: StokerServer) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


@pytest.fixture(scope="module")
def listen(stock: replicate.Client, version: str) -> Listen:
    """``listen(path, language="en")``: the output for a file."""

    def run(path: Path, **given: Any) -> Json:
        with path.open("rb") as audio:
            return stock.run(
                f"{NAME}:{version}", input={"audio": audio, "language": "en", **ONE_TRY, **given}
            )

    return run


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    opened = Lab("whisper", "whisper_lab", tmp_path_factory.mktemp("lab") / "log")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return say(SENTENCE, tmp_path_factory.mktemp("speech") / "short.wav")


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return say(LONG, tmp_path_factory.mktemp("speech") / "long.wav")


@pytest.fixture(scope="module")
def heard(listen: Listen, long: Path) -> Json:
    """The long one, written down once."""
    return listen(long)


def seconds(path: Path) -> float:
    """How long a wav of espeak's is: 16 bits, 22,050 a second, after a header of 44 bytes."""
    return (path.stat().st_size - 44) / 2 / 22_050


def words(output: Json) -> list[Any]:
    """What is written, and when; not how sure the model is to the last digit."""
    return [[segment[key] for key in ("start", "end", "text", "tokens")] for segment in output["segments"]]


def times(subtitles: str) -> list[tuple[float, float]]:
    """When each line is shown, of either kind of subtitles."""
    stamp = r"(?:(\d\d):)?(\d\d):(\d\d)[.,](\d{3})"
    found = []
    for line in re.findall(rf"^{stamp} --> {stamp}$", subtitles, re.MULTILINE):
        start, end = (
            int(hours or 0) * 3600 + int(minutes) * 60 + int(whole) + int(rest) / 1000
            for hours, minutes, whole, rest in (line[:4], line[4:])
        )
        found.append((start, end))
    return found


def test_the_surface_is_the_published_one(client: httpx.Client, version: str) -> None:
    published = json.loads(SURFACES.read_text())[NAME]
    document = client.get(f"/v1/models/{NAME}/versions/{version}").json()["openapi_schema"]
    schemas = document["components"]["schemas"]
    ours = schemas["Input"]["properties"]
    assert sorted(ours, key=lambda name: ours[name]["x-order"]) == list(published["input"])
    for name, wanted in published["input"].items():
        shown = {
            key: value for key, value in ours[name].items() if key not in ("title", "description", "x-order")
        }
        if "allOf" in shown:
            chosen = schemas[shown.pop("allOf")[0]["$ref"].rpartition("/")[2]]
            shown |= {"enum": chosen["enum"], "type": chosen["type"]}
        assert shown == {key: value for key, value in wanted.items() if key != "note"}, name
        assert ours[name]["description"], name
    assert schemas["Input"]["required"] == published["required"]
    output = schemas["Output"]["properties"]
    assert list(output) == list(published["output"]["properties"])
    for name, wanted in published["output"]["properties"].items():
        assert wanted.items() <= output[name].items(), name


def test_plain_text(listen: Listen, short: Path) -> None:
    output = listen(short)
    assert output["segments"]
    assert output["transcription"] == "".join(segment["text"] for segment in output["segments"])
    assert output["transcription"].strip()
    assert output["detected_language"] == "english"
    assert (output["translation"], output["txt_file"], output["srt_file"]) == (None, None, None)


@pytest.mark.parametrize("suffix", ["flac", "mp3", "ogg", "m4a", "webm"])
def test_any_container_has_the_same_sound(
    lab: Lab, listen: Listen, short: Path, tmp_path: Path, suffix: str
) -> None:
    """What packs sound without loss gives the same words; of what loses some, the sound is nearly the same.

    The words need not be: random weights take the smallest difference for another word.
    """
    packed = tmp_path / f"speech.{suffix}"
    lab("convert", source=str(short), target=str(packed))
    compared = lab("likeness", first=str(short), second=str(packed))
    assert compared["likeness"] > 0.95
    assert compared["second"] == pytest.approx(compared["first"], abs=0.15)
    output = listen(packed)
    assert 0 < output["segments"][-1]["end"] <= round(compared["second"], 2) + 0.01
    if suffix == "flac":
        assert words(output) == words(listen(short))


def test_a_long_file_is_written_down_from_end_to_end(heard: Json, long: Path) -> None:
    length, segments = seconds(long), heard["segments"]
    assert length > 65, "several windows"
    assert [segment["id"] for segment in segments] == list(range(len(segments)))
    borders = [time for segment in segments for time in (segment["start"], segment["end"])]
    assert borders == sorted(borders)
    assert 0 <= borders[0] < 30
    assert length - 30 < borders[-1] <= length + 0.01
    assert len({segment["seek"] for segment in segments}) > 2
    for segment in segments:
        assert list(segment) == KEYS
        assert segment["start"] < segment["end"]
        assert segment["seek"] / 100 <= segment["start"] and segment["end"] <= segment["seek"] / 100 + 30
        assert segment["tokens"] and segment["text"].strip()
        assert segment["avg_logprob"] < 0 < segment["compression_ratio"]
        assert 0 <= segment["no_speech_prob"] <= 1


def test_subtitles_agree_with_the_segments(
    client: httpx.Client, server: StokerServer, listen: Listen, heard: Json, long: Path
) -> None:
    def read(url: str) -> str:
        return client.get(url).raise_for_status().text

    shown = [(segment["start"], segment["end"]) for segment in heard["segments"]]
    lines = [segment["text"].strip() for segment in heard["segments"]]
    srt = listen(long, transcription="srt")
    assert srt["segments"] == heard["segments"]
    blocks = srt["transcription"].strip().split("\n\n")
    assert [block.split("\n")[0] for block in blocks] == [str(number) for number in range(1, len(lines) + 1)]
    assert [block.split("\n")[2] for block in blocks] == lines
    assert times(srt["transcription"]) == [pytest.approx(pair) for pair in shown]
    assert read(srt["srt_file"]) == srt["transcription"]
    assert srt["srt_file"].partition("?")[0].endswith(".srt")
    assert read(srt["txt_file"]) == heard["transcription"].strip() + "\n"

    vtt = listen(long, transcription="vtt")
    header, *blocks = vtt["transcription"].strip().split("\n\n")
    assert header == "WEBVTT"
    assert [block.split("\n")[1] for block in blocks] == lines
    assert times(vtt["transcription"]) == [pytest.approx(pair) for pair in shown]
    assert read(vtt["txt_file"]) == heard["transcription"].strip() + "\n"
    assert vtt["srt_file"] is None

    instances = server.data_dir / "instances"
    left = Counter(path.relative_to(instances).parts[0] for path in instances.rglob("transcription.txt"))
    assert set(left.values()) == {1}, "an instance keeps no file of each prediction"


def test_the_language_matters_and_has_several_names(listen: Listen, short: Path) -> None:
    english, german, named = (listen(short, language=language) for language in ("en", "de", "German"))
    assert german == named
    assert german["detected_language"] == "german"
    assert german["transcription"] != english["transcription"]


def test_the_language_is_detected(listen: Listen, short: Path) -> None:
    detected = listen(short, language="auto")
    assert detected == listen(short, language=detected["detected_language"])


def test_a_translation_comes_beside_the_transcription(listen: Listen, short: Path) -> None:
    plain, translated = listen(short, language="de"), listen(short, language="de", translate=True)
    assert translated["segments"] == plain["segments"]
    assert translated["translation"].strip()
    assert translated["translation"] != translated["transcription"]


def test_words_from_before_matter(listen: Listen, heard: Json, long: Path, short: Path) -> None:
    assert listen(short, initial_prompt="Stoker, Cog")["transcription"] != listen(short)["transcription"]
    apart = listen(long, condition_on_previous_text=False)["segments"]
    assert apart[-1]["text"] != heard["segments"][-1]["text"]
    assert 2000 < sorted({segment["seek"] for segment in apart})[1] < 3000, "it is cut where it is quiet"
    borders = [time for segment in apart for time in (segment["start"], segment["end"])]
    assert borders == sorted(borders)
    assert seconds(long) - 30 < borders[-1] <= seconds(long) + 0.01


def test_suppressed_tokens_are_not_written(listen: Listen, short: Path) -> None:
    written = {token for segment in listen(short)["segments"] for token in segment["tokens"]}
    unwanted = min(written)
    other = listen(short, suppress_tokens=f"-1,{unwanted}")
    assert unwanted not in {token for segment in other["segments"] for token in segment["tokens"]}
    assert other["segments"], "other words take their place"


def test_a_bad_try_is_followed_by_others(listen: Listen, short: Path) -> None:
    def warmth(**given: Any) -> set[float]:
        output = listen(short, temperature_increment_on_fallback=0.5, **given)
        return {segment["temperature"] for segment in output["segments"]}

    never = {"compression_ratio_threshold": 1000, "logprob_threshold": -1000}
    assert warmth(**never) == {0}
    assert warmth(**never | {"compression_ratio_threshold": 0}) == {1}
    assert warmth(**never | {"logprob_threshold": 0, "no_speech_threshold": 1}) == {1}
    assert warmth(**never | {"temperature": 0.25}) == {0.25}


def test_chance_comes_again(listen: Listen, short: Path) -> None:
    first, second = listen(short, temperature=0.8), listen(short, temperature=0.8)
    assert first == second
    assert first["transcription"] != listen(short)["transcription"]


def test_silence_is_not_written_down(listen: Listen, short: Path) -> None:
    output = listen(short, no_speech_threshold=0, logprob_threshold=0, transcription="srt")
    assert (output["segments"], output["transcription"]) == ([], "")


def test_the_log_tells_what_is_done_otherwise(
    client: httpx.Client, stock: replicate.Client, version: str, short: Path
) -> None:
    with short.open("rb") as audio:
        file = stock.files.create(audio)
    ended = api.run(
        client, version, {"audio": file.urls["get"], "language": "en", "patience": 2, "model": "base"}
    )
    assert ended["status"] == "succeeded"
    assert "it is used instead of base" in ended["logs"]
    assert "knows patience 1 only" in ended["logs"]
    assert re.search(r"^\[00:0\d\.\d{3} --> 00:0\d\.\d{3}\]", ended["logs"], re.MULTILINE)
    assert ended["metrics"]["audio_seconds"] == pytest.approx(seconds(short), abs=0.01)


def test_a_cancel_ends_it_between_segments(
    client: httpx.Client,
    stock: replicate.Client,
    listen: Listen,
    heard: Json,
    version: str,
    long: Path,
    short: Path,
) -> None:
    with long.open("rb") as audio:
        file = stock.files.create(audio)
    created = api.create(client, version, {"audio": file.urls["get"], "language": "en", **ONE_TRY})
    api.when(client, created["id"], lambda prediction: "-->" in prediction["logs"])
    client.post(f"/v1/predictions/{created['id']}/cancel")
    ended = api.ended(client, created["id"])
    assert ended["status"] == "canceled"
    assert 0 < ended["logs"].count("-->") < len(heard["segments"])
    assert listen(short)["segments"], "the instance goes on with the next"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("notes.mp3", b"These are words and no sound.\n" * 40, "This is no audio file that can be read"),
        ("empty.wav", b"", "This is no audio file that can be read"),
        ("list.m3u8", b"#EXTM3U\n#EXTINF:9,\n/etc/hostname\n#EXT-X-ENDLIST\n", "This is no audio file"),
    ],
)
def test_what_is_no_sound_is_refused(
    client: httpx.Client, version: str, tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    sent = client.post("/v1/files", files={"content": (name, content, "application/octet-stream")})
    ended = api.run(client, version, {"audio": sent.json()["urls"]["get"]})
    assert ended["status"] == "failed"
    assert ended["error"].startswith(words)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            {"language": "klingon"},
            "Unknown language 'klingon': give a code ('de'), a name ('German'), or 'auto'.",
        ),
        ({"suppress_tokens": "a,b"}, "suppress_tokens must be numbers with commas, such as -1,50,77."),
        (
            {"suppress_tokens": "9999999"},
            "suppress_tokens has 9999999, which is no token of this checkpoint.",
        ),
        ({"temperature": -1}, "The temperature must not be below 0."),
        ({"patience": 0}, "The patience must be above 0."),
        ({"initial_prompt": "<|startoftranscript|>"}, "disallowed special token"),
    ],
)
def test_a_wrong_wish_is_refused(listen: Listen, short: Path, given: Json, words: str) -> None:
    with pytest.raises(replicate.exceptions.ModelError) as refused:
        listen(short, **given)
    assert words in str(refused.value)


def test_the_published_id_is_this_model(stock: replicate.Client, version: str, short: Path) -> None:
    with short.open("rb") as audio:
        output = stock.run(
            f"{NAME}:{PUBLISHED}", input={"audio": audio, "model": "large-v3", "language": "en"}
        )
    assert output["transcription"].strip()


def test_without_weights_it_says_so(lab: Lab) -> None:
    needed = "STOKER_CHECKPOINT is not set: this model needs a folder with Whisper's weights"
    assert lab("without_weights").startswith(needed)
