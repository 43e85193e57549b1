"""From pydantic's errors to ours."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from agent_builder.errors import Fault
from agent_builder.models.forms import IN_WORDS

_LIMIT = 20


def faults_of(errors: Iterable[Any], *, skip: int = 0) -> tuple[Fault, ...]:
    """JSON Pointers and messages; the offending input itself is left out.

    Args:
        errors: As `ValidationError.errors()` gives them.
        skip: How many leading places of `loc` are not of the document.
    """
    found = []
    for error in list(errors)[:_LIMIT]:
        place = [str(part).replace("~", "~0").replace("/", "~1") for part in error["loc"][skip:]]
        pointer = "".join(f"/{part}" for part in place)
        found.append(Fault(pointer, _message(error)))
    return tuple(found)


def _message(error: Any) -> str:
    text = str(error["msg"])
    if error["type"] == "extra_forbidden":
        return "This field is not known here; remove it."
    if error["type"] == "missing":
        return "This field is required."
    if error["type"] == "string_pattern_mismatch":
        return IN_WORDS.get(error["ctx"]["pattern"], text)
    return text.removeprefix("Value error, ")
