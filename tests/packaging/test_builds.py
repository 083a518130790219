"""Whole builds with real environments and real model processes."""

from pathlib import Path

import msgspec

from stoker.packaging.machine import Machine
from tests.packaging.conftest import Play
from tests.packaging.yard import ECHO, ECHO_YAML, Yard, echo, log


def test_a_project_becomes_a_version_that_can_run(play: Play) -> None:
    async def story(yard: Yard) -> None:
        live = await yard.push(echo(**{"data/words.txt": "one"}))
        version = await yard.version(live)
        assert live.seen.status == "succeeded"
        assert version.model == "local/echo"
        assert version.input_schema["properties"]["text"]["type"] == "string"
        assert version.recipe.predict == "run.py:Runner"
        assert version.recipe.environment_spec is not None
        place = await yard.workspace.place(version)
        assert place.python.exists()
        assert (place.source / "data/words.txt").read_text() == "one"
        schema = msgspec.json.decode((place.source / ".cog/openapi_schema.json").read_bytes())
        assert schema == version.openapi_schema
        assert not any(place.source.rglob("__pycache__"))
        assert not any((yard.folder / "scratch").iterdir())

    play(story)


def test_events_tell_the_stages_in_order_and_end_with_the_version(play: Play) -> None:
    async def story(yard: Yard) -> None:
        live = await yard.push(echo())
        stages = [event.data["stage"] for event in live.events if event.kind == "progress"]  # type: ignore[index]
        assert stages == ["source", "environment", "schema", "version"]
        assert live.events[-1].kind == "done"
        assert live.events[-1].data == {"version": live.seen.version, "cached": False}

    play(story)


def test_the_same_source_is_the_same_version_and_changed_code_shares_the_environment(play: Play) -> None:
    async def story(yard: Yard) -> None:
        first = await yard.push(echo())
        again = await yard.push(echo())
        changed = await yard.push(echo(code=ECHO + "# changed\n"))
        assert again.seen.version == first.seen.version
        assert again.events[-1].data == {"version": first.seen.version, "cached": True}
        assert changed.seen.version != first.seen.version
        versions = [await yard.version(live) for live in (first, changed)]
        assert len({version.recipe.environment for version in versions}) == 1
        assert len(list((yard.folder / "environments").iterdir())) == 1

    play(story)


def test_another_model_with_the_same_source_has_not_had_that_version(play: Play) -> None:
    async def story(yard: Yard) -> None:
        first = await yard.push(echo())
        yard.model = msgspec.structs.replace(yard.model, name="twin")
        await yard.store.models.create(yard.model)
        twin = await yard.push(echo())
        assert twin.events[-1].data == {"version": first.seen.version, "cached": False}

    play(story)


def test_a_readme_is_shown_when_the_push_brings_or_changes_it(play: Play) -> None:
    async def story(yard: Yard) -> None:
        async def shown() -> str:
            model = await yard.store.models.get("local", "echo")
            assert model is not None
            return model.readme

        await yard.push(echo(**{"docs/README.md": "# Another"}))
        assert await shown() == ""
        await yard.push(echo(**{"README.md": "# Écho"}))
        assert await shown() == "# Écho"
        await yard.store.models.update("local", "echo", readme="# By hand")
        await yard.push(echo(code=ECHO + "# changed\n", **{"README.md": "# Écho"}))
        assert await shown() == "# By hand"
        await yard.push(echo(**{"readme.md": "# Newer"}))
        assert await shown() == "# Newer"
        live = await yard.push(echo(**{"README.md": b"\xff\xfe"}))
        assert live.seen.status == "succeeded"
        assert "README is not shown" in log(live)
        assert await shown() == "# Newer"
        await yard.push(echo())
        assert await shown() == "# Newer"

    play(story)


def test_requirements_are_installed_and_commands_run_in_the_environment(play: Play) -> None:
    yaml = (
        'build:\n  python_version: "3.11"\n  python_requirements: requirements.txt\n'
        '  run:\n    - python -c "import six, sys; print(six.__name__, sys.prefix)"\n'
        "    - echo $GREETING; echo secret=$STOKER_TEST_SECRET; echo kept > ~/kept.txt\n"
        "environment:\n  - GREETING=good day\n"
        "run: run.py:Runner\n"
    )
    code = "import os, six\nprint(open(os.path.expanduser('~/kept.txt')).read())\n" + ECHO

    async def story(yard: Yard) -> None:
        live = await yard.push(echo(yaml, code, **{"requirements.txt": "six  # small\n"}))
        version = await yard.version(live)
        assert f"six {yard.folder}/environments/{version.recipe.environment}" in log(live)
        assert "good day" in log(live)
        assert "secret=\n" in log(live)
        assert "kept\n" in log(live).split("secret=\n")[1]
        assert version.recipe.variables == {"GREETING": "good day"}

    play(story)


