"""Which tools of an MCP server can be offered to a model, and in which words. The SDK is not needed for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, get_args

from agent_builder.errors import MalformedRequest, Unprocessable
from agent_builder.jsontext import decode, encode
from agent_builder.messages import Json
from agent_builder.models.tools import DESCRIPTION_LIMIT, checked_input_schema
from agent_builder.tools.auth.masking import Masker
from agent_builder.tools.mcp import MAX_LIST_BYTES, RemoteTool
from agent_builder.tools.openapi.assembly import Assembly, shortened
from agent_builder.tools.openapi.merging import Merger
from agent_builder.tools.openapi.notes import Note, Skip, changed, distinct
from agent_builder.tools.openapi.references import References
from agent_builder.tools.openapi.schema_reader import SchemaReader
from agent_builder.tools.schemas import check_schema
from agent_builder.tools.vendor_schemas import Vendor, adapt

NAME_LIMIT = 200


def offer_view(remote: RemoteTool, secrets: Iterable[str]) -> Json:
    """A tool as a person is shown it. `input_schema` is null where no tool can be made of it; `notes` say why."""
    masker = Masker(secrets)
    schema, notes = accepted(remote)
    return {
        "remote_name": remote.name,
        "title": masker.text(remote.title),
        "description": masker.text(remote.description),
        "input_schema": masker.value(schema),
        "effect": remote.effect,
        "fingerprint": remote.fingerprint,
        "notes": [note.model_dump() for note in notes],
    }


def told_description(text: str) -> str:
    """What a model is told of a description."""
    return shortened(text.strip(), DESCRIPTION_LIMIT)


def accepted(remote: RemoteTool) -> tuple[Json | None, tuple[Note, ...]]:
    """The schema as all vendors' models take it, None where no tool can be made; and what is to be said of it."""
    notes: list[Note] = []
    try:
        schema = _checked(remote, notes)
    except Skip as skip:
        return None, distinct([*notes, skip.note])
    if len(remote.description) > DESCRIPTION_LIMIT:
        notes.append(changed("description_shortened", f"Models see {DESCRIPTION_LIMIT:,} characters of it."))
    return schema, distinct(notes)


def _checked(remote: RemoteTool, notes: list[Note]) -> Json:
    if not 0 < len(remote.name) <= NAME_LIMIT:
        raise Skip("invalid_name", f"The name is empty, or longer than {NAME_LIMIT} characters.")
    try:
        decode(encode([remote.name, remote.title, remote.description]), limit=MAX_LIST_BYTES)
    except (MalformedRequest, ValueError):
        raise Skip("invalid_text", "Name, title or description have characters that cannot be stored.") from None
    try:
        return _readable(remote.input_schema, notes)
    except (MalformedRequest, Unprocessable) as error:
        raise Skip("invalid_schema", error.detail) from None
    except (ValueError, RecursionError) as error:
        raise Skip("invalid_schema", f"The input schema cannot be used: {str(error)[:200]}.") from None


def _readable(schema: Any, notes: list[Note]) -> Json:
    """A schema of a server in the words that the product knows, checked for all vendors."""
    told = decode(encode(schema), limit=MAX_LIST_BYTES)
    if not isinstance(told, dict) or told.get("type", "object") != "object":
        raise Skip("invalid_schema", "The input schema describes no JSON object.")
    reader = SchemaReader(References(told), "3.1", told)
    read = {**reader.read(told, notes), "type": "object"}
    out = Assembly(Merger(reader)).assemble(read, notes)
    described = out.setdefault("properties", {})
    for name in out.get("required", ()):
        described.setdefault(name, {})
    check_schema(checked_input_schema(out))
    for vendor in get_args(Vendor):
        adapt(out, vendor, strict=True)
    return out
