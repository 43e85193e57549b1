"""Tools as people define them, one class a kind, as pure values.

`tools/http_request.py` builds an HTTP tool's request, `tools/schemas.py` checks the arguments before it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    field_validator,
    model_validator,
)

from agent_builder.jsontext import encode
from agent_builder.messages import Json
from agent_builder.models.agents import SYSTEM_PROMPT_LIMIT, LlmConfig
from agent_builder.models.forms import ARGUMENT_NAME, TOOL_NAME

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
ToolKind = Literal["http", "llm", "agent", "mcp"]
Effect = Literal["read", "write"]
Location = Literal["path", "query", "header", "cookie"]
Style = Literal["simple", "label", "matrix", "form", "spaceDelimited", "pipeDelimited", "tabDelimited", "deepObject"]
BodyKind = Literal["json", "form", "multipart", "raw"]

READ_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
DESCRIPTION_LIMIT = 1_024
SCHEMA_LIMIT_BYTES = 64 * 1024

STYLES: dict[str, tuple[Style, ...]] = {
    "path": ("simple", "label", "matrix"),
    "query": ("form", "spaceDelimited", "pipeDelimited", "tabDelimited", "deepObject"),
    "header": ("simple",),
    "cookie": ("form",),
}
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}")
_TEMPLATE = re.compile(r"\{([^{}]*)\}")
_MANAGED_HEADERS = frozenset(
    "host content-length content-type transfer-encoding connection keep-alive upgrade te trailer expect cookie "
    "accept-encoding".split()
)


def managed_header(name: str) -> bool:
    """Whether the HTTP client sets this header itself, so that no tool may."""
    lower = name.lower()
    return lower in _MANAGED_HEADERS or lower.startswith(("proxy-", "sec-"))


def template_names(path: str) -> list[str]:
    """The names between braces of a path, in order."""
    return _TEMPLATE.findall(path)


def checked_input_schema(value: Json) -> Json:
    """A JSON Schema of type object that is not too large; anything else is a ValueError."""
    if value.get("type") != "object" or not isinstance(value.get("properties", {}), dict):
        raise ValueError('must be a JSON Schema with "type": "object"')
    if len(encode(value).encode("utf-8", "replace")) > SCHEMA_LIMIT_BYTES:
        raise ValueError(f"at most {SCHEMA_LIMIT_BYTES:,} bytes of JSON")
    return value


def checked_base_url(value: str) -> str:
    """An absolute http(s) URL without user, query and fragment; anything else is a ValueError."""
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("is no URL") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise ValueError("must begin with https:// or http:// and name a host")
    if "@" in parts.netloc or "?" in value or "#" in value:
        raise ValueError("must have no user, query or fragment")
    if re.search(r"[\x00-\x20\x7f\\{}]", value) or unsafe_segments(parts.path):
        raise ValueError("must have no space, backslash, brace, or segment . or ..")
    return value


def unsafe_segments(path: str) -> bool:
    """Whether a path has a segment that clients or servers resolve away: `.` or `..`, however written."""
    return any(re.fullmatch(r"(\.|%2[eE]){1,2}", segment) for segment in path.split("/"))


class _Strict(BaseModel):
    """Unknown fields are refused, nothing is coerced."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, serialize_by_alias=True, defer_build=True)


class Serialization(_Strict):
    """How a value is written, in OpenAPI's words. What is absent is OpenAPI's default for the place."""

    style: Style | None = None
    explode: bool | None = None
    allow_reserved: bool = Field(default=False, description="Leave reserved characters such as / and : as they are.")
    content_type: Annotated[str, StringConstraints(max_length=200)] | None = Field(
        default=None, description="Write the value as this media type, usually application/json."
    )


class Parameter(Serialization):
    """One parameter of the request: filled by an argument of the model, or always the same `value`."""

    name: str = Field(min_length=1, max_length=200, description="As the API names it.")
    location: Location
    argument: Annotated[str, StringConstraints(pattern=ARGUMENT_NAME)] | None = Field(
        default=None, description="Property of the input that fills it."
    )
    value: Any = Field(default=None, description="A fixed value, where no argument fills it.")

    @model_validator(mode="after")
    def _one_source(self) -> Parameter:
        if (self.argument is None) == (self.value is None):
            raise ValueError("needs either `argument` or `value`")
        if self.style is not None and self.style not in STYLES[self.location]:
            raise ValueError(f"style {self.style} does not exist for parameters in {self.location}")
        if self.location == "header" and (not _TOKEN.fullmatch(self.name) or managed_header(self.name)):
            raise ValueError("is no header that a tool may set")
        if self.location == "cookie" and not _TOKEN.fullmatch(self.name):
            raise ValueError("is no name of a cookie")
        return self


