"""Arguments that a person gives a call in place of the model's, checked before the decision counts."""

from __future__ import annotations

from dataclasses import dataclass

from agent_builder.errors import Fault, ToolError
from agent_builder.messages import Json
from agent_builder.models.agents import AgentVersion
from agent_builder.models.tools import AgentTool, StoredTool
from agent_builder.repositories.agents import AgentRepository
from agent_builder.repositories.parts import PartRepository
from agent_builder.tools.agent_arguments import message_of
from agent_builder.tools.schemas import argument_faults
from agent_builder.tools.specs import in_own_words

_PLACE = "/input"


@dataclass(frozen=True, slots=True)
class EditedInputs:
    """Knows the tools that a run has: those of the agent's version that it began with."""

    agents: AgentRepository
    parts: PartRepository

    def faults(self, tenant: str, agent_id: str, version: int, tool_name: str, arguments: Json) -> tuple[Fault, ...]:
        """What is wrong with arguments, as the call itself would find it; nothing where the tool is gone."""
        found = self.agents.version(tenant, agent_id, version)
        refs = [ref for ref in found.tools if ref.name == tool_name] if found else []
        stored = self.parts.tool(tenant, agent_id, refs[0]) if refs else None
        return _faults(stored, found, arguments) if stored and found else ()


def _faults(stored: StoredTool, version: AgentVersion, arguments: Json) -> tuple[Fault, ...]:
    definition = stored.definition
    if isinstance(definition, AgentTool):
        try:
            message_of(arguments)
        except ToolError as error:
            return (Fault(_PLACE, error.detail),)
        return ()
    meant = in_own_words(definition.input_schema, vendor=version.llm_config.provider, arguments=arguments)
    return argument_faults(definition.input_schema, meant, below=_PLACE)
