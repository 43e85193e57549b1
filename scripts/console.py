"""Build the console (web/console) into web/console/out, where it is missing or older than its sources.

    python scripts/console.py              # what `make run` needs: packages without those for development
    python scripts/console.py --dev        # what the tests need as well
    python scripts/console.py --packages   # only the packages

Nothing changed costs a few milliseconds: what was built is known by a hash over its sources.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CONSOLE = ROOT / "web" / "console"
OUT = CONSOLE / "out"
NODE_MAJOR = 20
_STAMP = ROOT / ".build" / "console.sha256"
_LOCK = ROOT / ".build" / "console.lock"
_SOURCES = (CONSOLE, ROOT / "web" / "client" / "src", ROOT / "web" / "client" / "tsconfig.json")
# What is installed, made or of no consequence for what is made.
_NO_SOURCES = frozenset({"node_modules", ".next", "out", ".client", "tests", "next-env.d.ts", "tsconfig.tsbuildinfo"})


class BuildError(Exception):
    """The console cannot be built; the message says what to do. For the person at the terminal."""


def digest() -> str:
    """Return a hash over all that the console is made of."""
    total = hashlib.sha256()
    for file in sorted(_files(), key=str):
        total.update(f"{file.relative_to(ROOT)}\0".encode())
        total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()


def _files() -> Iterator[Path]:
    for source in _SOURCES:
        if source.is_file():
            yield source
            continue
        for folder, folders, names in os.walk(source):
            folders[:] = [name for name in folders if name not in _NO_SOURCES]
            yield from (Path(folder, name) for name in names if name not in _NO_SOURCES)


def fresh() -> bool:
    """Tell whether what was built is of the present sources."""
    return (OUT / "index.html").is_file() and _STAMP.is_file() and _STAMP.read_text() == digest()


def installed(dev: bool) -> bool:
    """Tell whether the locked packages are there; npm leaves a list of what it installed."""
    try:
        there = _packages(CONSOLE / "node_modules" / ".package-lock.json")
    except FileNotFoundError:
        return False
    wanted = _packages(CONSOLE / "package-lock.json")
    return all(
        there.get(path, {}).get("version") == package.get("version")
        for path, package in wanted.items()
        if path and not package.get("optional") and (dev or not package.get("dev"))
    )


def _packages(lock: Path) -> dict[str, Any]:
    packages: dict[str, Any] = json.loads(lock.read_text("utf-8"))["packages"]
    return packages


def install(dev: bool) -> None:
    """Install the locked packages where one is missing. Raises BuildError."""
    if installed(dev):
        return
    print("Installing the console's packages (once) ...", flush=True)
    _run(["npm", "ci", "--silent", "--no-audit", "--no-fund", *([] if dev else ["--omit=dev"])])


def build(dev: bool = False) -> bool:
    """Build where something changed; tell whether it was needed. Raises BuildError."""
    _LOCK.parent.mkdir(exist_ok=True)
    with _LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if fresh():
            return False
        check_node()
        install(dev)
        print("Building the console ...", flush=True)
        wanted = digest()
        _STAMP.unlink(missing_ok=True)
        _run(["node", "scripts/build.mjs"])
        _STAMP.write_text(wanted)
        return True


def check_node() -> None:
    """Make sure that there is a Node.js; install Debian's where that may be done. Raises BuildError."""
    if not shutil.which("npm") and os.geteuid() == 0 and shutil.which("apt-get"):
        print("Installing Node.js with apt ...", flush=True)
        subprocess.run(["apt-get", "update", "-qq"], check=False)
        subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "nodejs", "npm"], check=False)
    if not shutil.which("node") or not shutil.which("npm"):
        raise BuildError(f"Node.js {NODE_MAJOR} or later with npm was not found on the PATH")
    text = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(text.lstrip("v").split(".")[0]) < NODE_MAJOR:
        raise BuildError(f"Node.js {text} is too old; version {NODE_MAJOR} or later is needed")


def _run(command: list[str]) -> None:
    """Run a command in web/console; show what it printed only if it failed."""
    environment = {**os.environ, "NEXT_TELEMETRY_DISABLED": "1", "CI": "1"}
    result = subprocess.run(
        command, cwd=CONSOLE, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if result.returncode:
        raise BuildError(f"{' '.join(command)} failed in web/console:\n{result.stdout.strip()}")


def main() -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dev", action="store_true", help="with the packages for development")
    parser.add_argument("--packages", action="store_true", help="only install the packages")
    options = parser.parse_args()
    try:
        if options.packages:
            check_node()
            install(options.dev)
        else:
            build(options.dev)
    except BuildError as error:
        print(f"The console was not built: {error}\nThe API works without it.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
