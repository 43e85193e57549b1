"""What REST takes and gives, as the OpenAPI document shows it. The values themselves are made by `models.views`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from agent_builder.messages import Cost, Json, Usage
from agent_builder.models.agents import (
    SYSTEM_PROMPT_LIMIT,
    AgentStatus,
    BuiltinTool,
    LlmConfig,
    ModelName,
    Name,
    ProviderName,
    ReasoningEffort,
    Strict,
)
from agent_builder.models.catalogue import Capabilities, Prices
from agent_builder.models.message_out import PartOut

Timestamp = Annotated[str, Field(json_schema_extra={"format": "date-time"})]


class LlmConfigPatch(Strict):
    """A merge patch of `model_config`; null removes."""

    provider: ProviderName | None = None
    model: ModelName | None = None
    temperature: float | None = Field(None, ge=0, le=2)
    max_tokens: int | None = Field(None, ge=1, le=1_000_000)
    top_p: float | None = Field(None, ge=0, le=1)
    reasoning_effort: ReasoningEffort | None = None
    base_url: Annotated[str, StringConstraints(max_length=500)] | None = None
    options: Json | None = None


class AgentPatch(Strict):
    """A merge patch (RFC 7396): objects merge, null removes, arrays replace."""

    name: Name | None = None
    description: str | None = Field(None, max_length=2_000)
    status: AgentStatus | None = None
    system_prompt: str | None = Field(None, max_length=SYSTEM_PROMPT_LIMIT)
    llm_config: LlmConfigPatch | None = Field(None, alias="model_config")
    builtin_tools: list[BuiltinTool] | None = Field(None, max_length=10)


class ConversationPatch(Strict):
    """A merge patch of a conversation."""

    title: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class Out(BaseModel):
    """What REST gives."""

    model_config = ConfigDict(serialize_by_alias=True)


class AgentOut(Out):
    """An agent."""

    id: str
    name: str
    description: str
    status: AgentStatus
    system_prompt: str
    llm_config: LlmConfig = Field(alias="model_config")
    builtin_tools: list[BuiltinTool]
    version: int
    created_at: Timestamp
    updated_at: Timestamp


class PartRefOut(Out):
    """A tool or an integration as a version has it."""

    id: str
    name: str
    revision: int


class AgentVersionOut(Out):
    """An immutable state of an agent."""

    agent_id: str
    version: int
    name: str
    description: str
    system_prompt: str
    llm_config: LlmConfig = Field(alias="model_config")
    builtin_tools: list[BuiltinTool]
    tools: list[PartRefOut]
    integrations: list[PartRefOut]
    created_at: Timestamp
    created_by: str
    restored_from: int | None


class ConversationOut(Out):
    """A conversation."""

    id: str
    agent_id: str
    title: str
    created_by: str
    created_at: Timestamp
    updated_at: Timestamp


class RunErrorOut(Out):
    """Why an answer failed."""

    code: str
    detail: str | None


class MessageOut(Out):
    """A message; `status` and what follows are an assistant's."""

    id: str
    run_id: str
    role: Literal["user", "assistant"]
    content: str
    parts: list[PartOut]
    created_at: Timestamp
    status: Literal["queued", "completed", "failed", "cancelled"] | None = None
    stop_reason: str | None = None
    usage: Usage | None = None
    error: RunErrorOut | None = None
    cost: Cost | None = None


class ModelOut(Out):
    """A model as the catalogue knows it; other names go through as well."""

    id: str
    name: str
    context_window: int
    max_output_tokens: int | None
    prices: Prices | None
    capabilities: Capabilities


class ProviderOut(Out):
    """A provider. `configured` is null where nobody could look."""

    id: str
    configured: bool | None
    models: list[ModelOut]


class ModelsOut(Out):
    """Providers and their models."""

    providers: list[ProviderOut]
    checked_at: Timestamp | None


class HealthOut(Out):
    """The service answers."""

    status: Literal["ok"]
    version: str


class FaultOut(Out):
    """One thing wrong with a request."""

    pointer: str
    message: str


class Problem(Out):
    """What went wrong (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: list[FaultOut] | None = None


def page_of(model: type[BaseModel]) -> type[BaseModel]:
    """The schema of a list of these."""
    name = f"{model.__name__.removesuffix('Out')}Page"
    namespace: dict[str, Any] = {
        "__annotations__": {"items": list[model], "next_cursor": str | None},  # type: ignore[valid-type]
        "__module__": __name__,
        "__doc__": "A page, newest first; `next_cursor` goes on.",
    }
    return type(name, (Out,), namespace)


AgentPage = page_of(AgentOut)
AgentVersionPage = page_of(AgentVersionOut)
ConversationPage = page_of(ConversationOut)
MessagePage = page_of(MessageOut)

_PROBLEMS = {
    401: "Not signed in",
    403: "The permission is missing",
    404: "Unknown, foreign or deleted",
    405: "Method not allowed",
    412: "The revision is no longer the current one",
    413: "The body is too large",
    415: "The body is not JSON",
    422: "The request is not valid",
    400: "The body is not the JSON that is accepted",
    409: "The present state does not allow it",
    429: "A limit is reached; `Retry-After` says when to try again",
    431: "Address and headers are larger than the gateway takes",
    503: "Storage is briefly unavailable",
}
COMMON = (401, 403, 405, 429, 431, 503)
READ = (*COMMON, 404, 422)
BODY = (*COMMON, 400, 413, 415, 422)
WRITE = (*READ, 400, 412, 413, 415)


def answers(status: int, model: type[BaseModel] | None, problems: tuple[int, ...], *, etag: bool = False) -> Any:
    """`responses` of an operation."""
    success: dict[str, Any] = {"description": "Success"}
    if model is not None:
        success["content"] = {"application/json": {"model": model}}
    if etag:
        success["headers"] = {
            "ETag": {"description": "The revision, for If-Match", "schema": {"type": "string"}},
        }
    documented: dict[int, Any] = {status: success}
    for code in sorted(problems):
        documented[code] = {
            "description": _PROBLEMS[code],
            "content": {"application/problem+json": {"model": Problem}},
        }
    return documented
