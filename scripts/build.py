"""Builds one resource of template.yaml: a layer or a function, for Lambda or for this machine.

    build.py DependenciesLayer ARTIFACTS_DIR [--mode target|host]

`target` installs wheels for Lambda (Linux on arm64, CPython 3.13) from any host: nothing is compiled from source, no
Docker, no Python 3.13. `host` installs for the Python that runs this script, so that what was built can be imported,
run and measured here. Both read the same lock file, delete the same files and give the same layout:

    functions   functions/<name>/app.py              what Lambda unpacks to /var/task
    layers      python/<package>/                    what Lambda unpacks to /opt

Needs Python 3.11 and pip; imports nothing else, since it runs before anything is installed.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "layers" / "dependencies" / "requirements.txt"
PYTHON_VERSION = (3, 13)

# AL2023, on which Lambda's Python 3.13 runs, has glibc 2.34; pip does not derive older tags from a newer one.
PLATFORMS = ["manylinux2014_aarch64", *(f"manylinux_2_{minor}_aarch64" for minor in range(17, 35))]

# AWS's description of every service weighs 28 MB; these are the ones our roles may call (a test compares).
AWS_SERVICES = {"apigatewaymanagementapi", "dynamodb", "kms", "lambda", "secretsmanager", "sqs", "sts"}

SURPLUS = [
    "bin",
    "**/*.pyi",
    "**/*.dist-info/RECORD",
    "boto3/examples",
    "certifi/tests",
    "google/genai/tests",
]


@dataclass(frozen=True)
class Requirement:
    """One pinned package of the lock file: `name==version`, its marker ("" if none) and its hashes."""

    pin: str
    marker: str
    hashes: tuple[str, ...]

    def line(self) -> str:
        """As pip reads it, without the marker."""
        return " ".join([self.pin, *(f"--hash={value}" for value in self.hashes)])


def read_lock(text: str) -> Iterator[Requirement]:
    """Yields the requirements of a lock file as uv and pip-compile write it. ValueError: a line carries no hash."""
    joined = re.sub(r"\\\n\s*", "", text)
    for line in joined.splitlines():
        line = line.split(" #")[0].strip()
        if not line or line.startswith("#"):
            continue
        head, *hashes = re.split(r"\s+--hash=", line)
        if not hashes:
            raise ValueError(f"not locked by hash: {line}")
        pin, _, marker = head.partition(";")
        yield Requirement(pin.strip(), marker.strip(), tuple(hashes))


def target_environment() -> dict[str, str]:
    """The values that environment markers have on Lambda, since pip would take those of the machine it runs on."""
    version = ".".join(map(str, PYTHON_VERSION))
    return {
        "implementation_name": "cpython",
        "implementation_version": f"{version}.0",
        "os_name": "posix",
        "platform_machine": "aarch64",
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": f"{version}.0",
        "python_version": version,
        "sys_platform": "linux",
    }


def select(requirements: Iterator[Requirement], mode: str) -> list[Requirement]:
    """Leaves out what the markers exclude for `mode`."""
    from pip._vendor.packaging.markers import Marker  # pip's own copy: the only one that is sure to be here

    environment: dict[str, Any] = target_environment() if mode == "target" else {}
    return [r for r in requirements if not r.marker or Marker(r.marker).evaluate(environment)]


def install(destination: Path, mode: str) -> None:
    """Installs the locked packages into `destination` as wheels, checked by hash. CalledProcessError: pip failed."""
    requirements = select(read_lock(LOCK.read_text("utf-8")), mode)
    command = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-compile"]
    command += ["--no-deps", "--require-hashes", "--only-binary=:all:", f"--target={destination}"]
    if mode == "target":
        command += ["--implementation=cp", "--python-version={}.{}".format(*PYTHON_VERSION)]
        command += [f"--platform={tag}" for tag in PLATFORMS]
    with tempfile.TemporaryDirectory() as folder:
        selected = Path(folder) / "requirements.txt"
        selected.write_text("".join(f"{r.line()}\n" for r in requirements), "utf-8")
        subprocess.run([*command, f"--requirement={selected}"], check=True)


def prune(site: Path) -> None:
    """Deletes what no import needs: tests, type stubs, scripts, descriptions of AWS services that are never called."""
    surplus = [path for pattern in SURPLUS for path in site.glob(pattern)]
    for data in (site / "botocore" / "data", site / "boto3" / "data"):
        surplus += [path for path in data.glob("*/") if path.name not in AWS_SERVICES]
    for path in surplus:
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def compile_bytecode(folder: Path, mode: str, runtime_path: str) -> None:
    """Compiles `folder` for the Python that will import it, if that is here.

    `/opt` and `/var/task` are read-only, so without this each cold start compiles every module anew. The files are
    marked unchecked: nobody edits a source there, so none need be compared. Tracebacks show `runtime_path`.
    """
    python = sys.executable if mode == "host" else find_python()
    if python is None:
        print(f"{folder.name} goes without bytecode (no Python of Lambda's version here); SnapStart makes up for it.")
        return
    command = [python, "-m", "compileall", "-qq", "-f", "-j", "0", "--invalidation-mode", "unchecked-hash"]
    # Not checked: a package may carry a template or an example in the syntax of another version.
    subprocess.run([*command, "-s", str(folder), "-p", runtime_path, str(folder)], check=False)


def find_python() -> str | None:
    """The path of a Python of Lambda's version. One that is on the PATH but does not start (a shim) does not count."""
    name = "python{}.{}".format(*PYTHON_VERSION)
    for candidate in [sys.executable, shutil.which(name)]:
        if candidate is None:
            continue
        question = [candidate, "-c", "import sys; print(*sys.version_info[:2])"]
        answer = subprocess.run(question, capture_output=True, text=True, check=False).stdout.split()
        if answer == [str(number) for number in PYTHON_VERSION]:
            return candidate
    return None


