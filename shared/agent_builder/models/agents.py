"""Agents and their versions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from agent_builder.jsontext import encode
from agent_builder.messages import Json

AgentStatus = Literal["draft", "active", "inactive"]
ProviderName = Literal["anthropic", "openai", "openai_compatible", "google", "local", "scripted"]
ReasoningEffort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
BuiltinTool = Literal["current_time", "calculator"]
BUILTIN_TOOLS: tuple[BuiltinTool, ...] = ("current_time", "calculator")

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
ModelName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
SYSTEM_PROMPT_LIMIT = 100_000
OPTIONS_LIMIT_BYTES = 16 * 1024


class Strict(BaseModel):
    """Input: unknown fields are refused, nothing is coerced."""

    model_config = ConfigDict(extra="forbid", strict=True, serialize_by_alias=True, defer_build=True)


class LlmConfig(Strict):
    """`model_config` of an agent. What is absent or null is left to the vendor."""

    provider: ProviderName
    model: ModelName = Field(description="The vendor's model name, passed through as it is.")
    temperature: float | None = Field(None, ge=0, le=2, allow_inf_nan=False)
    max_tokens: int | None = Field(None, ge=1, le=1_000_000)
    top_p: float | None = Field(None, ge=0, le=1, allow_inf_nan=False)
    reasoning_effort: ReasoningEffort | None = None
    base_url: Annotated[str, StringConstraints(max_length=500)] | None = Field(
        None,
        description="Base URL of an OpenAI-compatible server, for `openai_compatible`.",
        json_schema_extra={"pattern": "^https?://"},
    )
    options: Json | None = Field(None, description="Extras of this vendor, merged into the request body.")

    @field_validator("base_url")
    @classmethod
    def _http(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("must begin with https:// or http://")
        if value is not None and "@" in value.split("/")[2]:
            raise ValueError("must not contain a user or password")
        return value

    @field_validator("options")
    @classmethod
    def _small(cls, value: Json | None) -> Json | None:
        if value is not None and len(encode(value).encode()) > OPTIONS_LIMIT_BYTES:
            raise ValueError(f"at most {OPTIONS_LIMIT_BYTES:,} bytes of JSON")
        return value


class AgentCreate(Strict):
    """A new agent."""

    name: Name
    description: str = Field("", max_length=2_000)
    status: AgentStatus = "draft"
    system_prompt: str = Field("", max_length=SYSTEM_PROMPT_LIMIT)
    llm_config: LlmConfig = Field(alias="model_config")
    builtin_tools: list[BuiltinTool] = Field(
        default_factory=lambda: list(BUILTIN_TOOLS),
        max_length=10,
        description="Tools that need no network and no credential.",
    )

    @field_validator("builtin_tools")
    @classmethod
    def _distinct(cls, value: list[str]) -> list[str]:
        if len(set(value)) != len(value):
            raise ValueError("names a tool twice")
        return value


class PartRef(BaseModel):
    """A tool or an integration at one revision, as a version names it.

    Attributes:
        stamp: Tells apart what changes that raced each other wrote under one revision; only the winner's is named.
        name: Of the part at that revision.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    revision: int
    stamp: str = ""
    name: str = ""


class Agent(BaseModel):
    """An agent as it stands. `version` counts the changes of what it does, `revision` every change of the item."""

    model_config = ConfigDict(frozen=True, serialize_by_alias=True, validate_by_name=True, defer_build=True)

    id: str
    name: str
    description: str
    status: AgentStatus
    system_prompt: str
    llm_config: LlmConfig = Field(alias="model_config")
    builtin_tools: tuple[BuiltinTool, ...]
    tools: tuple[PartRef, ...] = ()
    integrations: tuple[PartRef, ...] = ()
    version: int
    revision: int
    created_at: int
    updated_at: int

    def content(self) -> Json:
        """What makes a version: all that a change of makes a new one."""
        return {
            **self.definition(),
            "tools": [ref.model_dump() for ref in self.tools],
            "integrations": [ref.model_dump() for ref in self.integrations],
        }

    def definition(self) -> Json:
        """What people say of an agent itself; its tools and integrations they change one by one."""
        return {
            "name": self.name,
            "description": self.description,
            "system_prompt": self.system_prompt,
            "model_config": self.llm_config.model_dump(exclude_none=True),
            "builtin_tools": list(self.builtin_tools),
        }


class AgentVersion(BaseModel):
    """An immutable state of an agent."""

    model_config = ConfigDict(frozen=True, serialize_by_alias=True, validate_by_name=True, defer_build=True)

    agent_id: str
    version: int
    name: str
    description: str
    system_prompt: str
    llm_config: LlmConfig = Field(alias="model_config")
    builtin_tools: tuple[BuiltinTool, ...]
    tools: tuple[PartRef, ...] = ()
    integrations: tuple[PartRef, ...] = ()
    created_at: int
    created_by: str
    restored_from: int | None = None


@dataclass(frozen=True, slots=True)
class AgentHead:
    """As much of an agent as accepting a message needs."""

    id: str
    status: str
    version: int


def preload() -> None:
    """Build what checks these values, which waits until it is used, before a snapshot is taken."""
    for model in (AgentCreate, Agent, AgentVersion):
        model.model_rebuild()


def merge_patch(target: Any, patch: Any) -> Any:
    """RFC 7396: objects merge, null removes, everything else replaces."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge_patch(result.get(key), value)
    return result
