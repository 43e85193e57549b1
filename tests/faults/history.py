"""What happened, as it happened: one JSON object a line, written by everybody who takes part and judged afterwards.

The client, the proxy, the model and the effects each write what they did or saw; none of them judges.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Entry = dict[str, Any]


class History:
    """Entries in the order in which they were written. `t` is in seconds since the beginning."""

    def __init__(self, path: Path | None = None) -> None:
        self.entries: list[Entry] = []
        self.began = time.monotonic()
        self._file = path.open("w", encoding="utf-8") if path else None
        self._awaited: list[tuple[Callable[[Entry], bool], asyncio.Future[Entry]]] = []

    def write(self, what: str, **fields: Any) -> Entry:
        """Add an entry; `case` and `message` among the fields say whom it concerns."""
        entry = {"t": round(time.monotonic() - self.began, 4), "what": what, **fields}
        self.entries.append(entry)
        if self._file:
            self._file.write(json.dumps(entry, ensure_ascii=False) + "\n")
        for wanted, found in self._awaited:
            if not found.done() and wanted(entry):
                found.set_result(entry)
        return entry

    async def until(self, wanted: Callable[[Entry], bool]) -> Entry:
        """The first entry that is wanted, now or to come."""
        for entry in self.entries:
            if wanted(entry):
                return entry
        waiter = (wanted, asyncio.get_running_loop().create_future())
        self._awaited.append(waiter)
        try:
            return await waiter[1]
        finally:
            self._awaited.remove(waiter)

    def of(self, what: str, **wanted: Any) -> Iterator[Entry]:
        """Entries of a kind with these fields."""
        for entry in self.entries:
            if entry["what"] == what and all(entry.get(name) == value for name, value in wanted.items()):
                yield entry

    def __enter__(self) -> History:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Write out what is left."""
        if self._file:
            self._file.close()
            self._file = None


def read(path: Path) -> History:
    """A history that was written before, to judge it again."""
    history = History()
    history.entries = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return history
