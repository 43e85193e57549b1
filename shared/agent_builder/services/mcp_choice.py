"""Choosing tools of MCP servers: what a server offers beside what was chosen of it. REST's side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent_builder.errors import Conflict, Fault, NotFound, StoreError, ToolError, Unprocessable
from agent_builder.ids import new_id, require_id
from agent_builder.messages import Json
from agent_builder.models.agents import BUILTIN_TOOLS, Agent
from agent_builder.models.identity import Identity
from agent_builder.models.mcp import McpChoice
from agent_builder.models.parts import AgentParts, StoredParts, part_view
from agent_builder.models.tools import Integration, McpTool, StoredTool
from agent_builder.realtime.doorbell import Doorbell
from agent_builder.repositories.parts import PartRepository
from agent_builder.services.agents import AgentService
from agent_builder.services.parts import PartService
from agent_builder.tools.mcp_offers import told_description
from agent_builder.tools.openapi.naming import tool_name

_NO_TOOL = "No tool can be made of it: "


@dataclass(frozen=True, slots=True)
class McpChoices:
    """What the caller's tenant chooses of MCP servers."""

    agents: AgentService
    parts: PartService
    repository: PartRepository
    doorbell: Doorbell

    def offered(self, identity: Identity, integration_id: str) -> Json:
        """What a server offers now, which tools were made of it, and what became of those.

        Raises:
            NotFound: There is no such integration.
            Conflict: `not_an_mcp_server`.
            ToolError: The server could not be asked; `code` and `detail` say why.
            StoreError: The runner could not be asked.
        """
        agent, parts, integration = self._integration(identity, integration_id)
        chosen = _chosen(parts, integration_id)
        offers = self._offers(identity, agent, integration)
        names = {one["remote_name"] for one in offers}
        return {
            "tools": [{**one, **_state(one, chosen.get(one["remote_name"]))} for one in offers],
            "gone": [{"id": one.id, "remote_name": name} for name, one in chosen.items() if name not in names],
        }

    def choose(self, identity: Identity, integration_id: str, choices: Sequence[McpChoice]) -> Json:
        """Make tools of what a server offers; approve anew what was made before and has changed.

        Raises:
            Conflict: `mcp_tool_changed`: the server describes one otherwise than its fingerprint says.
            Unprocessable: The server does not offer it, or it cannot be a tool.
            NotFound, ToolError, StoreError: As `offered`.
        """
        agent, parts, integration = self._integration(identity, integration_id)
        _check_distinct(choices)
        offers = {one["remote_name"]: one for one in self._offers(identity, agent, integration)}
        _check_offered(choices, offers)
        fresh = [new_id("tol") for _ in choices]
        known = _chosen(parts, integration_id)
        places = {
            known[choice.remote_name].id if choice.remote_name in known else new: f"/tools/{place}"
            for place, (choice, new) in enumerate(zip(choices, fresh, strict=True))
        }
        changed = self.parts.change(
            identity,
            agent.id,
            lambda parts: _with(parts, integration_id, choices, offers, fresh),
            pointer=lambda part_id: places.get(part_id, f"/{part_id}"),
        )
        wanted = {choice.remote_name for choice in choices}
        made = [one for one in changed.parts.tools.values() if _remote_name(one, integration_id) in wanted]
        return {"tools": [part_view(one) for one in made]}

    def _integration(self, identity: Identity, integration_id: str) -> tuple[Agent, StoredParts, Integration]:
        require_id("int", integration_id, "integration")
        agent_id = self.repository.owner(identity.tenant, integration_id)
        missing = NotFound("There is no integration with this id.")
        if agent_id is None:
            raise missing
        try:
            agent = self.agents.get(identity, agent_id)
        except NotFound:
            raise missing from None
        parts = self.repository.of(identity.tenant, agent_id, agent)
        found = parts.integrations.get(integration_id)
        if found is None:
            raise missing
        if found.definition.kind != "mcp":
            raise Conflict("This integration is no MCP server; its kind is not mcp.", code="not_an_mcp_server")
        return agent, parts, found

    def _offers(self, identity: Identity, agent: Agent, integration: Integration) -> list[Json]:
        answer = self.doorbell.ask(
            "mcp_list", tenant_id=identity.tenant, agent_id=agent.id, integration_id=integration.id
        )
        failure = answer.get("failure")
        if isinstance(failure, dict):
            raise ToolError(str(failure["detail"]), code=str(failure["code"]))
        if not isinstance(answer.get("tools"), list):
            raise StoreError("The runner failed to answer; try again.", code="runner_unavailable")
        found: list[Json] = answer["tools"]
        return found


