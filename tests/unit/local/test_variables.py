"""What functions are told on the laptop in the place of what AWS has."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from local.cli import _parser, read_settings
from local.settings import LOOPBACK_VARIABLE, Settings
from local.template import load
from local.variables import Endpoints, key_file, variables


def test_a_key_file_is_made_once_and_is_its_owner_s(tmp_path: Path) -> None:
    path = key_file(tmp_path)
    secret = path.read_bytes()
    assert len(secret) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert key_file(tmp_path).read_bytes() == secret
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_a_file_takes_the_place_of_a_kms_key(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    functions = load(settings.template, settings.region).functions
    told = {name: variables(function, settings, Endpoints("s", "a"), "live") for name, function in functions.items()}
    assert {name for name, given in told.items() if "CREDENTIALS_KEYS" in given} == {"ApiFunction", "RunnerFunction"}
    for name in ("ApiFunction", "RunnerFunction"):
        assert told[name]["CREDENTIALS_KEYS"] == str(tmp_path / "credentials.key")


def test_this_machine_may_be_called_only_if_it_was_said() -> None:
    options = _parser().parse_args([])
    assert not read_settings(options, {}).loopback_tools
    assert read_settings(options, {LOOPBACK_VARIABLE: "1"}).loopback_tools
    with pytest.raises(ValueError, match=LOOPBACK_VARIABLE):
        read_settings(options, {LOOPBACK_VARIABLE: "yes"})