class Part(Serialization):
    """How one property of a form or multipart body is written; `file` for `{filename, content, encoding}`."""

    file: bool = False


class Body(_Strict):
    """The body: one argument holds all of it.

    `json` encodes it, `form` and `multipart` take an object, `raw` sends a string, or a file's content, as it is.
    """

    kind: BodyKind
    argument: Annotated[str, StringConstraints(pattern=ARGUMENT_NAME)] = "body"
    content_type: Annotated[str, StringConstraints(min_length=3, max_length=200, pattern=r"^[!-~ ]+$")]
    parts: dict[str, Part] = Field(default_factory=dict)
    file: bool = Field(default=False, description="A raw body that is a file: the argument is `{content, encoding}`.")


class ResponseShape(_Strict):
    """What of an answer the model sees. The whole answer stays readable by REST."""

    select: Annotated[str, StringConstraints(max_length=1_000)] | None = Field(
        default=None, description="JMESPath expression, applied to a JSON answer."
    )
    max_bytes: int = Field(default=32 * 1024, ge=256, le=256 * 1024, description="Longer answers are cut, and say so.")


class Enhancement(_Strict):
    """A model's help before and after a call: stateless, one call of the model each."""

    llm_config: LlmConfig = Field(alias="model_config")
    before: str = Field(default="", max_length=8_000, description="Instructions for making the arguments better.")
    after: str = Field(default="", max_length=8_000, description="Instructions for what is made of the answer.")

    @model_validator(mode="after")
    def _something(self) -> Enhancement:
        if not (self.before.strip() or self.after.strip()):
            raise ValueError("needs `before`, `after` or both")
        return self


class Origin(_Strict):
    """Which operation of an imported description a tool is; how a later import of that description finds it again."""

    operation: str = Field(min_length=1, max_length=2_100, description="Method and path, as the description has them.")
    description: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")] = Field(
        description="Digest of the description that came along: another one is a person's, and stays."
    )


class ToolBase(_Strict):
    """What every tool has, whatever its kind."""

    name: Annotated[str, StringConstraints(pattern=TOOL_NAME)]
    description: str = Field(default="", max_length=DESCRIPTION_LIMIT)
    enabled: bool = Field(default=True, description="Whether the model is told of it.")
    requires_approval: bool = Field(default=False, description="A person must approve each call before it is made.")
    approval_seconds: int = Field(default=3_600, ge=60, le=604_800, description="How long an approval is waited for.")


class HttpTool(ToolBase):
    """One HTTP call that a model can make.

    `base_url` is None where the integration's holds. `path` may have `{names}`, each filled by a parameter in `path`.
    """

    kind: Literal["http"] = "http"
    integration_id: str | None = Field(default=None, max_length=64, description="Gives base URL and credential.")
    credential_id: str | None = Field(default=None, max_length=64, description="Instead of the integration's.")
    enhancement: Enhancement | None = None
    method: Method
    base_url: Annotated[str, StringConstraints(max_length=2_000)] | None = None
    path: str = Field(default="", max_length=2_000)
    parameters: tuple[Parameter, ...] = Field(default=(), max_length=500, strict=False)
    body: Body | None = None
    input_schema: Json = Field(description="JSON Schema (2020-12) of type object; $ref only into its own $defs.")
    effect: Effect
    accept: Annotated[str, StringConstraints(max_length=200, pattern=r"^[!-~ ]+$")] = "application/json, */*;q=0.5"
    timeout_seconds: float = Field(default=30, ge=0.1, le=300)
    retries: int = Field(default=2, ge=0, le=5, description="Only where a repetition is safe.")
    idempotency_header: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,100}$")] = "Idempotency-Key"
    cache_seconds: int = Field(default=0, ge=0, le=86_400, description="How long an answer is used again; reads only.")
    response: ResponseShape = Field(default_factory=ResponseShape)
    origin: Origin | None = Field(default=None, description="Where an import took it from.")

    @field_validator("base_url")
    @classmethod
    def _absolute(cls, value: str | None) -> str | None:
        return value if value is None else checked_base_url(value)

    @field_validator("path")
    @classmethod
    def _local(cls, value: str) -> str:
        if value and not value.startswith("/"):
            raise ValueError("must begin with /")
        if re.search(r"[?#\\\x00-\x20\x7f]", value) or unsafe_segments(_TEMPLATE.sub("x", value)):
            raise ValueError("must have no query, fragment, space, backslash, or segment . or ..")
        return value

    _schema = field_validator("input_schema")(checked_input_schema)

    @model_validator(mode="after")
    def _consistent(self) -> HttpTool:
        named = {parameter.name for parameter in self.parameters if parameter.location == "path"}
        if named != set(template_names(self.path)):
            raise ValueError("the names in braces of the path and its path parameters differ")
        used = {p.argument for p in self.parameters if p.argument} | ({self.body.argument} if self.body else set())
        properties = set(self.input_schema.get("properties", {}))
        if unknown := used ^ properties:
            raise ValueError(f"input_schema and parameters disagree about {sorted(unknown)[0]!r}")
        if self.cache_seconds and self.effect != "read":
            raise ValueError("only a tool that reads can be cached")
        return self


