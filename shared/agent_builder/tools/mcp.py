"""What an MCP server offers and answers, as pure values. The SDK is not needed for it.

Nothing that a server says of its tools is trusted: a person chooses them as they are, and `fingerprint` tells when a
server says something else afterwards.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from agent_builder.errors import MalformedRequest, OutboundFailed, ToolError, Unprocessable
from agent_builder.jsontext import decode, encode
from agent_builder.messages import Effect, Json
from agent_builder.models.tools import DESCRIPTION_LIMIT, McpTool, checked_input_schema
from agent_builder.tools.auth.masking import masked
from agent_builder.tools.openapi.assembly import Assembly, shortened
from agent_builder.tools.openapi.merging import Merger
from agent_builder.tools.openapi.notes import Note, Skip, changed, distinct
from agent_builder.tools.openapi.references import References
from agent_builder.tools.openapi.schema_reader import SchemaReader
from agent_builder.tools.schemas import check_schema
from agent_builder.tools.vendor_schemas import adapt

MAX_TOOLS = 500
MAX_LIST_BYTES = 1024 * 1024
NAME_LIMIT = 200
_ERROR_LENGTH = 2_000
_ANSWER_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class RemoteTool:
    """A tool as its server describes it.

    Attributes:
        description: Whole; a model is told its first 1,024 characters.
        fingerprint: SHA-256 of name, description, schema and annotations, 64 hexadecimal digits.
    """

    name: str
    title: str
    description: str
    input_schema: Any
    annotations: Json
    fingerprint: str

    @classmethod
    def read(cls, told: Json) -> RemoteTool:
        """From what the protocol calls a Tool."""
        pinned = {word: told.get(word) for word in ("name", "description", "inputSchema", "annotations")}
        text = json.dumps(pinned, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
        annotations = told.get("annotations") or {}
        return cls(
            name=str(told.get("name", "")),
            title=str(told.get("title") or annotations.get("title") or ""),
            description=str(told.get("description") or ""),
            input_schema=told.get("inputSchema"),
            annotations=annotations,
            fingerprint=hashlib.sha256(text.encode()).hexdigest(),
        )

    @property
    def effect(self) -> Effect:
        """What the server says that it does: a suggestion, no more."""
        return "read" if self.annotations.get("readOnlyHint") is True else "write"

    def accepted(self) -> tuple[Json | None, tuple[Note, ...]]:
        """The schema as all vendors' models take it, None where no tool can be made; and what is to be said of it."""
        notes: list[Note] = []
        try:
            if not 0 < len(self.name) <= NAME_LIMIT:
                raise Skip("invalid_name", f"The name is empty, or longer than {NAME_LIMIT} characters.")
            schema = _readable(self.input_schema, notes)
        except Skip as skip:
            return None, distinct([*notes, skip.note])
        if len(self.description) > DESCRIPTION_LIMIT:
            notes.append(changed("description_shortened", f"Models see {DESCRIPTION_LIMIT:,} characters of it."))
        return schema, distinct(notes)


def told_description(text: str) -> str:
    """What a model is told of a description."""
    return shortened(text.replace("\x00", ""), DESCRIPTION_LIMIT)


def size_of(tool: RemoteTool) -> int:
    """How much a tool counts in a list: characters, roughly."""
    return len(tool.description) + len(json.dumps([tool.input_schema, tool.annotations])) + len(tool.name)


def too_many() -> ToolError:
    """What is said of a list without end."""
    text = f"The MCP server offers too much: at most {MAX_TOOLS} tools and {MAX_LIST_BYTES:,} characters are accepted."
    return ToolError(text, code="mcp_list_too_large")


def too_slow() -> ToolError:
    """What is said of a server that takes too long."""
    return OutboundFailed("timeout", "The MCP server did not answer in time.", sent=True)


def changed_since(tool: McpTool, offered: Iterable[RemoteTool]) -> ToolError | None:
    """Why a tool may not be called as it is offered now; None if it is the one that a person chose."""
    for remote in offered:
        if remote.name == tool.remote_name and remote.fingerprint == tool.fingerprint:
            return None
    text = "The MCP server no longer offers this tool as it was chosen; a person must approve it again."
    return ToolError(text, code="mcp_tool_changed")