def function_source(logical_id: str) -> Path:
    """The folder of a function: `ApiFunction` is functions/api, `ToolTestFunction` is functions/tool_test."""
    name = re.sub(r"(?<!^)(?=[A-Z])", "_", logical_id.removesuffix("Function")).lower()
    return ROOT / "functions" / name


def copy_sources(source: Path, destination: Path) -> None:
    """Copies a folder without what interpreters and desktops leave in it."""
    ignore = shutil.ignore_patterns("__pycache__", "*.pyc", ".DS_Store")
    shutil.copytree(source, destination, dirs_exist_ok=True, ignore=ignore)


def build(logical_id: str, artifacts: Path, mode: str) -> None:
    """Fills the empty folder `artifacts` with the resource. Raises FileNotFoundError for one that has no source."""
    artifacts.mkdir(parents=True, exist_ok=True)
    if logical_id == "DependenciesLayer":
        install(artifacts / "python", mode)
        prune(artifacts / "python")
        compile_bytecode(artifacts, mode, "/opt")
    elif logical_id == "SharedLayer":
        copy_sources(ROOT / "shared", artifacts / "python")
        compile_bytecode(artifacts, mode, "/opt")
    else:
        source = function_source(logical_id)
        copy_sources(source, artifacts / source.relative_to(ROOT))
        compile_bytecode(artifacts, mode, "/var/task")


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("logical_id")
    parser.add_argument("artifacts", type=Path)
    parser.add_argument("--mode", choices=["target", "host"], default=os.environ.get("BUILD_MODE", "target"))
    options = parser.parse_args()
    if not importlib.util.find_spec("pip"):
        sys.exit(f"{sys.executable} has no pip; set PYTHON to one that has, or let `make build` bring its own.")
    build(options.logical_id, options.artifacts, options.mode)
    print(f"{options.logical_id} built for {options.mode} ({platform.python_version()})")


if __name__ == "__main__":
    main()
