"""The build script and the inspection of what it made, on small trees made here."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from scripts import build, inspect_build

LOCK = """\
anyio==4.16.0 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
    # via httpx2
tomli==2.0.1 ; python_version < '3.13' \\
    --hash=sha256:cc
pywin32==312 ; sys_platform == 'win32' or sys_platform == 'darwin' \\
    --hash=sha256:dd
cffi==2.1.1 ; platform_machine == 'aarch64' and python_full_version >= '3.13' \\
    --hash=sha256:ee
"""


def write(root: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8")


# ---------------------------------------------------------------- lock file


def test_lock_is_read_with_markers_and_hashes() -> None:
    first, second, *_ = build.read_lock(LOCK)
    assert first == build.Requirement("anyio==4.16.0", "", ("sha256:aa", "sha256:bb"))
    assert second.marker == "python_version < '3.13'"
    assert first.line() == "anyio==4.16.0 --hash=sha256:aa --hash=sha256:bb"


def test_lock_without_a_hash_is_refused() -> None:
    with pytest.raises(ValueError, match="not locked by hash: anyio"):
        list(build.read_lock("anyio==4.16.0\n"))


def test_markers_are_those_of_lambda_whatever_this_machine_is() -> None:
    selected = build.select(build.read_lock(LOCK), "target")
    assert [requirement.pin for requirement in selected] == ["anyio==4.16.0", "cffi==2.1.1"]


def test_every_package_of_the_layer_is_locked_by_hash() -> None:
    requirements = list(build.read_lock(build.LOCK.read_text("utf-8")))
    assert len(requirements) > 10
    assert all(value.startswith("sha256:") for requirement in requirements for value in requirement.hashes)


# ---------------------------------------------------------------- what is left out, what is copied


def test_prune_keeps_what_imports_need(tmp_path: Path) -> None:
    kept = {
        "botocore/data/dynamodb/service-2.json.gz": "",
        "botocore/data/endpoints.json": "",
        "google/genai/client.py": "",
        "demo-1.dist-info/METADATA": "",
    }
    surplus = {
        "botocore/data/ec2/service-2.json.gz": "",
        "google/genai/tests/test_client.py": "",
        "demo/types.pyi": "",
        "demo-1.dist-info/RECORD": "",
        "bin/demo": "",
    }
    write(tmp_path, kept | surplus)
    build.prune(tmp_path)
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()} == set(kept)


def test_names_of_functions_are_their_folders() -> None:
    assert build.function_source("ApiFunction") == build.ROOT / "functions" / "api"
    assert build.function_source("ToolTestFunction") == build.ROOT / "functions" / "tool_test"


def test_function_is_laid_out_under_its_package_and_compiled(tmp_path: Path) -> None:
    build.build("ApiFunction", tmp_path, "host")
    names = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert "functions/api/app.py" in names
    assert any(name.startswith("functions/api/__pycache__/app.") for name in names)
    assert all(name.startswith("functions/api/") for name in names)


def test_bytecode_is_not_compared_with_its_source(tmp_path: Path) -> None:
    write(tmp_path, {"demo.py": "x = 1\n"})
    build.compile_bytecode(tmp_path, "host", "/opt")
    [compiled] = (tmp_path / "__pycache__").iterdir()
    flags = struct.unpack("<I", compiled.read_bytes()[4:8])[0]
    assert flags == 0b01, "hash-based (bit 0), unchecked (bit 1 clear)"


def test_unknown_resource_has_no_source(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        build.build("NoSuchFunction", tmp_path, "host")


# ---------------------------------------------------------------- wheels and binaries


@pytest.mark.parametrize(
    ("tag", "suits"),
    [
        ("py3-none-any", True),
        ("py2.py3-none-any", True),
        ("py2-none-any", False),
        ("cp313-cp313-manylinux_2_17_aarch64", True),
        ("cp311-abi3-manylinux_2_28_aarch64", True),
        ("cp314-abi3-manylinux_2_28_aarch64", False),
        ("cp312-cp312-manylinux_2_17_aarch64", False),
        ("cp313-cp313-manylinux_2_17_x86_64", False),
        ("cp313-cp313-musllinux_1_2_aarch64", False),
        ("cp313-cp313-macosx_11_0_arm64", False),
    ],
)
def test_wheel_tags(tag: str, suits: bool) -> None:
    interpreter, abi, machine = tag.split("-")
    assert inspect_build.fits((interpreter, abi, machine), "cp313") is suits


def test_wheel_for_another_machine_is_named(tmp_path: Path) -> None:
    write(tmp_path, {"demo-1.dist-info/WHEEL": "Wheel-Version: 1.0\nTag: cp313-cp313-win_amd64\n"})
    assert list(inspect_build.foreign_wheels(tmp_path, (3, 13))) == [
        "demo-1.dist-info is built for cp313-cp313-win_amd64"
    ]


def test_library_for_another_machine_or_python_is_named(tmp_path: Path) -> None:
    arm = b"\x7fELF" + bytes(14) + b"\xb7\x00"
    (tmp_path / "good.cpython-313-aarch64-linux-gnu.so").write_bytes(arm)
    (tmp_path / "good.abi3.so").write_bytes(arm)
    (tmp_path / "old.cpython-311-aarch64-linux-gnu.so").write_bytes(arm)
    (tmp_path / "intel.so").write_bytes(b"\x7fELF" + bytes(14) + b"\x3e\x00")
    assert list(inspect_build.foreign_binaries(tmp_path, (3, 13))) == [
        "intel.so is not a library for Linux on arm64",
        "old.cpython-311-aarch64-linux-gnu.so is built for cpython-311",
    ]


# ---------------------------------------------------------------- imports


def missing(tmp_path: Path, handler: str, **layer: str) -> list[str]:
    write(tmp_path / "function", {"functions/demo/app.py": handler})
    write(tmp_path / "layer", {name.replace("__", "/") + ".py": text for name, text in layer.items()})
    return list(inspect_build.missing_imports(tmp_path / "function", [tmp_path / "layer"]))


def test_imports_that_are_there(tmp_path: Path) -> None:
    handler = "import json\nfrom agent_builder import errors\nfrom functions.demo.app import x\n"
    assert not missing(tmp_path, handler, agent_builder__errors="import vendor.core\n", vendor__core="")


def test_import_that_nothing_provides_is_named_with_its_importer(tmp_path: Path) -> None:
    assert missing(tmp_path, "import vendor.core\n", vendor__core="from .deeper import y\n") == [
        "vendor.core imports vendor.deeper, which is not there"
    ]


def test_our_own_imports_count_wherever_they_stand(tmp_path: Path) -> None:
    handler = "def lambda_handler(event, context):\n    import absent\n"
    assert missing(tmp_path, handler) == ["functions.demo.app imports absent, which is not there"]


def test_others_may_import_what_is_optional(tmp_path: Path) -> None:
    vendor = "try:\n    import absent\nexcept ImportError:\n    absent = None\ndef f():\n    import absent_too\n"
    assert not missing(tmp_path, "import vendor\n", vendor=vendor)


def test_module_that_lambda_s_python_has_lost_is_missing(tmp_path: Path) -> None:
    assert missing(tmp_path, "import cgi\n") == ["functions.demo.app imports cgi, which is not there"]


def test_empty_build_is_a_fault(tmp_path: Path) -> None:
    assert list(inspect_build.faults(tmp_path, (3, 13))) == [f"{tmp_path} holds no functions or no layers"]
