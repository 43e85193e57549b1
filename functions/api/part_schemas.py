"""What REST takes and gives where it is about tools and integrations. What it takes to create them is the models'."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, RootModel, StringConstraints

from agent_builder.messages import Json
from agent_builder.models.agents import SYSTEM_PROMPT_LIMIT, Strict
from agent_builder.models.forms import TOOL_NAME
from agent_builder.models.tools import (
    DESCRIPTION_LIMIT,
    AgentTool,
    Effect,
    HttpTool,
    IntegrationInput,
    LlmTool,
    McpTool,
    Method,
    ToolKind,
)
from functions.api.schemas import Out, Timestamp, page_of

_Url = Annotated[str, StringConstraints(max_length=2_000)]
_Id = Annotated[str, StringConstraints(max_length=64)]


class ToolPatch(Strict):
    """A merge patch (RFC 7396) of a tool: objects merge, null removes, arrays replace.

    Only fields of the tool's own kind can be given; what is within objects is checked once it is merged.
    """

    kind: ToolKind | None = Field(None, description="Cannot change.")
    name: Annotated[str, StringConstraints(pattern=TOOL_NAME)] | None = None
    description: str | None = Field(None, max_length=DESCRIPTION_LIMIT)
    enabled: bool | None = None
    requires_approval: bool | None = None
    approval_seconds: int | None = Field(None, ge=60, le=604_800)
    integration_id: _Id | None = None
    credential_id: _Id | None = None
    enhancement: Json | None = None
    method: Method | None = None
    base_url: _Url | None = None
    path: Annotated[str, StringConstraints(max_length=2_000)] | None = None
    parameters: list[Json] | None = Field(None, max_length=500)
    body: Json | None = None
    input_schema: Json | None = None
    effect: Effect | None = None
    accept: Annotated[str, StringConstraints(max_length=200)] | None = None
    timeout_seconds: float | None = Field(None, ge=0.1, le=600)
    retries: int | None = Field(None, ge=0, le=5)
    idempotency_header: Annotated[str, StringConstraints(max_length=100)] | None = None
    cache_seconds: int | None = Field(None, ge=0, le=86_400)
    response: Json | None = None
    llm_config: Json | None = Field(None, alias="model_config")
    instructions: str | None = Field(None, min_length=1, max_length=SYSTEM_PROMPT_LIMIT)
    target_agent_id: _Id | None = None
    version: int | None = Field(None, ge=1)
    remote_name: Annotated[str, StringConstraints(max_length=200)] | None = None
    fingerprint: Annotated[str, StringConstraints(max_length=64)] | None = None


class IntegrationPatch(Strict):
    """A merge patch of an integration; null removes."""

    kind: Literal["http", "mcp"] | None = Field(None, description="Cannot change.")
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)] | None = None
    description: str | None = Field(None, max_length=2_000)
    base_url: _Url | None = None
    credential_id: _Id | None = None


class _Stored(Out):
    id: str
    agent_id: str = Field(description="Whose it is.")
    revision: int = Field(description="The agent's version that brought it to be as it is.")
    created_at: Timestamp
    updated_at: Timestamp


class HttpToolOut(_Stored, HttpTool):
    """A tool that makes one HTTP call."""


class LlmToolOut(_Stored, LlmTool):
    """A tool that is a model with instructions."""


class AgentToolOut(_Stored, AgentTool):
    """A tool that is another agent."""

    agent_id: str = Field(description="Whose it is.")
    target_agent_id: str = Field(description="The agent that is asked.")


class McpToolOut(_Stored, McpTool):
    """A tool of an MCP server."""


class ToolOut(RootModel[Annotated[HttpToolOut | LlmToolOut | AgentToolOut | McpToolOut, Field(discriminator="kind")]]):
    """A tool of an agent."""


class IntegrationOut(_Stored, IntegrationInput):
    """A connection of an agent to an outside system."""


ToolPage = page_of(ToolOut)
IntegrationPage = page_of(IntegrationOut)
