"""HTTP tools: how the arguments of a model become a request, as a pure value.

`tools/http_request.py` builds the request, `tools/schemas.py` checks the arguments first; nothing here does either.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from agent_builder.jsontext import encode
from agent_builder.messages import Json

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
Effect = Literal["read", "write"]
Location = Literal["path", "query", "header", "cookie"]
Style = Literal["simple", "label", "matrix", "form", "spaceDelimited", "pipeDelimited", "tabDelimited", "deepObject"]
BodyKind = Literal["json", "form", "multipart", "raw"]

READ_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
TOOL_NAME = r"^[a-zA-Z_][a-zA-Z0-9_-]{0,63}$"
ARGUMENT_NAME = r"^[a-zA-Z_][a-zA-Z0-9_]{0,63}$"
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


class _Strict(BaseModel):
    """Unknown fields are refused, nothing is coerced."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)


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


class HttpTool(_Strict):
    """One HTTP call that a model can make.

    `base_url` is None where the integration's holds. `path` may have `{names}`, each filled by a parameter in `path`.
    """

    kind: Literal["http"] = "http"
    name: Annotated[str, StringConstraints(pattern=TOOL_NAME)]
    description: str = Field(default="", max_length=DESCRIPTION_LIMIT)
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
    requires_approval: bool = False
    cache_seconds: int = Field(default=0, ge=0, le=86_400, description="How long an answer is used again; reads only.")
    response: ResponseShape = Field(default_factory=ResponseShape)

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

    @field_validator("input_schema")
    @classmethod
    def _object(cls, value: Json) -> Json:
        if value.get("type") != "object" or not isinstance(value.get("properties", {}), dict):
            raise ValueError('must be a JSON Schema with "type": "object"')
        if len(encode(value).encode("utf-8", "replace")) > SCHEMA_LIMIT_BYTES:
            raise ValueError(f"at most {SCHEMA_LIMIT_BYTES:,} bytes of JSON")
        return value

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
