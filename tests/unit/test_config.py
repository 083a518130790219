"""Where settings come from, and what is said of those that cannot be used."""

from pathlib import Path

import pytest

from stoker.main.config import ConfigError, load, misspelt


def test_flags_come_before_the_environment_and_that_before_the_file(tmp_path: Path):
    file = tmp_path / "stoker.toml"
    file.write_text('port = 1\nidle_s = 1\naccount = "filed"\n')
    environ = {"STOKER_PORT": "2", "STOKER_IDLE_S": "2.5", "STOKER_HOME": str(tmp_path)}
    settings = load({"port": 3}, environ, file=file)
    assert (settings.port, settings.idle_s, settings.account) == (3, 2.5, "filed")
    assert settings.data_dir == tmp_path


def test_networks_are_separated_by_commas():
    settings = load({}, {"STOKER_ALLOW_NET": "10.0.0.0/8, 127.0.0.0/8"})
    assert settings.allow_net == ("10.0.0.0/8", "127.0.0.0/8")


@pytest.mark.parametrize(
    ("flags", "environ", "words"),
    [
        ({}, {"STOKER_PORT": "many"}, "port must be a whole number."),
        ({}, {"STOKER_IDLE_S": "long"}, "idle_s must be a number."),
        ({}, {"STOKER_INSTANCE_OPEN_FILES": "many"}, "instance_open_files must be a whole number."),
        ({}, {"STOKER_STRICT_BUILDS": "maybe"}, "strict_builds must be true or false."),
        ({}, {"STOKER_HARDWARE": '[{"sku": 1}]'}, "sku must be text."),
        ({}, {"STOKER_HARDWARE": '[{"gpus": 1}]'}, "A setting cannot be used"),
        ({}, {"STOKER_IDLE_S": "-1"}, "idle_s must be a number"),
        ({}, {"STOKER_IDLE_S": "nan"}, "idle_s must be a number"),
        ({"port": 99999}, {}, "port must be at most 65535"),
        ({"allow_net": ("10.0.0.0/99",)}, {}, "write networks like"),
        ({"tls_cert": Path("cert.pem")}, {}, "needs both a certificate and a key"),
        ({"account": "Not A Name"}, {}, "is no name"),
        ({"public_url": "models.example"}, {}, "must start with http"),
    ],
)
def test_what_cannot_be_used_is_said_in_a_sentence(
    flags: dict[str, object], environ: dict[str, str], words: str
):
    with pytest.raises(ConfigError, match=words):
        load(flags, environ)


def test_a_file_with_an_unknown_setting_or_broken_syntax_is_refused(tmp_path: Path):
    file = tmp_path / "stoker.toml"
    for text, words in (("prot = 1", "unknown settings: prot"), ("port =", "not valid TOML")):
        file.write_text(text)
        with pytest.raises(ConfigError, match=words):
            load({}, {}, file=file)
    with pytest.raises(ConfigError, match="cannot be read"):
        load({}, {}, file=tmp_path / "none.toml")


def test_variables_that_look_like_settings_are_told_of():
    ours = {
        "STOKER_WORKER_FD": "3",
        "STOKER_INSTANCE": "x",
        "STOKER_HOME": "/x",
        "STOKER_PORT": "1",
        "PATH": "/",
    }
    assert misspelt(ours) == []
    assert misspelt({"STOKER_IDEL_S": "300", "STOKER_XYZ": "1"}) == [
        "STOKER_IDEL_S is no setting and means nothing (is it STOKER_IDLE_S that was meant?).",
        "STOKER_XYZ is no setting and means nothing.",
    ]
