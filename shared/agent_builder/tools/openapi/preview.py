"""What an import would make: every operation of a description, with its tool or the reason why there is none."""

from __future__ import annotations

from collections import Counter
from typing import Literal

from pydantic import BaseModel, ConfigDict

from agent_builder.models.tools import HttpTool
from agent_builder.tools.openapi.notes import Note, Status, status
from agent_builder.tools.openapi.security import CredentialNeed, CredentialScheme
from agent_builder.tools.openapi.servers import Server


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ImportedOperation(_Value):
    """One operation. `key` is method and path, unique in a description and stable over its versions.

    `tool` is None exactly where the operation was skipped. `security` lists options, any one of which is enough.
    """

    key: str
    method: str
    path: str
    operation_id: str | None = None
    summary: str = ""
    tags: tuple[str, ...] = ()
    deprecated: bool = False
    notes: tuple[Note, ...] = ()
    security: tuple[tuple[CredentialNeed, ...], ...] = ()
    tool: HttpTool | None = None

    @property
    def status(self) -> Status:
        """`accepted`, `changed` or `skipped`."""
        return status(self.notes)


class ImportPreview(_Value):
    """A whole description.

    `base_url` is what tools without a `base_url` of their own are called at; None where the description does not say.
    """

    title: str
    version: str
    openapi: str
    format: Literal["json", "yaml"]
    base_url: str | None
    servers: tuple[Server, ...]
    credentials: tuple[CredentialScheme, ...]
    operations: tuple[ImportedOperation, ...]
    notes: tuple[Note, ...]

    def counts(self) -> dict[str, int]:
        """`{accepted, changed, skipped}`."""
        counted = Counter(operation.status for operation in self.operations)
        return {name: counted[name] for name in ("accepted", "changed", "skipped")}
