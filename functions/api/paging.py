"""Cursors and revisions on the wire."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.event_handler import Response

from agent_builder.errors import Fault, Unprocessable
from agent_builder.messages import Json

_ETAG = re.compile(r'(?:W/)?"([0-9]{1,15})"')
ETAG_PATTERN = r'^(\*|(W/)?"[0-9]{1,15}")$'


def page(items: list[Json], next_key: str | None) -> Response[Any]:
    """A page of a list."""
    return reply(200, {"items": items, "next_cursor": write_cursor(next_key) if next_key else None})


def reply(status: int, body: Any = None, *, revision: int | None = None, headers: Json | None = None) -> Response[Any]:
    """A JSON answer, with the revision as its `ETag`."""
    shown: dict[str, Any] = {"Cache-Control": "no-store", **(headers or {})}
    if revision is not None:
        shown["ETag"] = f'"{revision}"'
    text = "" if body is None else json.dumps(body, ensure_ascii=False)
    return Response(status, content_type=None if body is None else "application/json", body=text, headers=shown)


def write_cursor(key: str) -> str:
    """Where to go on, opaque to clients."""
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def read_cursor(cursor: str | None, valid: Callable[[str], bool]) -> str | None:
    """The key a cursor stands for.

    Raises:
        Unprocessable: It is not one that this list gave out.
    """
    if cursor is None:
        return None
    try:
        key = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, ValueError):
        key = ""
    if not key or not valid(key):
        fault = Fault("query/cursor", "Use a next_cursor of this very list, unchanged.")
        raise Unprocessable("The cursor is not valid.", faults=(fault,))
    return key


def revision_of(if_match: str | None) -> int | None:
    """The revision in an `If-Match` header; None where there is none or it is `*`.

    Raises:
        Unprocessable: It is not an ETag that this API gave out.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    match = _ETAG.fullmatch(if_match.strip())
    if match is None:
        fault = Fault("header/If-Match", 'Send the ETag of the last answer, for example "3".')
        raise Unprocessable("If-Match is not valid.", faults=(fault,))
    return int(match[1])
