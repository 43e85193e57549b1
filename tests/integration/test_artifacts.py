"""What `sam build` makes: for Lambda, looked at; for this machine, imported in a process that sees nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import build, inspect_build

ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = ["ApiFunction", "AuthorizerFunction", "PlaygroundFunction", "RunnerFunction"]

# Unzipped, all layers and the largest function; Lambda's own limit is 250 MB.
SIZE_AIM_BYTES = 120_000_000

IMPORT_HANDLER = """
import importlib, json, sys
sys.path[:0] = sys.argv[2:]
module = importlib.import_module(sys.argv[1])
places = {m.__file__ for m in list(sys.modules.values()) if getattr(m, "__file__", None)}
print(json.dumps({"callable": callable(module.lambda_handler), "files": sorted(places)}))
"""

pytestmark = pytest.mark.timeout(900)


def make(target: str) -> None:
    """Builds if anything changed since it was last built."""
    environment = {
        name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}
    }
    result = subprocess.run(["make", target], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert not result.returncode, result.stdout + result.stderr


@pytest.fixture(scope="module")
def target() -> Path:
    make("build")
    return ROOT / ".aws-sam" / "build"


@pytest.fixture(scope="module")
def host() -> Path:
    make("build-host")
    return ROOT / ".build" / "host" / "build"


def layout(folder: Path) -> set[str]:
    """The files below `folder` except bytecode and what differs by machine."""
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix not in {".pyc", ".so"} and "dist-info" not in path.as_posix()
    }


def test_target_would_work_on_lambda(target: Path) -> None:
    assert not list(inspect_build.faults(target, build.PYTHON_VERSION))


def test_target_is_small(target: Path) -> None:
    functions, layers = inspect_build.parts(target)
    total = sum(map(inspect_build.size, layers)) + max(map(inspect_build.size, functions))
    assert total < SIZE_AIM_BYTES


@pytest.mark.parametrize("name", FUNCTIONS)
def test_target_and_host_lay_functions_out_alike(target: Path, host: Path, name: str) -> None:
    assert layout(target / name) == layout(host / name)
    assert layout(target / "SharedLayer") == layout(host / "SharedLayer")


def test_sources_are_shipped_whole(host: Path) -> None:
    package = {path.relative_to(ROOT / "shared").as_posix() for path in (ROOT / "shared").rglob("*.py")}
    assert package <= layout(host / "SharedLayer" / "python")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_handler_imports_from_the_artefacts_alone(host: Path, name: str) -> None:
    module = f"functions.{build.function_source(name).name}.app"
    path = [host / name, host / "SharedLayer" / "python", host / "DependenciesLayer" / "python"]
    # Isolated and without site-packages; with no environment at all, since importing a handler reads none.
    command = [sys.executable, "-I", "-S", "-W", "error", "-c", IMPORT_HANDLER, module, *map(str, path)]
    result = subprocess.run(command, cwd=host, env={}, capture_output=True, text=True, check=False)
    assert not result.returncode, result.stderr
    answer = json.loads(result.stdout)
    assert answer["callable"]
    standard = Path(os.__file__).parent
    outside = [
        file
        for file in answer["files"]
        if not Path(file).is_relative_to(host) and (not Path(file).is_relative_to(standard) or "site-packages" in file)
    ]
    assert not outside


def test_every_module_is_compiled_for_this_machine(host: Path) -> None:
    """Except templates that are no Python."""
    for layer in ("SharedLayer", "DependenciesLayer"):
        sources = set((host / layer / "python").rglob("*.py"))
        compiled = {path.parent.parent / f"{path.name.split('.')[0]}.py" for path in (host / layer).rglob("*.pyc")}
        assert len(sources - compiled) < 0.01 * len(sources) + 1
