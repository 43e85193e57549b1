"""An agent's parts, its tools and integrations, taken together. Pure values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from agent_builder.clock import rfc3339
from agent_builder.jsontext import encode
from agent_builder.messages import Json
from agent_builder.models.credentials import CredentialUse
from agent_builder.models.tools import (
    AgentTool,
    HttpTool,
    Integration,
    IntegrationInput,
    LlmTool,
    McpTool,
    StoredTool,
)

Definition = HttpTool | LlmTool | AgentTool | McpTool
MAX_TOOLS = 128
MAX_INTEGRATIONS = 50
DEFINITION_LIMIT_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class AgentParts:
    """What tools and integrations an agent has, by id, or is to have."""

    tools: Mapping[str, Definition] = field(default_factory=dict)
    integrations: Mapping[str, IntegrationInput] = field(default_factory=dict)

    def __iter__(self) -> Iterator[tuple[str, Definition | IntegrationInput]]:
        yield from self.tools.items()
        yield from self.integrations.items()


@dataclass(frozen=True, slots=True)
class StoredParts:
    """The parts of an agent, each at the revision that a version names, by id."""

    tools: Mapping[str, StoredTool] = field(default_factory=dict)
    integrations: Mapping[str, Integration] = field(default_factory=dict)

    def __iter__(self) -> Iterator[StoredTool | Integration]:
        yield from self.tools.values()
        yield from self.integrations.values()

    def get(self, part_id: str) -> StoredTool | Integration | None:
        """One part; None where there is none of this id."""
        return self.tools.get(part_id) or self.integrations.get(part_id)

    @property
    def definitions(self) -> AgentParts:
        """Without ids of agents, revisions and times."""
        return AgentParts(_definitions(self.tools), _definitions(self.integrations))

    def uses(self) -> dict[str, tuple[CredentialUse, ...]]:
        """Which credentials are named, each with what names it, in the order of ids."""
        found: dict[str, tuple[CredentialUse, ...]] = {}
        for part in sorted(self, key=lambda one: one.id):
            if credential_id := credential_of(part.definition):
                kind: Any = "tool" if isinstance(part, StoredTool) else "integration"
                use = CredentialUse(kind, part.id, part.definition.name, part.agent_id)
                found[credential_id] = (*found.get(credential_id, ()), use)
        return found


_Part = TypeVar("_Part", StoredTool, Integration)


def _definitions(parts: Mapping[str, _Part]) -> dict[str, Any]:
    return {part_id: part.definition for part_id, part in parts.items()}


def credential_of(definition: Definition | IntegrationInput) -> str | None:
    """The credential that a part itself names."""
    return definition.credential_id if isinstance(definition, HttpTool | IntegrationInput) else None


def stored_form(definition: Definition | IntegrationInput) -> Json:
    """A definition as JSON, complete."""
    form: Json = definition.model_dump(mode="json")
    return form


def same(one: Definition | IntegrationInput, other: Definition | IntegrationInput) -> bool:
    """Whether two definitions are the same JSON; in Python, true would be 1."""
    return encode(stored_form(one)) == encode(stored_form(other))


def part_view(part: StoredTool | Integration) -> Json:
    """A tool or an integration as people see it: what it consists of is null where it has none, further in left out."""
    fields = type(part.definition).model_fields
    return {
        "id": part.id,
        "agent_id": part.agent_id,
        **{field.alias or name: None for name, field in fields.items()},
        **part.definition.model_dump(mode="json", exclude_none=True),
        "revision": part.revision,
        "created_at": rfc3339(part.created_at),
        "updated_at": rfc3339(part.updated_at),
    }
