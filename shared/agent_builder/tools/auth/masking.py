"""Known secrets are blotted out of what people and models get to see, in every form in which servers repeat them."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, quote_plus

from agent_builder.jsontext import encode

MASK = "***"
_SHORTEST = 4
_ESCAPE = re.compile("%[0-9A-F]{2}")


class Masker:
    """Blots the same secrets out of many texts."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets if len(secret) >= _SHORTEST for form in _forms(secret)}
        self._forms = sorted(forms, key=len, reverse=True)

    def text(self, text: str) -> str:
        """A text without the secrets."""
        for form in self._forms:
            text = text.replace(form, MASK)
        return text

    def value(self, value: Any) -> Any:
        """The same for a value of JSON: its names, texts and numbers."""
        if not self._forms:
            return value
        whole = encode(value)
        return value if self.text(whole) == whole else self._walked(value)

    def _walked(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {self.text(name): self._walked(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self._walked(item) for item in value]
        if value is None or isinstance(value, bool):
            return value
        shown = self.text(str(value))
        return value if shown == str(value) else shown


def masked(text: str, secrets: Iterable[str]) -> str:
    """The text without the secrets: plain, as JSON, HTML or a query write them, in hexadecimal, in base64, also inside.

    Secrets of less than four characters are left alone; blotting those out would only make the rest unreadable.
    """
    return Masker(secrets).text(text)


def _forms(secret: str) -> set[str]:
    written = {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    written |= {one.replace("/", "\\/") for one in written}
    written |= {html.escape(secret), html.escape(secret, quote=False)}
    coded_in_urls = {quote(secret, safe=""), quote(secret), quote_plus(secret)}
    written |= coded_in_urls | {_ESCAPE.sub(lambda escape: escape[0].lower(), one) for one in coded_in_urls}
    data = secret.encode()
    written |= {data.hex(), data.hex().upper()}
    for coded in (base64.b64encode, base64.urlsafe_b64encode):
        written.add(coded(data).decode())
        written |= {inner for shift in range(3) if len(inner := _inside(coded, data, shift)) >= _SHORTEST * 2}
    return written


def _inside(coded: object, data: bytes, shift: int) -> str:
    """How base64 writes these bytes behind so many others, less the characters that depend on their neighbours."""
    assert callable(coded)
    text: str = coded(bytes(shift) + data).decode().rstrip("=")
    begin = (0, 2, 3)[shift]
    end = len(text) if (shift + len(data)) % 3 == 0 else len(text) - 1
    return text[begin:end]
