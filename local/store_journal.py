"""The data on disk: snapshots of the whole state, and a journal of the writes since.

Every write is appended to the journal before it is answered, so a killed process loses nothing that was acknowledged;
the journal is synced to the disk at most half a second later, which bounds what a power cut can take.
Generation n is `snapshot-n.json` plus all that `journal-n.log` and later journals hold. Two good generations are kept:
a damaged snapshot costs nothing, because the one before it and the journals since make up the same state.

Runs in the store's own process, which has nothing but the standard library and the store's package.
"""

from __future__ import annotations

import hashlib
import io
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

_RECORD = struct.Struct(">II")


class Journal:
    """The files of one data folder. Not thread-safe; one process at a time (the caller holds the lock)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
        self.generation = 0
        self.size = 0
        self.unsynced = False
        self._file: io.FileIO | None = None

    # -- reading ---------------------------------------------------------------------------------

    def load(self) -> tuple[bytes | None, list[str]]:
        """Return the newest readable snapshot (None when there is none) and what an operator should know."""
        messages: list[str] = []
        numbers = self._numbers("snapshot")
        for number in reversed(numbers):
            state = _read_snapshot(self._path("snapshot", number))
            if state is not None:
                self.generation = number
                return state, messages
            damaged = self._path("snapshot", number)
            damaged.replace(damaged.with_suffix(".damaged"))
            messages.append(f"{damaged.name} is damaged; it was kept as {damaged.stem}.damaged")
        if numbers and 0 not in self._numbers("journal"):
            messages.append("no readable snapshot is left: starting with an empty store")
        return None, messages

    def replay(self) -> Iterator[tuple[str, bytes]]:
        """Yield the writes made after the snapshot that `load` returned, as (operation, request body), in order."""
        for number in self._numbers("journal"):
            if number >= self.generation:
                yield from _read_journal(self._path("journal", number))

    # -- writing ---------------------------------------------------------------------------------

    def open(self) -> int:
        """Begin a new generation and return its number; what follows goes to its journal."""
        self.close()
        self.generation = max([self.generation, *self._numbers("journal"), *self._numbers("snapshot")]) + 1
        descriptor = os.open(self._path("journal", self.generation), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._file = io.FileIO(descriptor, "ab")
        self.size = 0
        return self.generation

    def append(self, operation: str, body: bytes) -> None:
        """Record one write. It is with the operating system when this returns."""
        assert self._file is not None
        payload = operation.encode("ascii") + b"\n" + body
        self._file.write(_RECORD.pack(len(payload), zlib.crc32(payload)) + payload)
        self.size += len(payload)
        self.unsynced = True

    def sync(self) -> None:
        """Force what was appended to the disk."""
        if self._file is not None and self.unsynced:
            self.unsynced = False
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Sync and close the journal."""
        if self._file is not None:
            self.sync()
            self._file.close()
            self._file = None

    def write_snapshot(self, number: int, state: bytes) -> None:
        """Write the state as it was when generation `number` began. Safe in a forked child."""
        path = self._path("snapshot", number)
        draft = path.with_suffix(".tmp")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(hashlib.sha256(state).hexdigest().encode() + b"\n" + state)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)

    def prune(self) -> None:
        """Remove what is older than the two newest snapshots."""
        kept = self._numbers("snapshot")[-2:]
        if len(kept) < 2:
            return
        for kind in ("snapshot", "journal"):
            for number in self._numbers(kind):
                if number < kept[0]:
                    self._path(kind, number).unlink()

    def _path(self, kind: str, number: int) -> Path:
        return self.folder / f"{kind}-{number:08d}.{'json' if kind == 'snapshot' else 'log'}"

    def _numbers(self, kind: str) -> list[int]:
        suffix = "json" if kind == "snapshot" else "log"
        return sorted(int(path.stem.partition("-")[2]) for path in self.folder.glob(f"{kind}-????????.{suffix}"))


def _read_snapshot(path: Path) -> bytes | None:
    digest, _, state = path.read_bytes().partition(b"\n")
    return state if hashlib.sha256(state).hexdigest().encode() == digest else None


def _read_journal(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the whole records; a last one that was cut off by a kill was never acknowledged and is left out."""
    data = path.read_bytes()
    position = 0
    while position + _RECORD.size <= len(data):
        length, checksum = _RECORD.unpack_from(data, position)
        payload = data[position + _RECORD.size : position + _RECORD.size + length]
        if len(payload) < length or zlib.crc32(payload) != checksum:
            return
        position += _RECORD.size + length
        operation, _, body = payload.partition(b"\n")
        yield operation.decode("ascii"), body
