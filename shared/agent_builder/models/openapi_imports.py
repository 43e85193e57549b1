"""Imports of OpenAPI descriptions: what is asked for, how far it is, and what is made of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, PlainValidator, StringConstraints, WithJsonSchema, field_validator, model_validator

from agent_builder.messages import Json
from agent_builder.models.agents import Name, Strict
from agent_builder.models.tools import checked_base_url

ImportStatus = Literal["queued", "running", "ready", "failed", "applied"]
# Longer ones are cut where they are shown; none of those can be a tool.
KEY_LENGTH = 2_100
# More than any agent may have tools.
MOST_CHOSEN = 500


def _document(value: Any) -> str | Json:
    if isinstance(value, (str, dict)) and value:
        return value
    raise ValueError("must be the text of a description, or its JSON")


def _selected(value: Any, *words: str) -> str | list[str]:
    """A word for some operations, or a list of them."""
    if isinstance(value, str) and value in words:
        return value
    if not isinstance(value, list) or not all(isinstance(key, str) and 0 < len(key) <= KEY_LENGTH for key in value):
        offered = " or ".join(f'"{word}"' for word in words)
        raise ValueError(f"must be {offered}, or a list of keys such as GET /pets")
    if len(value) > MOST_CHOSEN:
        raise ValueError(f"at most {MOST_CHOSEN} operations")
    if len(set(value)) != len(value):
        raise ValueError("names an operation twice")
    return value


def _selection_schema(*words: str) -> WithJsonSchema:
    key = {"type": "string", "minLength": 1, "maxLength": KEY_LENGTH}
    listed = {"type": "array", "items": key, "maxItems": MOST_CHOSEN, "uniqueItems": True}
    return WithJsonSchema({"anyOf": [{"type": "string", "enum": list(words)}, listed]})


Document = Annotated[
    str | Json,
    PlainValidator(_document),
    WithJsonSchema({"anyOf": [{"type": "string", "minLength": 1}, {"type": "object", "minProperties": 1}]}),
]
Chosen = Annotated[
    str | list[str],
    PlainValidator(lambda value: _selected(value, "all", "existing")),
    _selection_schema("all", "existing"),
]
Removed = Annotated[str | list[str], PlainValidator(lambda value: _selected(value, "gone")), _selection_schema("gone")]


class ImportCreate(Strict):
    """A description to be read: by its address, or given as it is."""

    agent_id: str = Field(max_length=64, description="Whose tools they are to become.")
    url: Annotated[str, StringConstraints(max_length=2_000)] | None = Field(
        None, description="Where the description is.", json_schema_extra={"pattern": "^https?://"}
    )
    document: Document | None = Field(None, description="The description itself: a text, or its JSON.")
    credential_id: str | None = Field(None, max_length=64, description="What fetching `url` needs.")
    integration_id: str | None = Field(
        None, max_length=64, description="Compare with the tools of this integration, and change those."
    )

    @field_validator("url")
    @classmethod
    def _absolute(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            parts = urlsplit(value)
            named = bool(parts.hostname) and parts.scheme in ("http", "https")
        except ValueError:
            named = False
        if not named:
            raise ValueError("must begin with https:// or http:// and name a host")
        if "@" in parts.netloc:
            raise ValueError("must have no user or password: make a credential and name it in `credential_id`")
        return value

    @model_validator(mode="after")
    def _one_source(self) -> ImportCreate:
        if (self.url is None) == (self.document is None):
            raise ValueError("needs either `url` or `document`")
        if self.credential_id is not None and self.url is None:
            raise ValueError("`credential_id` is for fetching a `url`")
        return self


class IntegrationChoice(Strict):
    """The integration that holds the tools. What is left out comes from the description, or stays as it is."""

    name: Name | None = None
    description: str | None = Field(None, max_length=2_000)
    base_url: Annotated[str, StringConstraints(max_length=2_000)] | None = Field(
        None, json_schema_extra={"pattern": "^https?://"}
    )
    credential_id: str | None = Field(None, max_length=64, description="What calls of the API need.")

    @field_validator("base_url")
    @classmethod
    def _absolute(cls, value: str | None) -> str | None:
        return value if value is None else checked_base_url(value)


class ImportApply(Strict):
    """What becomes of a preview.

    `all` is every operation that can be a tool, `existing` every one that is a tool of the integration already.
    """

    operations: Chosen = Field(
        description="Keys of the operations that become tools, or whose tools are brought up to date."
    )
    remove: Removed = Field(
        default_factory=list,
        description="Keys of operations whose tools are deleted; `gone`: all that the description no longer has.",
    )
    integration: IntegrationChoice = Field(default_factory=lambda: IntegrationChoice.model_validate({}))
    requires_approval_for_writes: bool = Field(
        default=False, description="A person approves each call of a new tool that writes."
    )

    @model_validator(mode="after")
    def _something(self) -> ImportApply:
        if not self.operations and not self.remove:
            raise ValueError("chooses nothing: name `operations`, or what to `remove`")
        return self

    @model_validator(mode="after")
    def _apart(self) -> ImportApply:
        chosen, removed = (set(one) if isinstance(one, list) else set() for one in (self.operations, self.remove))
        for key in sorted(chosen & removed):
            raise ValueError(f"{key[:200]!r} is to be imported and removed")
        return self


@dataclass(frozen=True, slots=True)
class OpenApiImport:
    """An import as it stands. Times in milliseconds.

    Attributes:
        integration_id: What it changes; where it made none yet, the id that the one it makes will have.
        reimport: Whether that integration was there before.
        attempts: How often a runner began; the preview that counts is that of the last one.
        summary: What the whole description says; None before it was read.
        starts: Ordinals of the first operations of the stored pieces.
        error: `{code, detail}` of one that failed.
        result: What was made of it last.
    """

    id: str
    agent_id: str
    status: ImportStatus
    url: str | None
    credential_id: str | None
    integration_id: str
    reimport: bool
    created_at: int
    created_by: str
    updated_at: int
    expires_at: int
    attempts: int = 0
    document_pieces: int = 0
    summary: Json | None = None
    starts: tuple[int, ...] = ()
    operations: int = 0
    error: Json | None = None
    result: Json | None = None
