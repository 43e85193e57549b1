"""OpenAPI's ways of writing a value into a path, query, header, cookie or form: `style`, `explode`, escaping.

Nothing is written unescaped that could end the place it stands in. Values inside a list or object that are themselves
lists or objects have no form of their own in most styles; they are written as JSON.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from agent_builder.jsontext import encode
from agent_builder.models.tools import Serialization, Style

Pairs = list[tuple[str, str]]
# What RFC 3986 allows in a query besides letters and digits, less what would end a name or value there.
_RESERVED = ":/?@!$'()*,;"
_SEPARATORS: dict[Style, str] = {"form": ",", "spaceDelimited": "%20", "pipeDelimited": "%7C", "tabDelimited": "%09"}


def text(value: Any) -> str:
    """A value as text: JSON for what is no single value, and whole numbers without a fraction."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return encode(value)


def typed(value: Any, content_type: str) -> str:
    """A value as a media type: JSON where that is asked for, else text."""
    return encode(value) if "json" in content_type else text(value)


def escaped(value: Any, *, reserved: bool = False) -> str:
    """The text with everything escaped except unreserved characters; reserved ones stay where that is asked for."""
    return quote(text(value), safe=_RESERVED if reserved else "")


def query_pairs(name: str, value: Any, how: Serialization) -> Pairs:
    """Names and values for a query or form, both escaped; a null, an empty list and an empty object are left out."""
    if value is None:
        return []
    if how.content_type:
        return [(escaped(name), escaped(typed(value, how.content_type)))]
    style: Style = how.style or "form"
    if style == "deepObject":
        return [(escaped(key), escaped(one, reserved=how.allow_reserved)) for key, one in _deep(name, value)]
    explode = style == "form" if how.explode is None else how.explode
    if isinstance(value, dict):
        items = [(escaped(key), escaped(one, reserved=how.allow_reserved)) for key, one in _set(value)]
        if explode or not items:
            return items
        flat = [word for item in items for word in item]
        return [(escaped(name), _SEPARATORS[style].join(flat))]
    if isinstance(value, list):
        words = [escaped(one, reserved=how.allow_reserved) for one in value]
        if explode:
            return [(escaped(name), word) for word in words]
        return [(escaped(name), _SEPARATORS[style].join(words))] if words else []
    return [(escaped(name), escaped(value, reserved=how.allow_reserved))]


def path_text(name: str, value: Any, how: Serialization) -> str:
    """A value for the braces of a path, escaped; a slash stays only where reserved characters may."""
    if how.content_type:
        return escaped(typed(value, how.content_type))
    explode = bool(how.explode)

    def one(item: Any) -> str:
        return escaped(item, reserved=how.allow_reserved).replace("?", "%3F")

    if how.style == "matrix":
        return _matrix(escaped(name), value, one, explode=explode)
    prefix, between = (".", "." if explode else ",") if how.style == "label" else ("", ",")
    if isinstance(value, dict):
        join = "=" if explode else ","
        return prefix + between.join(f"{escaped(key)}{join}{one(item)}" for key, item in _set(value))
    if isinstance(value, list):
        return prefix + between.join(map(one, value))
    return prefix + one(value)


def header_text(value: Any, how: Serialization) -> str:
    """A value for a header. Nothing is escaped there, so the caller checks what characters it has."""
    if how.content_type:
        return typed(value, how.content_type)
    if isinstance(value, dict):
        return ",".join(f"{key}{'=' if how.explode else ','}{text(item)}" for key, item in _set(value))
    return ",".join(map(text, value)) if isinstance(value, list) else text(value)


def _matrix(name: str, value: Any, one: Any, *, explode: bool) -> str:
    if isinstance(value, dict):
        if explode:
            return "".join(f";{escaped(key)}={one(item)}" for key, item in _set(value))
        return f";{name}=" + ",".join(f"{escaped(key)},{one(item)}" for key, item in _set(value))
    if isinstance(value, list):
        if explode:
            return "".join(f";{name}={one(item)}" for item in value)
        return f";{name}=" + ",".join(map(one, value))
    return f";{name}={one(value)}"


def _set(value: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    return ((key, item) for key, item in value.items() if item is not None)


def _deep(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """`a[b]=1`, `a[b][]=1` for lists of single values, `a[b][0][c]=1` for lists of objects, as qs and Rails read it."""
    if isinstance(value, dict):
        for key, item in _set(value):
            yield from _deep(f"{name}[{key}]", item)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _deep(f"{name}[{index if isinstance(item, dict | list) else ''}]", item)
    else:
        yield name, value