def _remote_name(tool: StoredTool, integration_id: str) -> str | None:
    one = tool.definition
    return one.remote_name if isinstance(one, McpTool) and one.integration_id == integration_id else None


def _chosen(parts: StoredParts, integration_id: str) -> dict[str, StoredTool]:
    """The tools that were made of a server's, by the server's names."""
    found = ((_remote_name(one, integration_id), one) for one in parts.tools.values())
    return {name: one for name, one in found if name is not None}


def _state(offer: Json, chosen: StoredTool | None) -> Json:
    """What became of an offer: the tool made of it, and what the model is told, where that is no longer so."""
    if chosen is None:
        return {"chosen": None, "changed": False, "before": None}
    old = chosen.definition
    assert isinstance(old, McpTool)
    if old.fingerprint == offer["fingerprint"]:
        return {"chosen": chosen.id, "changed": False, "before": None}
    before = {"description": old.description, "input_schema": old.input_schema, "effect": old.effect}
    return {"chosen": chosen.id, "changed": True, "before": before}


def _check_distinct(choices: Sequence[McpChoice]) -> None:
    names = [choice.remote_name for choice in choices]
    faults = [
        Fault(f"/tools/{place}/remote_name", "This tool is chosen twice.")
        for place, name in enumerate(names)
        if name in names[:place]
    ]
    if faults:
        raise Unprocessable("Each tool can be chosen once.", faults=tuple(faults))


def _check_offered(choices: Sequence[McpChoice], offers: Mapping[str, Json]) -> None:
    faults: list[Fault] = []
    for place, choice in enumerate(choices):
        offer = offers.get(choice.remote_name)
        if offer is None:
            faults.append(Fault(f"/tools/{place}/remote_name", "The server offers no tool with this name."))
        elif offer["input_schema"] is None:
            faults.append(Fault(f"/tools/{place}/remote_name", _NO_TOOL + offer["notes"][-1]["message"]))
    if faults:
        raise Unprocessable("Not all of these can be chosen; `errors` says why.", faults=tuple(faults))
    for choice in choices:
        if offers[choice.remote_name]["fingerprint"] != choice.fingerprint:
            detail = f"The server describes {choice.remote_name} otherwise by now; look at the list again."
            raise Conflict(detail, code="mcp_tool_changed")


def _with(
    parts: AgentParts,
    integration_id: str,
    choices: Sequence[McpChoice],
    offers: Mapping[str, Json],
    fresh: Sequence[str],
) -> AgentParts:
    """An agent's parts with the tools that were chosen."""
    tools = dict(parts.tools)
    known = {
        one.remote_name: tool_id
        for tool_id, one in tools.items()
        if isinstance(one, McpTool) and one.integration_id == integration_id
    }
    taken = {one.name for one in tools.values()} | set(BUILTIN_TOOLS)
    for choice, new in zip(choices, fresh, strict=True):
        tool_id = known.get(choice.remote_name, new)
        old = tools.get(tool_id)
        name = choice.name or (old.name if old else _free_name(choice.remote_name, integration_id, taken))
        tools[tool_id] = _tool(old, choice, offers[choice.remote_name], integration_id, name)
    return AgentParts(tools, parts.integrations)


def _free_name(remote_name: str, integration_id: str, taken: set[str]) -> str:
    """The server's name as vendors take it; where it is taken, with a digest of whose it is."""
    return tool_name(remote_name, integration_id, remote_name, taken)


def _tool(old: object, choice: McpChoice, offer: Json, integration_id: str, name: str) -> McpTool:
    pinned = {
        "name": name,
        "description": told_description(offer["description"]),
        "input_schema": offer["input_schema"],
        "fingerprint": offer["fingerprint"],
    }
    asked = choice.model_dump(include={"effect", "requires_approval"}, exclude_none=True)
    if isinstance(old, McpTool):
        return McpTool.model_validate({**old.model_dump(), **pinned, **asked}, strict=False)
    return McpTool(integration_id=integration_id, remote_name=choice.remote_name, **pinned, **asked)
