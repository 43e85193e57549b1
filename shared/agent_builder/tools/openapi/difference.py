"""What a new version of a description changes: by operation, and what of each."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from agent_builder.messages import Json
from agent_builder.models.tools import HttpTool
from agent_builder.tools.openapi.preview import ImportedOperation, ImportPreview

Change = Literal["added", "changed", "removed", "same"]
# Fields of a tool in the words of the difference.
_ASPECTS = {
    "name": ("name",),
    "description": ("description",),
    "address": ("base_url", "path", "method"),
    "parameters": ("parameters",),
    "body": ("body",),
    "effect": ("effect",),
    "headers": ("accept", "idempotency_header"),
}


class OperationDifference(BaseModel):
    """One operation in two versions.

    Attributes:
        details: What changed: an aspect of the tool, or `argument added: x`, `argument removed: x`,
            `argument changed: x`, `argument now required: x`, `argument no longer required: x`.
        breaking: Calls that were right before can be wrong now.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    change: Change
    details: tuple[str, ...] = ()
    breaking: bool = False


def difference(old: ImportPreview, new: ImportPreview) -> tuple[OperationDifference, ...]:
    """Every operation of either version, once: those of the new one in its order, then those that are gone."""
    before = {operation.key: operation for operation in old.operations}
    after = {operation.key: operation for operation in new.operations}
    found = [_compared(before.get(key), operation) for key, operation in after.items()]
    gone = [OperationDifference(key=key, change="removed", breaking=True) for key in before if key not in after]
    return (*found, *gone)


def _compared(old: ImportedOperation | None, new: ImportedOperation) -> OperationDifference:
    if old is None:
        return OperationDifference(key=new.key, change="added")
    details: list[str] = []
    if (old.tool is None) != (new.tool is None):
        details.append("can no longer be a tool" if new.tool is None else "can be a tool now")
    if old.security != new.security:
        details.append("credentials")
    if old.deprecated != new.deprecated:
        details.append("deprecated" if new.deprecated else "no longer deprecated")
    if old.tool and new.tool:
        details += tool_difference(old.tool, new.tool)
    breaking = new.tool is None and old.tool is not None
    breaking = breaking or any(detail.startswith(BREAKING) for detail in details)
    change: Change = "changed" if details else "same"
    return OperationDifference(key=new.key, change=change, details=tuple(details), breaking=breaking)


# What these details begin with can make calls wrong that were right.
BREAKING = ("argument removed", "argument changed", "argument now required", "address", "body")


def tool_difference(old: HttpTool, new: HttpTool) -> list[str]:
    """What differs between two tools, in words."""
    first, second = old.model_dump(), new.model_dump()
    details = [aspect for aspect, names in _ASPECTS.items() if any(first[name] != second[name] for name in names)]
    return details + _arguments(old.input_schema, new.input_schema)


def _arguments(old: Json, new: Json) -> list[str]:
    before, after = old.get("properties", {}), new.get("properties", {})
    details = [f"argument added: {name}" for name in after if name not in before]
    details += [f"argument removed: {name}" for name in before if name not in after]
    same_definitions = old.get("$defs") == new.get("$defs")
    for name in (name for name in after if name in before):
        if before[name] != after[name] or (not same_definitions and "$ref" in str(after[name])):
            details.append(f"argument changed: {name}")
    was, now = set(old.get("required", ())), set(new.get("required", ()))
    details += [f"argument now required: {name}" for name in sorted(now - was)]
    return details + [f"argument no longer required: {name}" for name in sorted((was - now) & set(after))]
