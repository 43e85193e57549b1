"""What functions are told on the laptop in the place of what AWS has."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from local.cli import _parser, _reach, read_settings
from local.settings import LOOPBACK_VARIABLE, PRIVATE_VARIABLE, Settings
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


def test_private_model_servers_are_for_whom_nobody_signs_in_beside(tmp_path: Path) -> None:
    for auth, told in ((False, "1"), (True, "")):
        settings = Settings(data=tmp_path, auth=auth, function_variables={PRIVATE_VARIABLE: "1"})
        for function in load(settings.template, settings.region).functions.values():
            assert variables(function, settings, Endpoints("s", "a"), "live")[PRIVATE_VARIABLE] == told


@pytest.mark.parametrize(
    ("auth", "loopback", "said"),
    [
        (False, False, ["nobody signs in"]),
        (False, True, ["may call this machine", "nobody signs in"]),
        (True, False, ["must be public"]),
        (True, True, ["may call this machine", "on this machine (LOOPBACK_TOOLS=1)"]),
    ],
)
def test_the_start_says_what_may_be_called(*, auth: bool, loopback: bool, said: list[str]) -> None:
    lines = _reach(Settings(auth=auth, function_variables={LOOPBACK_VARIABLE: "1"} if loopback else {}))
    assert len(lines) == len(said)
    assert all(text in line for text, line in zip(said, lines, strict=True))


def test_this_machine_may_be_called_only_if_it_was_said() -> None:
    options = _parser().parse_args([])
    assert not read_settings(options, {}).loopback_tools
    assert read_settings(options, {LOOPBACK_VARIABLE: "1"}).loopback_tools
    with pytest.raises(ValueError, match=LOOPBACK_VARIABLE):
        read_settings(options, {LOOPBACK_VARIABLE: "yes"})
