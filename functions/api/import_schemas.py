"""What REST gives where it is about imports. What comes in is described by the models."""

from __future__ import annotations

from typing import Literal

from agent_builder.messages import Json
from agent_builder.models.openapi_imports import ImportStatus
from functions.api.schemas import Out, Timestamp


class ReasonOut(Out):
    """What has to be said: `info` changes no call, with `changed` the tool differs, with `skipped` there is none."""

    level: Literal["info", "changed", "skipped"]
    code: str
    message: str


class ServerOut(Out):
    """Where the API is. `url` is filled with the variables' defaults; null where something is missing."""

    template: str
    url: str | None
    description: str
    variables: Json


class SchemeOut(Out):
    """A credential that the API asks for: `kind` and `settings` of one that sends it; null where none can."""

    name: str
    description: str
    openid_url: str | None
    kind: Literal["api_key", "bearer", "basic", "oauth2"] | None
    settings: Json
    scopes: dict[str, str]


class CountsOut(Out):
    """How many operations."""

    accepted: int
    changed: int
    skipped: int


class ChangesOut(Out):
    """How many operations, compared with the tools that there are."""

    added: int
    changed: int
    removed: int
    same: int


class RemovedOut(Out):
    """A tool whose operation the description no longer has."""

    key: str
    tool_id: str


class DescriptionOut(Out):
    """What the description says as a whole. `changes` and `removed` are null where there is nothing to compare with."""

    title: str
    version: str
    openapi: str
    format: Literal["json", "yaml"]
    base_url: str | None
    servers: list[ServerOut]
    credentials: list[SchemeOut]
    notes: list[ReasonOut]
    counts: CountsOut
    changes: ChangesOut | None
    removed: list[RemovedOut] | None


class ImportErrorOut(Out):
    """Why an import failed, and what to do."""

    code: str
    detail: str


class ImportedToolOut(Out):
    """A tool and its operation."""

    operation: str
    tool_id: str
    name: str


class ImportResultOut(Out):
    """What was made of an import last: the agent's version that has it, and its tools."""

    version: int
    integration_id: str
    added: list[ImportedToolOut]
    updated: list[ImportedToolOut]
    unchanged: list[ImportedToolOut]
    removed: list[ImportedToolOut]


class ImportOut(Out):
    """An import. `description` is null until it is `ready`."""

    id: str
    agent_id: str
    status: ImportStatus
    url: str | None
    credential_id: str | None
    integration_id: str | None
    error: ImportErrorOut | None
    description: DescriptionOut | None
    result: ImportResultOut | None
    created_at: Timestamp
    created_by: str
    updated_at: Timestamp
    expires_at: Timestamp


class NeedOut(Out):
    """A scheme that an operation needs."""

    scheme: str
    scopes: list[str]


class OperationOut(Out):
    """An operation: what became of it and why.

    `security` lists options, any one of which is enough. `tool_id`, `change`, `details` and `breaking` compare it with
    the tools that there are.
    """

    key: str
    method: str
    path: str
    operation_id: str | None
    summary: str
    tags: list[str]
    deprecated: bool
    status: Literal["accepted", "changed", "skipped"]
    reasons: list[ReasonOut]
    security: list[list[NeedOut]]
    name: str | None
    description: str | None
    effect: Literal["read", "write"] | None
    tool_id: str | None
    change: Literal["added", "changed", "same"] | None
    details: list[str]
    breaking: bool


class ImportDetailOut(ImportOut):
    """An import with a page of its operations."""

    operations: list[OperationOut]
    next_cursor: str | None
