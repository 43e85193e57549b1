"""The console with hot reload: the laptop runtime on PORT, and Next's development server on WEB_PORT in front of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from scripts.console import CONSOLE, BuildError, check_node, install

ROOT = Path(__file__).resolve().parent.parent

# Arguments, folder and further variables of a process.
Command = tuple[list[str], Path, dict[str, str]]


def commands(port: str, web_port: str) -> list[Command]:
    """Both processes."""
    gateway, web = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{web_port}"
    # Requests come through the development server, with its origin.
    origins = " ".join(filter(None, [os.environ.get("ALLOWED_ORIGINS", ""), web]))
    next_dev = ["node", "node_modules/next/dist/bin/next", "dev", "-H", "127.0.0.1", "-p", web_port]
    return [
        ([sys.executable, "-m", "local"], ROOT, {"PORT": port, "ALLOWED_ORIGINS": origins}),
        (next_dev, CONSOLE, {"GATEWAY": gateway, "NEXT_TELEMETRY_DISABLED": "1"}),
    ]


def main() -> int:
    """Run both until one ends or Ctrl-C is pressed; then both end."""
    try:
        check_node()
        install(dev=True)
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    subprocess.run(["node", "scripts/client.mjs"], cwd=CONSOLE, check=True)
    attend(commands(os.environ.get("PORT", "8787"), os.environ.get("WEB_PORT", "3000")))
    return 0


def attend(wanted: Sequence[Command]) -> None:
    """Start them; end them all when one ends, or this process is to: by Ctrl-C, a closed terminal, or `kill`."""
    asked: list[int] = []
    # A shell's background process begins with Ctrl-C ignored.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _frame: asked.append(number))
    running = [subprocess.Popen(command, cwd=folder, env={**os.environ, **more}) for command, folder, more in wanted]
    while not asked and all(process.poll() is None for process in running):
        time.sleep(0.2)
    for process in running:
        process.terminate()
    for process in running:
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


if __name__ == "__main__":
    sys.exit(main())