def read_result(told: Json, secrets: Iterable[str]) -> Json:
    """The answer of a call as a model gets it: structured content before text; what is no text is only described.

    Args:
        told: What the protocol calls a CallToolResult.
        secrets: Blotted out wherever they stand.

    Raises:
        ToolError: The tool says that it failed, in its own words.
        OutboundFailed: The answer is no JSON that can be kept.
    """
    try:
        told = decode(masked_json(told, tuple(secrets)), limit=_ANSWER_BYTES)
    except (MalformedRequest, ValueError, RecursionError):
        raise OutboundFailed("protocol", "The MCP server's answer is not valid JSON.", sent=True) from None
    pieces = list(_pieces(told.get("content") or []))
    if told.get("isError"):
        text = "\n".join(text for _, text in pieces) or "It does not say why."
        raise ToolError(f"The tool failed: {text[:_ERROR_LENGTH]}", code="mcp_tool_failed")
    described = [text for kind, text in pieces if kind != "text"]
    structured = told.get("structuredContent")
    if structured is not None:
        value = structured if isinstance(structured, dict) else {"value": structured}
        return {"value": structured, "attachments": described} if described else value
    return _joined([text for _, text in pieces], plain=not described)


def masked_json(value: Any, secrets: tuple[str, ...]) -> str:
    """A value as JSON with the secrets blotted out of its texts and keys."""

    def clean(one: Any) -> Any:
        if isinstance(one, str):
            return masked(one, secrets)
        if isinstance(one, dict):
            return {masked(key, secrets): clean(item) for key, item in one.items()}
        return [clean(item) for item in one] if isinstance(one, list) else one

    return encode(clean(value) if secrets else value)


def _joined(texts: list[str], *, plain: bool) -> Json:
    """Texts as one; a single one that is a JSON object is that object."""
    if plain and len(texts) == 1 and texts[0].lstrip().startswith("{"):
        try:
            value = decode(texts[0], limit=_ANSWER_BYTES)
        except MalformedRequest:
            value = None
        if isinstance(value, dict):
            return value
    return {"text": "\n".join(texts)}


def _pieces(content: list[Json]) -> Iterator[tuple[str, str]]:
    """Kind and text of each piece of an answer."""
    for one in content:
        kind = str(one.get("type", ""))
        if kind == "text":
            yield "text", str(one.get("text", ""))
        elif kind in ("image", "audio"):
            yield kind, f"[{kind} {one.get('mimeType')}, {_decoded_length(one.get('data')):,} bytes, not shown]"
        elif kind == "resource_link":
            yield kind, f"[link to {one.get('name')}: {one.get('uri')}]"
        elif kind == "resource":
            yield from _resource(one.get("resource") or {})


def _resource(resource: Json) -> Iterator[tuple[str, str]]:
    if "text" in resource:
        yield "resource", f"[{resource.get('uri')}]\n{resource['text']}"
    else:
        kind, size = resource.get("mimeType") or "of unknown kind", _decoded_length(resource.get("blob"))
        yield "resource", f"[{resource.get('uri')}, {kind}, {size:,} bytes, not shown]"


def _decoded_length(data: object) -> int:
    return len(str(data or "").rstrip("=")) * 3 // 4


def _readable(schema: Any, notes: list[Note]) -> Json:
    """A schema of a server in the words that the product knows."""
    try:
        checked = decode(encode(schema), limit=MAX_LIST_BYTES)
        if not isinstance(checked, dict):
            raise Skip("invalid_schema", "The input schema is not a JSON object.")
        reader = SchemaReader(References(checked), "3.1", checked)
        read = {"type": "object", **reader.read(checked, notes)}
        out = Assembly(Merger(reader)).assemble(read, notes)
        check_schema(checked_input_schema(out))
        for vendor in ("anthropic", "openai", "google"):
            adapt(out, vendor, strict=True)
    except (MalformedRequest, Unprocessable) as error:
        raise Skip("invalid_schema", error.detail) from None
    except (ValueError, RecursionError) as error:
        raise Skip("invalid_schema", f"The input schema cannot be used: {str(error)[:200]}") from None
    return out
