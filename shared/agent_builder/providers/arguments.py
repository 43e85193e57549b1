"""Tool arguments and events, parsed strictly: what is no JSON, or no object, is never guessed at or repaired."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from agent_builder.messages import Json
from agent_builder.providers.characters import whole


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _no_duplicates(pairs: list[tuple[str, Any]]) -> Json:
    whole = dict(pairs)
    if len(whole) != len(pairs):
        raise ValueError("duplicate key")
    return whole


def parse_arguments(raw: str) -> tuple[Json, str | None]:
    """Parse the arguments of a tool call.

    Returns:
        The object and None, or `{}` and the raw text if that is not exactly one JSON object (cut off, followed by
        something, with a duplicate key, NaN or Infinity). No text at all means no arguments: `{}`.
    """
    if not raw.strip():
        return {}, None
    raw = whole(raw)
    try:
        parsed = json.loads(raw, parse_constant=_no_constant, object_pairs_hook=_no_duplicates)
        if isinstance(parsed, dict) and "\\u" in raw:
            parsed = json.loads(compact(parsed))  # halves of characters can stand in escapes as well
    except (ValueError, RecursionError):
        return {}, raw
    return (parsed, None) if isinstance(parsed, dict) else ({}, raw)


def compact(value: object) -> str:
    """JSON without spaces, letters as they are, characters whole: what is sent back to a model."""
    return whole(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
