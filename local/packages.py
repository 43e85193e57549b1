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
import time
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
FOLDER = PROJECT / ".local" / "venvs"
_COMPLETE = ".complete"
_NO_BUILD = ("No matching distribution", "No solution found")
_NO_NETWORK = ("Retrying", "Failed to fetch", "onnection", "imed out")  # pip says "No matching distribution" then, too
_TRY_AGAIN_SECONDS = 86400.0


class PackagesError(Exception):
    """The packages could not be installed; the message says why and what to do. For the operator."""


class NoBuild(PackagesError):
    """There is no wheel of the locked version for this machine."""


@dataclass(frozen=True)
class Packages:
    """What one lock file names, installed below `root`."""

    name: str
    lock_file: Path
    root: Path = FOLDER

    @property
    def folder(self) -> Path:
        """Where they are, once they are installed."""
        return self.root / f"{self.name}-{hashlib.sha256(self.lock_file.read_bytes()).hexdigest()[:12]}"

    @property
    def installed(self) -> bool:
        """Whether they are there, whole."""
        return (self.folder / _COMPLETE).exists()

    @property
    def unavailable(self) -> bool:
        """Whether an attempt of the last day found that there is no build of them for this machine."""
        marker = self._no_build
        return marker.exists() and time.time() - marker.stat().st_mtime < _TRY_AGAIN_SECONDS

    def install(self) -> Path:
        """Install them unless they are there; return the folder. Blocks; processes may race. Raises PackagesError."""
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / f"{self.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not self.installed:
                shutil.rmtree(self.folder, ignore_errors=True)
                self._run(_installer())
                (self.folder / _COMPLETE).touch()
                self._remove_older()
        return self.folder

    @property
    def _no_build(self) -> Path:
        return self.folder.with_suffix(".unavailable")

    def _run(self, installer: list[str]) -> None:
        options = ["--target", str(self.folder), "--no-deps", "--require-hashes", "--only-binary", ":all:"]
        command = [*installer, *options, "-r", str(self.lock_file)]
        done = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ), check=False)
        if done.returncode == 0:
            return
        message = _reason(done.stderr)
        if _any(_NO_BUILD, done.stderr) and not _any(_NO_NETWORK, done.stderr):
            self._no_build.touch()
            raise NoBuild(message)
        raise PackagesError(message)

    def _remove_older(self) -> None:
        for folder in self.root.glob(f"{self.name}-*"):
            if folder != self.folder and folder.is_dir():
                shutil.rmtree(folder, ignore_errors=True)


STORE = Packages("store", Path(__file__).with_name("store-requirements.txt"))
MODEL = Packages("model", Path(__file__).with_name("model-requirements.txt"))
OIDC = Packages("oidc", Path(__file__).with_name("oidc-requirements.txt"))


def _any(words: tuple[str, ...], text: str) -> bool:
    return any(word in text for word in words)


def _reason(text: str) -> str:
    """Return the line of an installer's output that says what went wrong."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error")]
    return (errors or lines or ["the installer said nothing"])[-1]


def _installer() -> list[str]:
    """Return the command that installs: pip of this interpreter, else a uv beside it or on the path."""
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--no-compile"]
    beside = Path(sys.executable).with_name("uv")
    uv = str(beside) if beside.exists() else shutil.which("uv")
    if uv:
        return [uv, "pip", "install", "--python", sys.executable]
    raise PackagesError("neither pip nor uv is at hand; install pip into this environment (python -m ensurepip)")
