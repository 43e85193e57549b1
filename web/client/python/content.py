"""What can be said at all; the server would refuse the rest."""

from __future__ import annotations

import json

from web.client.python.errors import InvalidContent, TooLarge

FRAME_LIMIT = 32 * 1024
_ROOM = 512  # what a frame needs beside its content


def check_content(content: str) -> None:
    """Raise InvalidContent or TooLarge for what the server could only refuse."""
    if not content.strip():
        raise InvalidContent("The message is empty.")
    if "\x00" in content or any("\ud800" <= char <= "\udfff" for char in content):
        raise InvalidContent("The message holds a NUL or half a surrogate pair.")
    if len(json.dumps(content, ensure_ascii=False).encode()) > FRAME_LIMIT - _ROOM:
        raise TooLarge("The message is longer than the 32 KB that fit into a frame; send it in pieces.")
