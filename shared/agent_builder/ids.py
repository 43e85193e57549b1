"""Prefixed, time-ordered identifiers: `agt_01JD…`, a ULID behind the kind's prefix."""

from __future__ import annotations

import re

from ulid import ULID

from agent_builder.errors import NotFound

_FORMAT = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")


def new_id(prefix: str, after: str = "", *, at: int | None = None) -> str:
    """Make an id of this kind; with `after`, one that sorts behind that id whatever the clocks say.

    Args:
        at: The time that it tells unless `after` is later, in milliseconds; now, if it is not said.
    """
    fresh = f"{prefix}_{ULID() if at is None else ULID.from_timestamp(at)}"
    if fresh > after:
        return fresh
    last = ULID.from_str(after.split("_", 1)[1])
    return f"{prefix}_{ULID.from_int(int(last) + 1)}"


def made_at(value: str) -> int:
    """The time that an id tells, in milliseconds."""
    return ULID.from_str(value.partition("_")[2]).milliseconds


def first_id(prefix: str, milliseconds: int) -> str:
    """The least id of this kind that can have been made at a time or later."""
    return f"{prefix}_{ULID.from_int(max(0, milliseconds) << 80)}"


def id_before(value: str) -> str:
    """The greatest id that sorts before this one; the very first is its own."""
    prefix, _, tail = value.partition("_")
    return f"{prefix}_{ULID.from_int(max(0, int(ULID.from_str(tail)) - 1))}"


def is_id(prefix: str, value: object) -> bool:
    """Whether this is a well-formed id of the kind."""
    if not isinstance(value, str):
        return False
    head, _, tail = value.partition("_")
    return head == prefix and _FORMAT.fullmatch(tail) is not None


def require_id(prefix: str, value: str, what: str) -> str:
    """Pass a well-formed id through; a malformed one cannot exist.

    Raises:
        NotFound: It is not an id of this kind.
    """
    if not is_id(prefix, value):
        raise NotFound(f"There is no {what} with this id.")
    return value
