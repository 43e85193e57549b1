"""Server-sent events out of bytes that may be cut anywhere.

Lines end at CR, LF or CRLF and nowhere else: U+2028 and the like are text, which line splitters for `str` get wrong.
(WHATWG HTML, "9.2.6 Interpreting an event stream".)
"""

from __future__ import annotations

from collections.abc import Iterator

MAX_EVENT_BYTES = 32 * 1024 * 1024


class EventTooLarge(ValueError):
    """One line grew beyond what is taken."""


class _Lines:
    """Bytes in, whole lines out."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._pieces: list[bytes] = []
        self._size = 0
        self._after_cr = False

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        if self._after_cr and chunk.startswith(b"\n"):
            chunk = chunk[1:]
        if not chunk:
            return
        self._after_cr = chunk.endswith(b"\r")
        # bytes.splitlines knows the three line ends above and no other.
        lines = chunk.splitlines()
        rest = b"" if chunk[-1] in b"\r\n" else lines.pop()
        for line in lines:
            yield self._whole(line)
        if rest:
            self._pieces.append(rest)
            self._size += len(rest)
            if self._size > self._limit:
                raise EventTooLarge

    def rest(self) -> bytes:
        return self._whole(b"")

    def _whole(self, line: bytes) -> bytes:
        if self._pieces:
            line = b"".join([*self._pieces, line])
            self._pieces, self._size = [], 0
        return line


class Decoder:
    """Turns bytes into the data of whole events; comments, names and ids are left out."""

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._lines = _Lines(max_event_bytes)
        self._data: list[bytes] = []

    def feed(self, chunk: bytes) -> Iterator[str]:
        """Yield the data of each event that `chunk` completes.

        Raises:
            UnicodeDecodeError: the bytes are not UTF-8.
            EventTooLarge: one line exceeds `max_event_bytes`.
        """
        for line in self._lines.feed(chunk):
            if line:
                self._take(line)
            elif self._data:
                yield self._event()

    def end(self) -> Iterator[str]:
        """Yield the event that the end of the stream completes.

        Some servers leave out the last empty line; an event that was cut off does not parse anyway.
        """
        self._take(self._lines.rest())
        if self._data:
            yield self._event()

    def _take(self, line: bytes) -> None:
        field, _, value = line.partition(b":")
        if field == b"data":
            self._data.append(value.removeprefix(b" "))

    def _event(self) -> str:
        data, self._data = b"\n".join(self._data), []
        return data.decode("utf-8")
