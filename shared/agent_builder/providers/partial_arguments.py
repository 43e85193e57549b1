"""Arguments of a Gemini function call that come as values at JSON paths (`$.items[0].name`), strings in pieces."""

from __future__ import annotations

import re
from typing import Any

from agent_builder.messages import Json

_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|\['((?:[^'\\]|\\.)*)'\]|\[\"((?:[^\"\\]|\\.)*)\"\]")
MAX_INDEX = 10_000


def place(arguments: Json, path: str, value: Any) -> None:
    """Put a value at a path, making what is on the way; a string is added to the string that is there.

    Raises:
        ValueError: not a path into an object, or one that contradicts what is there.
    """
    steps = _steps(path)
    at: Any = arguments
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        there = _at(at, step)
        if following is None:
            at[step] = there + value if isinstance(there, str) and isinstance(value, str) else value
        elif there is None:
            at[step] = at = [] if isinstance(following, int) else {}
        else:
            at = there


def _at(holder: Any, step: str | int) -> Any:
    """What stands there; a list is made long enough."""
    if isinstance(step, int) and isinstance(holder, list):
        holder.extend([None] * (step + 1 - len(holder)))
        return holder[step]
    if isinstance(step, str) and isinstance(holder, dict):
        return holder.get(step)
    raise ValueError("the path does not fit what came before")


def _steps(path: str) -> list[str | int]:
    steps: list[str | int] = []
    end = 1
    for found in _STEP.finditer(path, 1):
        if found.start() != end:
            break
        end = found.end()
        steps.append(int(found[2]) if found[2] else found[1] or found[3] or found[4] or "")
    if not path.startswith("$") or end != len(path) or not steps:
        raise ValueError("not a JSON path into the arguments")
    if any(isinstance(step, int) and step > MAX_INDEX for step in steps):
        raise ValueError("an index beyond reason")
    return steps
