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
from agent_builder.models.identity import Permission, Role

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


Email = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=254, pattern=r"^[^@\s]+@[^@\s]+$"),
    Field(examples=["ann@example.com"]),
]


class ApiKeyCreate(Strict):
    """A key to be made. Its scopes are among the permissions of whoever makes it."""

    name: Name
    scopes: list[Permission] = Field(min_length=1, max_length=4)
    expires_in_days: int | None = Field(None, ge=1, le=3_650)


class InvitationCreate(Strict):
    """Somebody to be invited."""

    email: Email
    role: Role


class InvitationAccept(Strict):
    """An invitation's token."""

    token: Annotated[str, StringConstraints(min_length=1, max_length=400)]


class MemberPatch(Strict):
    """A merge patch of a member."""

    role: Role


class TicketCreate(Strict):
    """Which agent a connection is wanted to."""

    agent_id: Annotated[str, StringConstraints(min_length=1, max_length=64)]


class LimitsPatch(Strict):
    """A merge patch of the limits; null goes back to the default."""

    requests_per_minute: int | None = Field(None, ge=30, le=60_000)
    messages_per_minute: int | None = Field(None, ge=0, le=10_000)
    messages_per_minute_per_subject: int | None = Field(None, ge=0, le=10_000)
    messages_per_minute_per_agent: int | None = Field(None, ge=0, le=10_000)
    runs_at_once: int | None = Field(None, ge=0, le=1_000)
    connections_at_once: int | None = Field(None, ge=1, le=1_000)


class ConversationPatch(Strict):
    """A merge patch of a conversation."""

    title: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class _Out(BaseModel):
    model_config = ConfigDict(serialize_by_alias=True)


class AgentOut(_Out):
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


class AgentVersionOut(_Out):
    """An immutable state of an agent."""

    agent_id: str
    version: int
    name: str
    description: str
    system_prompt: str
    llm_config: LlmConfig = Field(alias="model_config")
    builtin_tools: list[BuiltinTool]
    created_at: Timestamp
    created_by: str
    restored_from: int | None


class ConversationOut(_Out):
    """A conversation."""

    id: str
    agent_id: str
    title: str
    created_by: str
    created_at: Timestamp
    updated_at: Timestamp


class MessageOut(_Out):
    """A message; `status` and what follows are an assistant's."""

    id: str
    run_id: str
    role: Literal["user", "assistant"]
    content: str
    parts: list[Json]
    created_at: Timestamp
    status: Literal["queued", "completed", "failed", "cancelled"] | None = None
    stop_reason: str | None = None
    usage: Usage | None = None
    cost: Cost | None = None


class ApiKeyOut(_Out):
    """A key, without its secret. `last_used_at` is true to the minute."""

    id: str
    name: str
    prefix: str
    scopes: list[Permission]
    created_at: Timestamp
    created_by: str
    expires_at: Timestamp | None
    last_used_at: Timestamp | None


class NewApiKeyOut(ApiKeyOut):
    """A new key. `key` is shown in this answer only."""

    key: str


class MemberOut(_Out):
    """A member."""

    subject: str
    email: str
    role: Role
    joined_at: Timestamp


class InvitationOut(_Out):
    """An invitation. `token` is shown in this answer only."""

    email: str
    role: Role
    token: str
    expires_at: Timestamp


class JoinedOut(_Out):
    """Where the caller works now, and as what."""

    tenant_id: str
    subject: str
    role: Role


class IdentityOut(_Out):
    """The caller."""

    tenant_id: str
    subject: str
    permissions: list[Permission]
    key_id: str | None
    expires_at: Timestamp | None


class TicketOut(_Out):
    """A ticket for one WebSocket, as subprotocol `ticket.<ticket>`."""

    ticket: str
    agent_id: str
    expires_at: Timestamp


class AuditEntryOut(_Out):
    """A change: who, when, with which key, by which route, of what."""

    id: str
    at: Timestamp
    subject: str
    key_id: str | None
    action: str
    target: str
    request_id: str


class LimitsOut(_Out):
    """The limits in force."""

    requests_per_minute: int
    messages_per_minute: int
    messages_per_minute_per_subject: int
    messages_per_minute_per_agent: int
    runs_at_once: int
    connections_at_once: int


class ModelOut(_Out):
    """A model as the catalogue knows it; other names go through as well."""

    id: str
    name: str
    context_window: int
    max_output_tokens: int | None
    prices: Prices | None
    capabilities: Capabilities


class ProviderOut(_Out):
    """A provider. `configured` is null where nobody could look."""

    id: str
    configured: bool | None
    models: list[ModelOut]


class ModelsOut(_Out):
    """Providers and their models."""

    providers: list[ProviderOut]
    checked_at: Timestamp | None


class HealthOut(_Out):
    """The service answers."""

    status: Literal["ok"]
    version: str


class FaultOut(_Out):
    """One thing wrong with a request."""

    pointer: str
    message: str


class Problem(_Out):
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
    return type(name, (_Out,), namespace)


AgentPage = page_of(AgentOut)
AgentVersionPage = page_of(AgentVersionOut)
ConversationPage = page_of(ConversationOut)
MessagePage = page_of(MessageOut)
ApiKeyPage = page_of(ApiKeyOut)
MemberPage = page_of(MemberOut)
AuditEntryPage = page_of(AuditEntryOut)

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
    503: "Storage is briefly unavailable",
}
COMMON = (401, 403, 405, 429, 503)
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
