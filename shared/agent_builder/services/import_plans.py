"""What a chosen part of a preview makes of an agent's tools and integrations. Pure: nothing is read or stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from agent_builder.errors import Conflict, Fault, Unprocessable
from agent_builder.ids import new_id
from agent_builder.messages import Json
from agent_builder.models.agents import BUILTIN_TOOLS
from agent_builder.models.openapi_imports import ImportApply, OpenApiImport
from agent_builder.models.parts import AgentParts, Definition, same
from agent_builder.models.tools import HttpTool, IntegrationInput
from agent_builder.tools.openapi.naming import tool_name
from agent_builder.tools.openapi.reimport import imported_tools, key_of, matched, updated

BASE_URL_LIMIT = 2_000


@dataclass(frozen=True, slots=True)
class Made:
    """What an agent is to have, and which operations are tools of it: `(operation, id of the tool, name)`."""

    parts: AgentParts
    added: list[tuple[str, str, str]] = field(default_factory=list)
    updated: list[tuple[str, str, str]] = field(default_factory=list)
    unchanged: list[tuple[str, str, str]] = field(default_factory=list)
    removed: list[tuple[str, str, str]] = field(default_factory=list)

    def result(self, integration_id: str, version: int) -> Json:
        """What people are told of it."""
        told: Json = {"version": version, "integration_id": integration_id}
        for name in ("added", "updated", "unchanged", "removed"):
            words = ("operation", "tool_id", "name")
            told[name] = [dict(zip(words, one, strict=True)) for one in getattr(self, name)]
        return told


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What somebody wants of an import.

    Attributes:
        described: The tools that operations describe, by key; without those that can be none.
        ids: Of tools that are made, by key: chosen once, since a change is calculated again after a race.
    """

    ready: OpenApiImport
    wanted: ImportApply
    described: Mapping[str, HttpTool]
    ids: dict[str, str] = field(default_factory=dict)

    def made(self, parts: AgentParts) -> Made:
        """The change.

        Raises:
            Unprocessable: What is to be removed is not there; or the integration has no base URL.
            Conflict: The integration that was to be changed is gone.
        """
        integration = self._integration(parts.integrations.get(self.ready.integration_id))
        mine = {
            tool_id: tool
            for tool_id, tool in parts.tools.items()
            if isinstance(tool, HttpTool) and tool.integration_id == self.ready.integration_id
        }
        known = matched(mine, self.described.items())
        gone = self._removed(mine, known)
        tools: dict[str, Definition] = {one: tool for one, tool in parts.tools.items() if one not in gone}
        made = Made(AgentParts(tools, {**parts.integrations, self.ready.integration_id: integration}))
        made.removed.extend((key_of(mine[one]), one, mine[one].name) for one in gone)
        names = {*BUILTIN_TOOLS, *(tool.name for tool in tools.values())}
        for key in self._chosen(known):
            tool_id = known.get(key)
            if tool_id in gone:
                continue
            if tool_id is None:
                tool_id = self.ids.setdefault(key, new_id("tol"))
                tools[tool_id] = self._new(key, names)
                made.added.append((key, tool_id, tools[tool_id].name))
                continue
            tools[tool_id] = updated(mine[tool_id], self.described[key])
            told = made.unchanged if same(mine[tool_id], tools[tool_id]) else made.updated
            told.append((key, tool_id, tools[tool_id].name))
        return made

    def pointer(self, part_id: str) -> str:
        """Where in what was sent a part stands."""
        if part_id == self.ready.integration_id:
            return "/integration"
        key = next((key for key, tool_id in self.ids.items() if tool_id == part_id), None)
        if isinstance(self.wanted.operations, list) and key in self.wanted.operations:
            return f"/operations/{self.wanted.operations.index(key)}"
        return "/operations"

    def _new(self, key: str, names: set[str]) -> HttpTool:
        tool = self.described[key]
        changes = {
            "name": tool_name(tool.name, tool.method, key.partition(" ")[2], names),
            "integration_id": self.ready.integration_id,
            "requires_approval": self.wanted.requires_approval_for_writes and tool.effect == "write",
        }
        return tool.model_copy(update=changes)

    def _chosen(self, known: Mapping[str, str]) -> Iterable[str]:
        if self.wanted.operations == "all":
            return list(self.described)
        if self.wanted.operations == "existing":
            return list(known)
        return self.wanted.operations

    def _removed(self, mine: Mapping[str, HttpTool], known: Mapping[str, str]) -> list[str]:
        if self.wanted.remove == "gone":
            there = set(known.values())
            return [tool_id for tool_id in imported_tools(mine) if tool_id not in there]
        by_key = {key_of(tool): tool_id for tool_id, tool in mine.items()} | dict(known)
        faults = [
            Fault(f"/remove/{number}", "The integration has no tool of this operation.")
            for number, key in enumerate(self.wanted.remove)
            if key not in by_key
        ]
        if faults:
            raise Unprocessable("Not all of this can be removed; `errors` says what.", faults=tuple(faults[:20]))
        return [by_key[key] for key in self.wanted.remove]

    def _integration(self, present: IntegrationInput | None) -> IntegrationInput:
        choice, told = self.wanted.integration, self.ready.summary or {}
        given = {name: value for name, value in choice.model_dump(exclude_unset=True).items() if value is not None}
        if "credential_id" in choice.model_fields_set:
            given["credential_id"] = choice.credential_id
        if present is not None:
            return present.model_copy(update=given)
        if self.ready.reimport:
            raise Conflict("The integration was deleted meanwhile; import the description without it.")
        base_url = given.setdefault("base_url", told.get("base_url") or "")
        if not base_url or len(base_url) > BASE_URL_LIMIT:
            detail = "The description does not say where the API is: give its base URL."
            raise Unprocessable(detail, faults=(Fault("/integration/base_url", detail),))
        given.setdefault("name", (str(told.get("title", "")).strip() or "API")[:100].strip())
        return IntegrationInput.model_validate({"kind": "http", **given})


def check_chosen(keys: str | Sequence[str], operations: Sequence[Json]) -> None:
    """That what is chosen can be tools.

    Raises:
        Unprocessable: Says of each that cannot why.
    """
    if isinstance(keys, str):
        return
    skipped = {one["key"]: one["notes"] for one in operations if not one.get("tool")}
    there = {one["key"] for one in operations}
    faults: list[Fault] = []
    for number, key in enumerate(keys):
        if key in skipped:
            reasons = " ".join(note["message"] for note in skipped[key] if note["level"] == "skipped")
            faults.append(Fault(f"/operations/{number}", f"This operation can be no tool. {reasons}".strip()))
        elif key not in there:
            faults.append(Fault(f"/operations/{number}", "The description has no such operation."))
    if faults:
        raise Unprocessable("Not all of this can become tools; `errors` says what.", faults=tuple(faults[:20]))
