"""What functions print: into one rotating file of the data folder, and errors to the terminal as well."""

from __future__ import annotations

import asyncio
import json
import logging
import logging.handlers
import os
import re
from collections.abc import Callable
from pathlib import Path

_FILE_BYTES = 10 * 1024 * 1024
_ERROR = re.compile(r'"level"\s*:\s*"(ERROR|CRITICAL)"|^\[(ERROR|CRITICAL)\]')
_LINE_BYTES = 256 * 1024


class FunctionLog:
    """The log file, and a pipe for each process that writes to it. Lines of level ERROR also go to `show`."""

    def __init__(self, path: Path, show: Callable[[str], None]) -> None:
        self.path = path
        self._show = show
        self._file = logging.handlers.RotatingFileHandler(path, maxBytes=_FILE_BYTES, backupCount=3, encoding="utf-8")
        path.chmod(0o600)
        self._tasks: set[asyncio.Task[None]] = set()
        self._all = False

    async def pipe(self, source: str) -> int:
        """Return a descriptor to write to; the caller closes it once the process has it. `source` begins each line."""
        readable, writable = os.pipe()
        reader = asyncio.StreamReader(limit=_LINE_BYTES)
        loop = asyncio.get_running_loop()
        file = os.fdopen(readable, "rb", buffering=0)
        transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), file)
        task = loop.create_task(self._copy(reader, source))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: transport.close())
        return writable

    def show_all(self) -> None:
        """Show every line, not errors only."""
        self._all = True

    def write(self, source: str, line: str) -> None:
        """Write one line."""
        self._file.emit(logging.LogRecord("local", logging.INFO, "", 0, f"{source} {line}", None, None))
        if self._all:
            self._show(f"{source} {line}")
        elif _ERROR.search(line):
            self._show(f"{source}: {_summary(line)}")

    async def close(self) -> None:
        """Stop reading, and close the file."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._file.close()

    async def _copy(self, reader: asyncio.StreamReader, source: str) -> None:
        while True:
            try:
                line = await reader.readline()
            except ValueError:  # a line over the limit: what was read of it is dropped
                continue
            if not line:
                return
            if text := line.decode("utf-8", "replace").rstrip():
                self.write(source, text)


def _summary(line: str) -> str:
    """Return a structured log line as one readable sentence, others as they are."""
    try:
        record = json.loads(line)
    except ValueError:
        return line
    if not isinstance(record, dict):
        return line
    name = record.get("exception_name")
    return f"{record.get('level')} {record.get('message')}" + (f" ({name})" if name else "")