class LlmTool(ToolBase):
    """A tool that is nothing but a model with instructions: stateless, without history and without tools."""

    kind: Literal["llm"] = "llm"
    llm_config: LlmConfig = Field(alias="model_config")
    instructions: str = Field(min_length=1, max_length=SYSTEM_PROMPT_LIMIT)
    input_schema: Json
    effect: Literal["read"] = "read"
    timeout_seconds: float = Field(default=60, ge=1, le=300)

    _checked = field_validator("input_schema")(checked_input_schema)


class AgentTool(ToolBase):
    """Another agent of the tenant, asked as a tool. It shares the limits of the run that calls it.

    People call it `target_agent_id`, since the `agent_id` of every tool is whose tool it is.
    """

    kind: Literal["agent"] = "agent"
    agent_id: str = Field(max_length=64, alias="target_agent_id", description="The agent that is asked.")
    version: int | None = Field(default=None, ge=1, description="Of that agent; its newest one where there is none.")
    timeout_seconds: float = Field(default=300, ge=1, le=600)


class McpTool(ToolBase):
    """One tool of an MCP server. `integration_id` names the server."""

    kind: Literal["mcp"] = "mcp"
    integration_id: str = Field(max_length=64)
    remote_name: str = Field(min_length=1, max_length=200, description="As the server calls it.")
    input_schema: Json
    fingerprint: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] = Field(
        description="SHA-256 of what the server said of it when a person chose it; called only as long as it says so."
    )
    effect: Effect = "write"
    enhancement: Enhancement | None = None
    timeout_seconds: float = Field(default=30, ge=0.1, le=300)
    response: ResponseShape = Field(default_factory=ResponseShape)

    _checked = field_validator("input_schema")(checked_input_schema)


ToolDefinition = Annotated[HttpTool | LlmTool | AgentTool | McpTool, Field(discriminator="kind")]
TOOL_DEFINITION: TypeAdapter[HttpTool | LlmTool | AgentTool | McpTool] = TypeAdapter(
    ToolDefinition, config=ConfigDict(defer_build=True)
)


@dataclass(frozen=True, slots=True)
class StoredTool:
    """A tool of an agent at one revision: the agent's version that brought it. Times in milliseconds."""

    id: str
    agent_id: str
    revision: int
    definition: HttpTool | LlmTool | AgentTool | McpTool
    created_at: int
    updated_at: int


class IntegrationInput(_Strict):
    """A connection to an outside system: where it is, and the credential that it asks for."""

    kind: Literal["http", "mcp"] = "http"
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
    description: str = Field(default="", max_length=2_000)
    base_url: Annotated[str, StringConstraints(max_length=2_000)] = Field(
        description="What the paths of its tools follow; of an MCP server, its address."
    )
    credential_id: str | None = Field(default=None, max_length=64)

    _checked = field_validator("base_url")(checked_base_url)


@dataclass(frozen=True, slots=True)
class Integration:
    """An integration of an agent at one revision. Times in milliseconds."""

    id: str
    agent_id: str
    revision: int
    definition: IntegrationInput
    created_at: int
    updated_at: int


def preload() -> None:
    """Build what checks these values before a snapshot is taken."""
    TOOL_DEFINITION.rebuild()
    IntegrationInput.model_rebuild()
