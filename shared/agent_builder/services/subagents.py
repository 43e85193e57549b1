"""Other agents of the tenant as tools. They work inside the call, within the limits of the run that asks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from math import inf

from agent_builder.errors import ToolError
from agent_builder.messages import Json, ToolSpec, user_message
from agent_builder.models.agents import AgentVersion
from agent_builder.models.tools import AgentTool, StoredTool
from agent_builder.repositories.agents import AgentRepository
from agent_builder.services.llm_tools import NEEDS_RUN, ModelOf, OneAnswer
from agent_builder.services.toolbox import Bench
from agent_builder.tools.agent_arguments import arguments_schema, message_of
from agent_builder.tools.base import CallContext, Tool

_NEEDS_PERSON = (
    "This tool needs a person's approval for each call, and an agent that was asked by another agent cannot wait for a "
    "person. Nothing was called. Say what you would have called it with, so that the agent that asked you can do it."
)


ToolsOf = Callable[[str, AgentVersion], AbstractAsyncContextManager[Mapping[str, Tool]]]


@dataclass(frozen=True, slots=True)
class SubAgents:
    """Makes tools of kind `agent`.

    Attributes:
        tools_of: Opens the tools of a tenant's agent version.
        model_of: How the agent's model is called.
    """

    agents: AgentRepository
    tools_of: ToolsOf
    model_of: ModelOf

    def make(self, stored: StoredTool, bench: Bench) -> Tool:
        """The tool of a run: a `Maker`."""
        assert isinstance(stored.definition, AgentTool)
        return SubAgent(self, bench.tenant, stored.definition)

    async def version(self, tenant: str, agent_id: str, wanted: int | None, begun: int | None) -> AgentVersion:
        """The version that is asked: the one that `begun` before a break, else the `wanted` one, else the newest.

        Raises:
            ToolError: The agent is gone or must not be used.
        """
        number = begun
        if number is None:
            head = await asyncio.to_thread(self.agents.head, tenant, agent_id)
            if head is not None and head.status == "inactive":
                raise ToolError("The agent that this tool asks is switched off.")
            number = (wanted or head.version) if head is not None else None
        found = await asyncio.to_thread(self.agents.version, tenant, agent_id, number) if number else None
        if found is None:
            raise ToolError("The agent that this tool asks, or this version of it, does not exist any more.")
        return found


@dataclass(frozen=True, slots=True)
class SubAgent:
    """`Tool` of kind `agent`. It answers `{"text": …}`, with `stop_reason` where the agent did not come to its end.

    It counts as one that writes, since its agent may: what it did when nobody knows how it ended is not known. But it
    is resumable: whoever takes over calls it again, and the steps inside say which of its own calls may be made.
    """

    of: SubAgents
    tenant: str
    definition: AgentTool

    @property
    def spec(self) -> ToolSpec:
        """As the model of the agent that asks is told of it."""
        definition = self.definition
        return ToolSpec(
            definition.name,
            definition.description,
            arguments_schema(),
            "write",
            definition.timeout_seconds,
            definition.approval_seconds if definition.requires_approval else 0,
            strict=True,
            resumable=True,
            asks=("",),
        )

    async def call(self, arguments: Json, context: CallContext) -> Json:
        """Ask the agent, and wait for what it says."""
        message, nest = message_of(arguments), context.nest
        if nest is None:
            raise ToolError(NEEDS_RUN)
        agent_id = self.definition.agent_id
        if agent_id in nest.agents:
            raise ToolError("This agent is already at work on this, or waits for you: agents may not ask in a circle.")
        begun = nest.begun.get("agent_version")
        version = await self.of.version(self.tenant, agent_id, self.definition.version, begun)
        name = f"{agent_id}.{version.version}"
        caller = await OneAnswer(self.of.model_of, self.tenant, version.llm_config, name).caller(version.system_prompt)
        async with self.of.tools_of(self.tenant, version) as given:
            tools = {name: Unattended(tool) if tool.spec.approval_seconds else tool for name, tool in given.items()}
            request = caller.request([user_message(message)], tools=[t.spec for t in tools.values()], deadline=inf)
            model = replace(caller, about={"agent_id": agent_id, "agent_version": version.version})
            answered = await nest.ask(model, request, tools, agent_id=agent_id)
        stopped = {} if answered.stop_reason == "end_turn" else {"stop_reason": answered.stop_reason}
        return {"text": answered.text, **stopped}


@dataclass(frozen=True, slots=True)
class Unattended:
    """A tool that needs a person's approval, where no person can be waited for: it says so and does nothing."""

    tool: Tool

    @property
    def spec(self) -> ToolSpec:
        """The tool's own, but nobody is asked."""
        return replace(self.tool.spec, approval_seconds=0, effect="read", resumable=False, asks=())

    async def call(self, arguments: Json, context: CallContext) -> Json:
        """Say what the agent can do instead."""
        raise ToolError(_NEEDS_PERSON)
