"""The one decoder of JSON that comes from outside: stricter than the standard library's.

Refused: bytes that are not UTF-8, a byte order mark, nesting beyond 64 levels, NaN and Infinity, duplicate keys, lone
surrogates, NUL characters (DynamoDB and vendors take them, terminals and logs do not), and integers or exponents that
no other JSON reader keeps.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

from agent_builder.errors import MalformedRequest, PayloadTooLarge

MAX_DEPTH = 64
_MAX_DIGITS = 4000
_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
_BRACKET = re.compile(r"[][{}]")


def decode(raw: bytes | str, *, limit: int) -> Any:
    """Decode one JSON document.

    Args:
        raw: The document.
        limit: Largest size in bytes.

    Raises:
        PayloadTooLarge: It is larger than `limit`.
        MalformedRequest: It is not acceptable JSON; `detail` says what to change.
    """
    data = raw if isinstance(raw, bytes) else raw.encode("utf-8", "surrogatepass")
    if len(data) > limit:
        raise PayloadTooLarge(f"This is {len(data):,} bytes of JSON; at most {limit:,} are accepted.")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedRequest(f"Not UTF-8: byte {error.start} cannot be decoded.") from None
    _check_depth(text)
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_int=_integer,
            parse_float=_real,
        )
    except json.JSONDecodeError as error:
        raise MalformedRequest(f"Not JSON: {error.msg} at line {error.lineno}, column {error.colno}.") from None
    if "\\u" in text:  # neither NUL nor half a surrogate pair can come in otherwise
        _check_text(value)
    return value


def decode_object(raw: bytes | str, *, limit: int) -> dict[str, Any]:
    """Decode a document that must be a JSON object."""
    value = decode(raw, limit=limit)
    if not isinstance(value, dict):
        raise MalformedRequest('A JSON object is expected, like {"name": "value"}.')
    return value


def encode(value: Any) -> str:
    """Compact JSON, all characters beyond ASCII kept."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _check_depth(text: str) -> None:
    """Count brackets outside strings before parsing, since the parser itself recurses."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return
    depth = 0
    for bracket in _BRACKET.findall(_STRING.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > MAX_DEPTH:
            raise MalformedRequest(f"Nested deeper than {MAX_DEPTH} levels.")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise MalformedRequest(f"The key {json.dumps(key[:100])} stands twice in one object.")
            seen.add(key)
    return result


def _constant(name: str) -> Any:
    raise MalformedRequest(f"{name} is not JSON; use null or a number.")


def _integer(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise MalformedRequest("A number has too many digits.")
    return int(digits)


def _real(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise MalformedRequest("A number is too large.")
    return value


def _check_text(value: Any) -> None:
    if isinstance(value, str):
        if "\x00" in value:
            raise MalformedRequest("A string contains the NUL character (\\u0000); remove it.")
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            raise MalformedRequest("A string contains half of a surrogate pair; send whole characters.") from None
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_text(key)
            _check_text(item)
    elif isinstance(value, list):
        for item in value:
            _check_text(item)
