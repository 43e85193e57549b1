"""Tools that exist already, and a newer description: which operation is which tool, what changes, what stays.

Calls are the description's: address, parameters, body, schema. What people decide stays theirs: name, whether it is
enabled or needs approval, limits, help of a model, the shape of answers, and a description that they wrote.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from agent_builder.models.tools import HttpTool, Origin
from agent_builder.tools.openapi.difference import BREAKING, OperationDifference, tool_difference

_OF_THE_CALL = (
    "method",
    "base_url",
    "path",
    "parameters",
    "body",
    "input_schema",
    "accept",
    "idempotency_header",
    "origin",
)


def imported(key: str, tool: HttpTool) -> HttpTool:
    """The tool of an operation, which knows where it comes from."""
    return tool.model_copy(update={"origin": Origin(operation=key, description=_digest(tool.description))})


def matched(tools: Mapping[str, HttpTool], operations: Iterable[tuple[str, HttpTool]]) -> dict[str, str]:
    """Operation to the id of its tool: by origin, else by method and path where only one has them.

    Args:
        tools: Of one integration, by id.
        operations: Keys of operations with the tools that they describe.
    """
    described = list(operations)
    by_origin = {tool.origin.operation: tool_id for tool_id, tool in tools.items() if tool.origin}
    found = {key: by_origin[key] for key, _ in described if key in by_origin}
    left: dict[tuple[str, str], list[str]] = {}
    for tool_id, tool in tools.items():
        if tool_id not in found.values():
            left.setdefault((tool.method, tool.path), []).append(tool_id)
    for key, tool in described:
        same = left.get((tool.method, tool.path), [])
        if key not in found and len(same) == 1:
            found[key] = same.pop()
    return found


def imported_tools(tools: Mapping[str, HttpTool]) -> list[str]:
    """Ids of those that an import brought; what people made by hand is theirs."""
    return [tool_id for tool_id, tool in tools.items() if tool.origin]


def key_of(tool: HttpTool) -> str:
    """The operation that a tool is, or would be."""
    return tool.origin.operation if tool.origin else f"{tool.method} {tool.path}"


def updated(old: HttpTool, new: HttpTool) -> HttpTool:
    """A tool brought up to date with its operation. `new` knows where it comes from (`imported`)."""
    changes = {name: getattr(new, name) for name in _OF_THE_CALL}
    if old.origin is not None and old.origin.description == _digest(old.description):
        changes["description"] = new.description
    if old.method != new.method:
        changes["effect"] = new.effect
        changes["cache_seconds"] = old.cache_seconds if new.effect == "read" else 0
    return old.model_copy(update=changes)


def compared(key: str, old: HttpTool | None, new: HttpTool) -> OperationDifference:
    """What bringing a tool up to date changes; `added` where there is none yet."""
    if old is None:
        return OperationDifference(key=key, change="added")
    details = tuple(tool_difference(old, updated(old, new)))
    breaking = any(detail.startswith(BREAKING) for detail in details)
    return OperationDifference(key=key, change="changed" if details else "same", details=details, breaking=breaking)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]