def test_a_local_wheel_is_installed(play: Play, wheel: tuple[str, bytes]) -> None:
    name, content = wheel
    yaml = ECHO_YAML.replace("run:", "  python_requirements: parts/requirements.txt\nrun:")
    tree = {f"parts/{name}": content, "parts/requirements.txt": f"./{name}\n"}

    async def story(yard: Yard) -> None:
        live = await yard.push(echo(yaml, "import tiny_part\n" + ECHO, **tree))
        version = await yard.version(live)
        spec = version.recipe.environment_spec
        assert spec is not None
        assert [file for _, file in spec.artifacts] == [name]
        assert str(yard.folder) not in "".join(spec.lock)

    play(story)


def test_a_pushed_schema_is_used_as_it_is(play: Play) -> None:
    schema = {"components": {"schemas": {"Input": {"type": "object"}, "Output": {"type": "string"}}}}
    tree = echo(code="raise SystemExit(1)", **{".cog/openapi_schema.json": msgspec.json.encode(schema)})

    async def story(yard: Yard) -> None:
        version = await yard.version(await yard.push(tree))
        assert version.openapi_schema == schema

    play(story)


def test_weights_of_the_project_appear_at_their_target(play: Play) -> None:
    yaml = ECHO_YAML + (
        "model: registry.test/someone/echo\n"
        "weights:\n  - {name: small, target: /src/weights, source: {uri: files, exclude: [readme*]}}\n"
    )
    tree = echo(yaml, **{"files/a.bin": b"a", "files/readme.txt": "no"})

    async def story(yard: Yard) -> None:
        place = await yard.workspace.place(await yard.version(await yard.push(tree)))
        assert [path.name for path in (place.source / "weights").iterdir()] == ["a.bin"]

    play(story)


def test_warnings_are_kept_with_the_version(play: Play) -> None:
    yaml = ECHO_YAML + "colour: red\n"
    code = ECHO + '\nPLACE = "/src/weights"\n'

    async def story(yard: Yard) -> None:
        live = await yard.push(echo(yaml, code))
        version = await yard.version(live)
        assert version.recipe.warnings == live.seen.warnings
        assert '"colour" is not a key of cog.yaml and is ignored.' in live.seen.warnings
        assert any('"/src/" in run.py' in warning for warning in live.seen.warnings)

    play(story)


def test_a_model_on_gpus_is_built_for_gpus_whatever_its_cog_yaml_says(play: Play) -> None:
    async def story(yard: Yard) -> None:
        version = await yard.version(await yard.push(echo(), gpu=True))
        assert version.recipe.gpu

    play(story)


def test_strict_makes_warnings_errors(play: Play) -> None:
    async def story(yard: Yard) -> None:
        live = await yard.push(echo(ECHO_YAML + "colour: red\n"), strict=True)
        assert live.seen.status == "failed"
        assert '"colour" is not a key' in (live.seen.error or "")

    play(story)


def test_old_spelling_is_no_warning(play: Play) -> None:
    yaml = 'build:\n  python_version: "3.11"\npredict: predict.py:Predictor\n'
    code = "from cog import BasePredictor\nclass Predictor(BasePredictor):\n" + (
        "    def predict(self, text: str) -> str:\n        return text\n"
    )

    async def story(yard: Yard) -> None:
        live = await yard.push({"cog.yaml": yaml, "predict.py": code}, strict=True)
        assert live.seen.status == "succeeded", live.seen.error
        assert "deprecated" in log(live)

    play(story)


def test_what_the_machine_lacks_is_an_error_that_says_what_to_do(play: Play, tmp_path: Path) -> None:
    packages = ECHO_YAML.replace("run:", "  system_packages: [no-such-package-here]\nrun:")
    gpu = ECHO_YAML.replace("run:", "  gpu: true\nrun:")

    async def story(yard: Yard) -> None:
        lacking = await yard.push(echo(packages))
        assert "apt-get install no-such-package-here" in (lacking.seen.error or "")
        no_gpu = await yard.push(echo(gpu))
        assert "no NVIDIA GPU" in (no_gpu.seen.error or "")

    listing = tmp_path / "dpkg-query"
    listing.write_text("#!/bin/sh\nprintf 'bash\\tinstall ok installed\\t\\n'\n")
    listing.chmod(0o755)
    play(story, machine=Machine(dpkg_query=str(listing), devices=tmp_path))
