"""Packages of their own for the store and the model, so that their pins never meet the application's.

A lock file becomes a folder `<name>-<digest of the lock>` of installed packages, made once. The folder is put in front
of an otherwise bare `sys.path` by the process that needs it.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
FOLDER = PROJECT / ".local" / "venvs"
_COMPLETE = ".complete"


class PackagesError(Exception):
    """The packages could not be installed; the message says why and what to do. For the operator."""


def installed(name: str) -> Path | None:
    """Return the folder of `local/<name>-requirements.txt` when it is complete, else None."""
    folder = _folder(name)
    return folder if (folder / _COMPLETE).exists() else None


def install(name: str) -> Path:
    """Install what `local/<name>-requirements.txt` locks and return the folder. Blocks; processes may race."""
    folder = _folder(name)
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / _COMPLETE).exists():
            shutil.rmtree(folder, ignore_errors=True)
            _run(_installer(), folder, _lock_file(name))
            (folder / _COMPLETE).touch()
            _remove_older(name, folder)
    return folder


def _lock_file(name: str) -> Path:
    return Path(__file__).with_name(f"{name}-requirements.txt")


def _folder(name: str) -> Path:
    return FOLDER / folder_name(name)


def folder_name(name: str) -> str:
    """Return the folder's name for the lock file as it is now."""
    return f"{name}-{hashlib.sha256(_lock_file(name).read_bytes()).hexdigest()[:12]}"


def _installer() -> list[str]:
    """Return the command that installs: pip of this interpreter, else a uv beside it or on the path."""
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--no-compile"]
    beside = Path(sys.executable).with_name("uv")
    uv = str(beside) if beside.exists() else shutil.which("uv")
    if uv:
        return [uv, "pip", "install", "--python", sys.executable]
    raise PackagesError("neither pip nor uv is at hand; install pip into this environment (python -m ensurepip)")


def _run(installer: list[str], folder: Path, lock_file: Path) -> None:
    options = ["--target", str(folder), "--no-deps", "--require-hashes", "--only-binary", ":all:", "-r", str(lock_file)]
    done = subprocess.run([*installer, *options], capture_output=True, text=True, env=dict(os.environ), check=False)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise PackagesError(next((line for line in reversed(lines) if line.startswith("ERROR")), "\n".join(lines[-3:])))


def _remove_older(name: str, current: Path) -> None:
    for folder in FOLDER.glob(f"{name}-*"):
        if folder != current and folder.is_dir():
            shutil.rmtree(folder, ignore_errors=True)
