"""An API's answer, read and cut to what a model should see of it. Everything in it is somebody else's: nothing is
believed, neither what it says it is nor that it is well-formed."""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from agent_builder.jsontext import encode
from agent_builder.messages import Json
from agent_builder.models.tools import ResponseShape
from agent_builder.tools.auth.masking import Masker
from agent_builder.tools.egress import Answer
from agent_builder.tools.page_text import page_text
from agent_builder.tools.selection import select

# Of a whole answer, written as JSON, that is kept with its step.
WHOLE_BYTES = 4_000_000
MAX_DEPTH = 64
Kind = Literal["empty", "json", "text", "html", "binary"]

_MEDIA_TYPE = re.compile(r"\s*([A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+)")
_CHARSET = re.compile(r"charset\s*=\s*\"?([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
# Others of Python's codecs are no charsets, and some of them take long.
_CHARSETS = re.compile(
    r"(us-?ascii|utf-?(8|16|32)([-_]?(le|be))?|(iso-?8859|latin)[-_]?\d+|(windows-|cp)12\d\d|koi8-[ru]|macroman|"
    r"shift[-_]?jis|euc-(jp|kr)|iso-2022-(jp|kr)|gb2312|gbk|gb18030|big5)",
    re.IGNORECASE,
)
_BINARY = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_PAGE = re.compile(r"\s*(<!doctype html|<html|<head|<body)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Content:
    """What an answer holds, with the secrets of its call blotted out.

    Attributes:
        value: JSON, text (of a page: its text), what is known of a binary one, or None.
        text: A text as it came, markup and all.
    """

    kind: Kind
    media_type: str
    value: Any
    text: str = ""


@dataclass(frozen=True, slots=True)
class Shaped:
    """What the model gets, and all there was where that is more."""

    result: Json
    whole: Any = None


def content_of(answer: Answer, masker: Masker) -> Content:
    """Read an answer."""
    declared = answer.headers.get("content-type", "")
    match = _MEDIA_TYPE.match(declared)
    media_type = match[1].lower() if match else ""
    if not answer.body:
        return Content("empty", media_type, None)
    text = _text(answer.body, declared, media_type)
    if text is None:
        about = {"content_type": media_type or "application/octet-stream", "bytes": len(answer.body)}
        digest = hashlib.sha256(answer.body).hexdigest()
        return Content("binary", media_type, {**about, "sha256": digest, "note": "Binary content is not shown."})
    looks_like_page = bool(_PAGE.match(text[:200]))
    if not looks_like_page and ("json" in media_type or text[:50].lstrip()[:1] in ("{", "[")):
        try:
            value = masker.value(_json(text))
        except (ValueError, RecursionError):
            pass
        else:
            return Content("json", media_type, value)
    if looks_like_page or "html" in media_type:
        return Content("html", media_type, masker.text(page_text(text)), masker.text(text))
    shown = masker.text(text)
    return Content("text", media_type, shown, shown)


async def shaped(content: Content, status: int, shape: ResponseShape) -> Shaped:
    """What the model gets of an answer that went well.

    Raises:
        ToolError: The tool's `select` cannot be applied to it.
    """
    if content.kind == "empty":
        return Shaped({"status": status, "value": None})
    value = content.value
    if shape.select and content.kind == "json":
        value = await asyncio.to_thread(select, shape.select, value)
        value = _plain(value)
    result, complete = fitted(value, shape.max_bytes)
    untouched = complete and not (shape.select and content.kind == "json") and content.kind != "html"
    if untouched or content.kind == "binary":
        return Shaped(result)
    return Shaped(result, _capped(content.value if content.kind == "json" else content.text))


def fitted(value: Any, most: int) -> tuple[Json, bool]:
    """A value as a result of at most so many bytes of JSON, about, and whether it is all of it."""
    result = value if isinstance(value, dict) else {"value": value}
    written = encode(result)
    size = len(written.encode())
    if size <= most:
        return result, True
    if isinstance(value, list):
        kept = _first_items(value, most)
        if kept:
            note = f"Cut: the first {len(kept)} of {len(value)} items. The whole is kept for people to read."
            return {"value": kept, "truncated": True, "items": len(value), "bytes": size, "note": note}, False
    text = value if isinstance(value, str) else encode(value)
    shown = _cut(text, most)
    note = f"Cut: the first {len(shown):,} of {len(text):,} characters. The whole is kept for people to read."
    return {"value": shown, "truncated": True, "bytes": size, "note": note}, False


def excerpt(content: Content, most: int = 2_000) -> str:
    """The beginning of an answer, for an error message."""
    if content.kind == "binary":
        return "(binary content)"
    text = encode(content.value) if content.kind == "json" else str(content.value or "")
    text = " ".join(text.split()) if content.kind != "json" else text
    return text if len(text) <= most else f"{text[:most]}… [cut]"


def _text(body: bytes, declared: str, media_type: str) -> str | None:
    """The text of a body; None where it is none."""
    if media_type.startswith(("image/", "audio/", "video/", "font/")) and "svg" not in media_type:
        return None
    match = _CHARSET.search(declared)
    charset = match[1] if match and _CHARSETS.fullmatch(match[1]) else ""
    for coding in filter(None, (_marked(body), charset, "utf-8")):
        try:
            text = body.decode(coding)
        except (UnicodeError, LookupError):
            continue
        return None if _BINARY.search(text[:4_096]) else text
    if media_type.startswith("text/") or "json" in media_type or "xml" in media_type:
        return body.decode("utf-8", "replace")
    return None


def _marked(body: bytes) -> str:
    """The coding that a byte order mark tells."""
    if body.startswith(b"\xef\xbb\xbf"):
        return "utf-8-sig"
    return "utf-16" if body.startswith((b"\xff\xfe", b"\xfe\xff")) else ""


def _json(text: str) -> Any:
    """The value of a JSON text that can be written again; ValueError for what is none, or nested too deeply."""
    value = _plain(json.loads(text, parse_constant=str, parse_float=_real))
    level, depth = _containers([value]), 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise ValueError("nested too deeply")
        level = [item for one in level for item in _containers(_items(one))]
    return value


def _containers(values: Iterable[Any]) -> list[Any]:
    return [one for one in values if isinstance(one, dict | list)]


def _items(value: Json | list[Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def _plain(value: Any) -> Any:
    """The same without halves of characters, which nothing can store."""
    written = encode(value)
    try:
        written.encode()
    except UnicodeEncodeError:
        return json.loads(written.encode("utf-8", "replace"))
    return value


def _real(text: str) -> float | str:
    value = float(text)
    return value if math.isfinite(value) else text


def _first_items(items: list[Any], most: int) -> list[Any]:
    room, kept = most - 200, 0
    for item in items:
        room -= len(encode(item).encode()) + 1
        if room < 0:
            break
        kept += 1
    return items[:kept]


def _cut(text: str, most: int) -> str:
    """The beginning of a text that takes at most so many bytes as JSON."""
    shown = text[:most]
    while shown and (size := len(encode(shown).encode("utf-8", "replace"))) > most:
        shown = shown[: max(0, len(shown) * most // size - 1)]
    return shown


def _capped(whole: Any) -> Any:
    written = encode(whole)
    if len(written.encode("utf-8", "replace")) <= WHOLE_BYTES:
        return whole
    shown = _cut(whole if isinstance(whole, str) else written, WHOLE_BYTES - 200)
    return {"value": shown, "truncated": True, "bytes": len(written.encode("utf-8", "replace"))}
