"""Rules of the house that hold for every file of the repository."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("shared", "functions", "local")
CODE = (*PRODUCT, "scripts", "benchmarks")

MAX_FUNCTION_LINES = 50
MAX_FILE_LINES = 400

LOCKS = {
    "layers/dependencies/requirements.txt",
    "requirements.txt",
    "requirements-dev.txt",
    "scripts/sam-requirements.txt",
    "scripts/uv-requirements.txt",
    "local/store-requirements.txt",
    "local/model-requirements.txt",
    "local/oidc-requirements.txt",
}


def repository_files() -> list[Path]:
    """What git tracks, or would if it were added: files that .gitignore names are nobody's business."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


FILES = repository_files()
SOURCES = [path for path in FILES if path.suffix == ".py"]


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def within(path: Path, folders: tuple[str, ...]) -> bool:
    return name(path).startswith(tuple(f"{folder}/" for folder in folders))


def texts() -> Iterator[tuple[str, str]]:
    """Name and content of every text file except this one, which has to name what it forbids."""
    for path in FILES:
        if path != Path(__file__):
            try:
                yield name(path), path.read_text("utf-8")
            except UnicodeDecodeError:
                continue


# ---------------------------------------------------------------- what no file may hold

FORBIDDEN = {
    "address of a registry": r"files\.pythonhosted\.org|pypi\.org/(simple|packages)|registry\.(npmjs|yarnpkg)\.",
    "index option in a lock file": r"(?m)^\s*(-i|--(extra-)?index-url|--find-links|--trusted-host)\b",
    "path of somebody's machine": r"(?<![\w.:/])/(root|home|Users|work|opt/(wheels|pypi))/\w|[A-Z]:\\Users\\",
    "private key or access key": r"-----BEGIN [A-Z ]*PRIVATE KEY|\bAKIA[0-9A-Z]{16}\b|\bsk-(ant|proj)-\w{20}",
    "unresolved merge": r"(?m)^(<{7} |>{7} )",
    "unfinished work": r"\b(TODO|FIXME|XXX)\b|NotImplementedError\(\)",
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_holds(what: str) -> None:
    pattern = re.compile(FORBIDDEN[what])
    found = [f"{file}: {match[0]}" for file, text in texts() if (match := pattern.search(text))]
    assert not found


def test_every_lock_file_is_known() -> None:
    """So that none escapes the test below, and none that the list names is missing."""
    locks = {
        name(path) for path in FILES if path.name.endswith("requirements.txt") or path.name.startswith("requirements")
    }
    assert locks == LOCKS


@pytest.mark.parametrize("lock", sorted(LOCKS))
def test_every_locked_package_carries_hashes(lock: str) -> None:
    text = (ROOT / lock).read_text("utf-8")
    packages = re.split(r"(?m)^(?=[A-Za-z0-9])", re.sub(r"(?m)^\s*#.*\n", "", text))
    packages = [package for package in packages if package.strip()]
    assert packages
    for package in packages:
        assert re.match(r"[A-Za-z0-9._-]+(\[[\w,-]+\])?==\S+", package), f"{package.splitlines()[0]} is not pinned"
        assert "--hash=sha256:" in package, f"{package.splitlines()[0]} carries no hash"


def test_npm_locks_carry_hashes() -> None:
    for path in FILES:
        if path.name == "package-lock.json":
            text = path.read_text("utf-8")
            assert '"resolved"' not in text, f"{name(path)} names where packages were downloaded"
            assert text.count('"integrity"') >= text.count('"node_modules/') > 0


# ---------------------------------------------------------------- locks against what is asked for


def pins(lock: str) -> dict[str, str]:
    """Package to version."""
    found = re.findall(r"(?m)^([A-Za-z0-9._-]+)(?:\[[\w,-]+\])?==([^\s;\\]+)", (ROOT / lock).read_text("utf-8"))
    return {canonical(package): version for package, version in found}


def canonical(package: str) -> str:
    return re.sub(r"[-_.]+", "-", package).lower()


def requested(requirements: list[str]) -> set[str]:
    return {canonical(re.match(r"[\w.-]+", requirement)[0]) for requirement in requirements}  # type: ignore[index]


def test_locks_hold_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    runtime = requested(project["project"]["dependencies"])
    groups = project["dependency-groups"]
    local = requested(groups["local"])
    development = requested([entry for entry in groups["dev"] if isinstance(entry, str)])
    assert runtime <= set(pins("layers/dependencies/requirements.txt"))
    assert runtime | local <= set(pins("requirements.txt"))
    assert runtime | local | development <= set(pins("requirements-dev.txt"))


def test_locks_agree_on_versions() -> None:
    """What is tested is what is deployed, and one environment serves `make run` and `make test`."""
    development = pins("requirements-dev.txt")
    for lock in ("layers/dependencies/requirements.txt", "requirements.txt"):
        assert {package: development.get(package) for package in pins(lock)} == pins(lock)


def test_workflows_pin_actions_by_commit() -> None:
    for path in FILES:
        if within(path, (".github",)) and path.suffix in {".yml", ".yaml"}:
            for action in re.findall(r"uses: (\S+)", path.read_text("utf-8")):
                assert action.startswith("./") or re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action), action


# ---------------------------------------------------------------- sizes


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def test_functions_are_short() -> None:
    long = [
        f"{name(path)}:{function.lineno} {function.name} has {length} lines"
        for path in SOURCES
        if within(path, CODE)
        for function in functions(path)
        if (length := (function.end_lineno or 0) - function.lineno + 1) > MAX_FUNCTION_LINES
    ]
    assert not long


def test_files_are_short() -> None:
    long = [
        f"{name(path)} has {length} lines"
        for path in SOURCES
        if within(path, CODE) and (length := len(path.read_text("utf-8").splitlines())) > MAX_FILE_LINES
    ]
    assert not long


# ---------------------------------------------------------------- one place for each thing


def test_only_settings_read_the_environment() -> None:
    readers = [
        name(path)
        for path in SOURCES
        if within(path, ("shared", "functions")) and re.search(r"os\.(environ|getenv)", path.read_text("utf-8"))
    ]
    assert readers == ["shared/agent_builder/config.py"]


def test_nothing_is_patched() -> None:
    """Fakes are passed in; what has to be patched cannot be passed in and should be."""
    pattern = re.compile(r"\bmock\b.*\bpatch\b|\bmonkeypatch\.setattr\b|from unittest\.mock|import unittest\.mock")
    patchers = [file for file, text in texts() if file.endswith(".py") and pattern.search(text)]
    assert not patchers


def test_skipped_tests_say_why() -> None:
    pattern = re.compile(
        r"pytest\.mark\.skip(?!if)(?!\(reason=)|pytest\.mark\.skipif\((?![^)]*reason=)|pytest\.skip\(\)"
    )
    silent = [file for file, text in texts() if file.startswith("tests/") and pattern.search(text)]
    assert not silent


def test_each_folder_of_the_design_says_what_it_is() -> None:
    """A package that others import states its purpose; a reader should not have to guess from file names."""
    packages = [path for path in SOURCES if path.name == "__init__.py" and within(path, ("shared", "local"))]
    assert packages
    silent = [name(path) for path in packages if not ast.get_docstring(ast.parse(path.read_bytes()))]
    assert not silent
