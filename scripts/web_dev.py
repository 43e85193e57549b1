"""The console with hot reload: the laptop runtime on PORT, and Next's development server on WEB_PORT in front of it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from scripts.console import CONSOLE, BuildError, check_node, install

ROOT = Path(__file__).resolve().parent.parent


def commands(port: str, web_port: str) -> list[tuple[list[str], Path, dict[str, str]]]:
    """Command, folder and further variables of each process."""
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
    running = [
        subprocess.Popen(command, cwd=folder, env={**os.environ, **more})
        for command, folder, more in commands(os.environ.get("PORT", "8787"), os.environ.get("WEB_PORT", "3000"))
    ]
    with contextlib.suppress(KeyboardInterrupt):
        while all(process.poll() is None for process in running):
            time.sleep(0.2)
    for process in running:
        process.send_signal(signal.SIGINT)
    for process in running:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
    return 0


if __name__ == "__main__":
    sys.exit(main())
