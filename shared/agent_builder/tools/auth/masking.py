"""Known secrets are blotted out of what people and models get to see, in every form in which servers repeat them."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote, quote_plus, unquote

from agent_builder.jsontext import encode
from agent_builder.models.credentials import SHORTEST

MASK = "***"
_ESCAPE = re.compile("%[0-9A-F]{2}")
_ESCAPED = re.compile(
    r"""(?P<unit>(?:\\u[0-9a-f]{4})+)|\\x(?P<byte>[0-9a-f]{2})|\\(?P<plain>["\\/])|(?P<url>(?:%[0-9a-f]{2})+)|&\#?\w{1,12};""",
    re.IGNORECASE,
)
_SPELLING = ("%", "\\u", "\\U", "\\x", "\\X", "&#")
# The pattern of a longer one takes too long to make.
_LONGEST_PATTERN = 300


class Masker:
    """Blots the same secrets out of many texts."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = [secret for secret in secrets if len(secret) >= SHORTEST]
        self._forms = sorted({form for secret in self._secrets for form in _forms(secret)}, key=len, reverse=True)

    def text(self, text: str) -> str:
        """A text without the secrets."""
        for form in self._forms:
            text = text.replace(form, MASK)
        for secret in self._spelled(text):
            if len(secret) > _LONGEST_PATTERN:
                text = _plain(_plain(text)).replace(secret, MASK)
            else:
                text = re.sub(_spellings(secret), MASK, text)
        return text

    def value(self, value: Any) -> Any:
        """The same for a value of JSON: its names, texts and numbers."""
        if not self._forms:
            return value
        whole = encode(value)
        hidden = any(form in whole for form in self._forms) or self._spelled(whole)
        return self._walked(value) if hidden else value

    def _spelled(self, text: str) -> list[str]:
        """The secrets that stand in a text with characters escaped that need not be."""
        if not any(mark in text for mark in _SPELLING):
            return []
        plain = _plain(text)
        again = _plain(plain) if any(mark in plain for mark in _SPELLING) else plain  # a text inside JSON
        return [secret for secret in self._secrets if secret in plain or secret in again]

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

    Escapes that need not be are found as well: `%73` or `\\u0073` for an s.
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
        written |= {inner for shift in range(3) if len(inner := _inside(coded, data, shift)) >= SHORTEST * 2}
    return written


def _plain(text: str) -> str:
    """The text with its escapes undone: those of addresses, HTML, and languages like JSON."""
    known: dict[str, str] = {}

    def undone(found: re.Match[str]) -> str:
        plain = known.get(found[0])
        if plain is None:
            plain = known[found[0]] = _undone(found)
        return plain

    return _ESCAPED.sub(undone, text)


def _undone(found: re.Match[str]) -> str:
    if units := found["unit"]:
        return bytes.fromhex(re.sub(r"(?i)\\u", "", units)).decode("utf-16-be", "replace")
    if found["byte"]:
        return chr(int(found["byte"], 16))
    return found["plain"] or (unquote(found[0]) if found["url"] else html.unescape(found[0]))


def _spellings(secret: str) -> re.Pattern[str]:
    """Every way to write a secret of which any character may be escaped, or not."""
    return re.compile("".join(f"(?:{'|'.join(_spelled_character(one))})" for one in secret))


def _spelled_character(one: str) -> Iterator[str]:
    code = ord(one)
    yield re.escape(one)
    yield "(?i:" + "".join(f"%{byte:02x}" for byte in one.encode("utf-8", "surrogatepass")) + ")"
    units = one.encode("utf-16-be", "surrogatepass")
    yield "(?i:" + "".join(rf"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2)) + ")"
    yield rf"(?i:&#0*{code};|&#x0*{code:x};)"
    if code < 256:
        yield rf"(?i:\\x{code:02x})"
    for written in {json.dumps(one)[1:-1], html.escape(one), "\\/" if one == "/" else one} - {one}:
        yield re.escape(written)
    if one == " ":
        yield r"\+"


def _inside(coded: object, data: bytes, shift: int) -> str:
    """How base64 writes these bytes behind so many others, less the characters that depend on their neighbours."""
    assert callable(coded)
    text: str = coded(bytes(shift) + data).decode().rstrip("=")
    begin = (0, 2, 3)[shift]
    end = len(text) if (shift + len(data)) % 3 == 0 else len(text) - 1
    return text[begin:end]
