"""Distinct secrets, and every form in which one could show up somewhere."""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

# Characters that every way of writing treats in its own way.
_TAIL = "+/=&%41"
_PACKED = re.compile(r"z:([A-Za-z0-9+/=]{16,})")


def needle(name: str) -> str:
    """A secret that stands for one field."""
    return f"cnry-{name}-Zq7{_TAIL}"


def forms(secret: str) -> set[str]:
    """Plain, JSON, URL-encoded, HTML, hexadecimal, and base64 wherever in a longer text it stands."""
    found = {secret, json.dumps(secret)[1:-1], secret.replace("/", "\\/"), html.escape(secret)}
    found |= {quote(secret, safe=""), quote(secret), quote_plus(secret)}
    found |= {re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), form) for form in set(found)}
    found |= {binascii.hexlify(secret.encode()).decode(), secret.removesuffix(_TAIL)}
    for written in (secret, quote_plus(secret)):  # OAuth writes a client's secret so before it becomes Basic
        for shift in range(3):
            for coded in (base64.b64encode, base64.urlsafe_b64encode):
                text = coded(b"x" * shift + written.encode()).decode().rstrip("=")
                found.add(text[(0, 2, 3)[shift] : -1])
    return found


def occurrences(text: str, needles: Iterable[str]) -> list[str]:
    """Which of these secrets a text tells, in any form, packed columns of the table included."""
    searched = [text, *_unpacked(text)]
    return sorted({one for one in needles if any(form in part for part in searched for form in forms(one))})


def _unpacked(text: str) -> Iterator[str]:
    for match in _PACKED.finditer(text):
        try:
            yield zlib.decompress(base64.b64decode(match[1] + "==")).decode("utf-8", "replace")
        except (binascii.Error, zlib.error):
            continue
