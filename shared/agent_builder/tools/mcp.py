"""What an MCP server offers and answers, as pure values. The SDK is not needed for it.

Nothing that a server says of its tools is trusted: a person chooses them as they are, and `fingerprint` tells when a
server says something else afterwards.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from agent_builder.errors import MalformedRequest, OutboundFailed, OutcomeUnknown, ToolError
from agent_builder.jsontext import decode, encode
from agent_builder.messages import Effect, Json
from agent_builder.models.tools import McpTool, ResponseShape
from agent_builder.tools.answers import Shaped, fitted
from agent_builder.tools.auth.masking import Masker
from agent_builder.tools.selection import select

MAX_TOOLS = 500
MAX_LIST_BYTES = 1024 * 1024
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


def unanswered(tool: McpTool) -> ToolError:
    """What is said of a call that took too long."""
    text = f"The MCP server did not answer within {tool.timeout_seconds:g} seconds."
    return OutcomeUnknown(text) if tool.effect == "write" else OutboundFailed("timeout", text, sent=True)


async def shaped(answer: Json, shape: ResponseShape) -> Shaped:
    """What a model gets of an answer.

    Raises:
        ToolError: The tool's `select` cannot be applied to it.
    """
    value: Any = answer
    if shape.select:
        try:
            value = await asyncio.to_thread(select, shape.select, answer)
        except ToolError as error:
            raise ToolError(f"The tool was called and answered, but: {error.detail}") from error
    result, complete = fitted(value, shape.max_bytes)
    return Shaped(result, None if complete and not shape.select else answer)


def read_result(told: Json, masker: Masker) -> Json:
    """The answer of a call as a model gets it: structured content before text; what is no text is only described.

    Args:
        told: What the protocol calls a CallToolResult.
        masker: Blots out what was sent as a secret, wherever it stands.

    Raises:
        ToolError: The tool says that it failed, in its own words.
        OutboundFailed: The answer is no JSON that can be kept.
    """
    try:
        told = decode(encode(masker.value(told)), limit=_ANSWER_BYTES)
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
