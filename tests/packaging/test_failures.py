"""Builds that fail: each says why in a sentence and leaves nothing half made behind."""

import asyncio

import pytest

from stoker.core.catalog import SourceFile
from stoker.core.errors import Invalid
from stoker.packaging.commands import MARK
from tests.packaging.conftest import Play
from tests.packaging.yard import ECHO, ECHO_YAML, Yard, echo, ended, log, until
from tests.processes import with_variable

_WITH = "build:\n  python_version: '3.11'\n{}run: run.py:Runner\n"

FAILURES = {
    "broken yaml": (echo("build: [unclosed"), "not readable YAML"),
    "nothing to run": (echo("build:\n  python_version: '3.11'\n"), "no predict or train reference found"),
    "no such file": (echo("run: other.py:Runner\n"), "other.py does not exist"),
    "no such requirement": (
        echo(_WITH.format("  python_packages: [stoker-has-no-such-package-1f3c==1.0]\n")),
        "cannot be resolved",
    ),
    "conflict with the SDK": (
        echo(_WITH.format("  python_packages: ['structlog==20.1.0']\n")),
        "cannot be resolved",
    ),
    "failing command": (echo(_WITH.format("  run: ['echo before; exit 3']\n")), "exit status 3"),
    "secret": (
        echo(_WITH.format("  run: [{command: 'true', mounts: [{type: secret, id: key, target: /key}]}]\n")),
        "secret 'key'",
    ),
    "failing import": (echo(code="raise RuntimeError('no luck')\n"), "no luck"),
    "exit at import": (echo(code="import os\nos._exit(4)\n"), "exit status 4"),
    "no such class": (echo(code="x = 1\n"), "Runner"),
    "synchronous with slots": (echo(ECHO_YAML + "concurrency: {max: 4}\n"), "requires an async"),
    "remote weights": (
        echo(
            ECHO_YAML + "model: r.test/a/b\n"
            "weights: [{name: a, target: /src/w, source: {uri: 'hf://org/repo'}}]\n"
        ),
        "hf:// sources are not fetched",
    ),
}


@pytest.mark.parametrize(("tree", "words"), FAILURES.values(), ids=FAILURES.keys())
def test_it_fails_with_a_sentence(play: Play, tree: dict[str, str | bytes], words: str) -> None:
    async def story(yard: Yard) -> None:
        live = await yard.push(tree)
        assert live.seen.status == "failed"
        assert words in (live.seen.error or "")
        assert live.events[-1].data == {"detail": live.seen.error}
        assert live.seen.version is None
        folder = yard.folder / "scratch"
        assert not folder.exists() or not any(folder.iterdir())
        assert all((kept / "stoker.json").exists() for kept in yard.folder.glob("environments/*"))

    play(story)


def test_the_traceback_of_a_failing_import_is_in_the_log(play: Play) -> None:
    code = ECHO + "\ndef deep():\n    raise ValueError('from below')\n\ndeep()\n"

    async def story(yard: Yard) -> None:
        live = await yard.push(echo(code=code))
        assert 'run.py", line' in log(live)
        assert "ValueError: from below" in log(live)

    play(story)


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "../out.py",
        "a/../../b",
        "a//b",
        "./a",
        "",
        "a\0b",
        "a/" + "b" * 300,
        ".cog/weights.json",
    ],
)
def test_a_path_that_escapes_is_refused_at_once(play: Play, path: str) -> None:
    async def story(yard: Yard) -> None:
        files = [*await yard.files(echo()), SourceFile(path, "0" * 64, 1)]
        with pytest.raises(Invalid):
            await yard.builder.start(yard.model.ref, files)

    play(story)


def test_a_tree_without_cog_yaml_or_with_a_path_twice_is_refused(play: Play) -> None:
    async def story(yard: Yard) -> None:
        with pytest.raises(Invalid, match=r"cog\.yaml"):
            await yard.start({"run.py": ECHO})
        with pytest.raises(Invalid, match="twice"):
            await yard.builder.start(yard.model.ref, await yard.files(echo()) * 2)
        with pytest.raises(Invalid, match="a file and a folder"):
            await yard.start(echo(**{"run.py/inner.txt": "x"}))

    play(story)


def test_a_build_that_is_cut_off_leaves_nothing(play: Play) -> None:
    """The command starts a process in a session of its own, which must be found and ended too."""
    yaml = _WITH.format('  run: ["setsid sleep 600 & echo pid=$!; echo wait$((271828 + 1)); sleep 600"]\n')

    async def story(yard: Yard) -> None:
        live = await yard.start(echo(yaml))
        await until(live, "wait271829")
        assert not live.is_over, live.seen.error
        await yard.builder.close()
        await ended(live)
        assert live.seen.status == "failed"
        assert not any(yard.folder.glob("environments/*"))
        assert not any(yard.folder.glob("scratch/*"))
        assert not with_variable(MARK, of=yard.folder)

    play(story)


def test_what_a_killed_server_left_is_swept_at_the_next_start(play: Play) -> None:
    yaml = _WITH.format("  run: ['echo wait$((271828 + 1)); sleep 600']\n")

    async def story(yard: Yard) -> None:
        whole = await yard.push(echo())
        live = await yard.start(echo(yaml))
        await until(live, "wait271829")
        assert not live.is_over, live.seen.error
        half_made = [f for f in yard.folder.glob("environments/*") if not (f / "stoker.json").exists()]
        assert len(half_made) == 1
        (yard.folder / "scratch" / "left").mkdir()
        assert await yard.environments.sweep() == 1
        assert not half_made[0].exists()
        assert not any(yard.folder.glob("scratch/*"))
        assert (await yard.workspace.place(await yard.version(whole))).python.exists()
        await ended(live)
        assert live.seen.status == "failed"

    play(story)


def test_a_flood_of_output_is_bounded_and_keeps_its_end(play: Play) -> None:
    yaml = _WITH.format("  run: ['yes a-long-line-of-output | head -200000; echo the-end; exit 1']\n")

    async def story(yard: Yard) -> None:
        live = await yard.push(echo(yaml))
        assert len(log(live)) < 3 * 1024 * 1024
        assert "lines left out" in log(live)
        assert "the-end" in log(live)

    play(story)


def test_two_builds_of_one_new_environment_share_one_run(play: Play) -> None:
    yaml = _WITH.format("  run: ['echo once >> ~/count']\n")

    async def story(yard: Yard) -> None:
        lives = [await yard.start(echo(yaml, ECHO + f"# {n}\n")) for n in range(2)]
        builds = await asyncio.gather(*(ended(live) for live in lives))
        assert [build.status for build in builds] == ["succeeded", "succeeded"]
        counts = list(yard.folder.glob("environments/*/home/count"))
        assert [count.read_text() for count in counts] == ["once\n"]

    play(story)
