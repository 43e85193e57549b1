"""Has the source changed? Looked at not more than once a second, by modification times."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path

_SKIPPED = frozenset({"__pycache__", "node_modules", "tests", "local", "web", "docs", "benchmarks", "site-packages"})


class Sources:
    """The Python files under some folders. `clock` is in seconds."""

    def __init__(
        self, folders: Iterable[Path], clock: Callable[[], float] = time.monotonic, period: float = 1.0
    ) -> None:
        self._folders = tuple(folders)
        self._clock = clock
        self._period = period
        self._seen = self._fingerprint()
        self._looked = clock()

    def changed(self) -> bool:
        """Tell whether a file was changed, added or removed since the last time this returned True."""
        now = self._clock()
        if now < self._looked + self._period:
            return False
        self._looked = now
        current = self._fingerprint()
        if current == self._seen:
            return False
        self._seen = current
        return True

    def _fingerprint(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for folder in self._folders:
            _collect(str(folder), found)
        return found


def _collect(folder: str, found: dict[str, int]) -> None:
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith(".") or entry.name in _SKIPPED:
            continue
        if entry.is_dir(follow_symlinks=False):
            _collect(entry.path, found)
        elif entry.name.endswith(".py"):
            found[entry.path] = entry.stat().st_mtime_ns
