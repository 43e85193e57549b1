"""Agents that call agents: whom one reaches through its tools, and that it never reaches itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from agent_builder.errors import Conflict, Fault
from agent_builder.ids import is_id
from agent_builder.models.agents import Agent, PartRef
from agent_builder.models.parts import AgentParts
from agent_builder.models.tools import AgentTool
from agent_builder.repositories.agents import AgentRepository
from agent_builder.repositories.parts import PartRepository
from agent_builder.services.part_checks import PartFault

MAX_REACHED = 24


@dataclass(frozen=True, slots=True)
class Reached:
    """Agents by id; tools that lead back to where they began, and tools that lead nowhere."""

    agents: dict[str, Agent]
    circles: list[PartFault] = field(default_factory=list)
    missing: list[PartFault] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Callees:
    """Reads whom agents call.

    An agent is one node, whatever its version, as it is when runs refuse circles: where a version is pinned, whom it
    calls counts together with whom the newest one calls.
    """

    agents: AgentRepository
    parts: PartRepository

    def reached(self, tenant: str, agent_id: str, tools: Mapping[str, AgentTool]) -> Reached:
        """Whom an agent reaches through these tools of its own.

        Raises:
            Conflict: `too_many_agents`.
        """
        seen: dict[str, Agent] = {}
        reached = Reached(seen)
        for tool_id, tool in tools.items():
            self._follow(tenant, agent_id, (tool_id, tool), reached)
        return reached

    def _follow(self, tenant: str, start: str, own: tuple[str, AgentTool], reached: Reached) -> None:
        """Follow one tool to its end."""
        tool_id, first = own
        waiting = [first]
        followed: set[tuple[str, int | None]] = set()
        while waiting:
            tool = waiting.pop()
            if tool.agent_id == start:
                way = "This is the agent itself" if tool is first else "That agent calls this one, itself or by others"
                fault = Fault("/target_agent_id", f"{way}; agents cannot call each other in a circle.")
                reached.circles.append((tool_id, fault))
                return
            if (tool.agent_id, tool.version) in followed:
                continue
            followed.add((tool.agent_id, tool.version))
            found = self._tools(tenant, tool, reached.agents)
            if found is None and tool is first:
                reached.missing.append((tool_id, _nowhere(tool, reached.agents)))
            waiting += found or []

    def _tools(self, tenant: str, tool: AgentTool, seen: dict[str, Agent]) -> list[AgentTool] | None:
        """The tools by which the agent of a tool calls agents; None where it, or that version of it, is not there."""
        if tool.agent_id not in seen:
            agent = self.agents.get(tenant, tool.agent_id) if is_id("agt", tool.agent_id) else None
            if agent is None:
                return None
            if len(seen) >= MAX_REACHED:
                detail = f"An agent reaches at most {MAX_REACHED} others through its tools; this would reach more."
                raise Conflict(detail, code="too_many_agents")
            seen[agent.id] = agent
        refs = set(seen[tool.agent_id].tools)
        if tool.version is not None:
            pinned = self.agents.version(tenant, tool.agent_id, tool.version)
            if pinned is None:
                return None
            refs |= set(pinned.tools)
        return self._callers(tenant, tool.agent_id, sorted(refs, key=lambda ref: ref.id))

    def _callers(self, tenant: str, agent_id: str, refs: Iterable[PartRef]) -> list[AgentTool]:
        definitions = (stored.definition for stored in self.parts.tools(tenant, agent_id, refs))
        return [definition for definition in definitions if isinstance(definition, AgentTool)]


def agent_tools(parts: AgentParts) -> dict[str, AgentTool]:
    """Those of an agent's tools that call agents."""
    return {tool_id: tool for tool_id, tool in parts.tools.items() if isinstance(tool, AgentTool)}


def _nowhere(tool: AgentTool, seen: Mapping[str, Agent]) -> Fault:
    if tool.agent_id in seen:
        return Fault("/version", f"That agent has no version {tool.version}.")
    return Fault("/target_agent_id", "There is no agent with this id.")
