"""Imports of descriptions as people see them. Nothing here grows with what a stranger's description says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from agent_builder.clock import rfc3339
from agent_builder.jsontext import encode
from agent_builder.messages import Json
from agent_builder.models.openapi_imports import OpenApiImport

if TYPE_CHECKING:
    from agent_builder.tools.openapi.preview import ImportPreview
    from agent_builder.tools.openapi.security import CredentialScheme

_SUMMARY_BYTES = 200_000
_CHANGES = ("added", "changed", "removed", "same")


def shortened_values(value: Any, *, text: int, most: int) -> Any:
    """The same with no text longer than `text` characters, and no list or object of more than `most`."""
    if isinstance(value, str):
        return value[:text]
    if isinstance(value, list):
        return [shortened_values(one, text=text, most=most) for one in value[:most]]
    if isinstance(value, dict):
        return {name[:text]: shortened_values(one, text=text, most=most) for name, one in list(value.items())[:most]}
    return value


def summary_of(found: ImportPreview, operations: Sequence[Json], removed: list[Json] | None) -> Json:
    """What is said of the whole description; `removed` is None where there is nothing to compare with."""
    changes = Counter(one["change"] for one in operations if one.get("change"))
    changes["removed"] = len(removed or ())
    whole = found.model_dump(mode="json", include={"title", "version", "openapi", "format", "base_url"})
    lists = {
        "servers": found.model_dump(mode="json", include={"servers"})["servers"],
        "credentials": [_scheme(one) for one in found.credentials],
        "notes": [note.model_dump(mode="json") for note in found.notes],
    }
    for most in (100, 20, 5):
        bounded = shortened_values(lists, text=1_000, most=most)
        if len(encode(bounded)) <= _SUMMARY_BYTES:
            break
    return {
        **whole,
        **bounded,
        "counts": found.counts(),
        "changes": None if removed is None else {name: changes[name] for name in _CHANGES},
        "removed": removed,
    }


def import_view(one: OpenApiImport) -> Json:
    """An import without its operations."""
    return {
        "id": one.id,
        "agent_id": one.agent_id,
        "status": one.status,
        "url": one.url,
        "credential_id": one.credential_id,
        "integration_id": one.integration_id if one.reimport or one.result else None,
        "error": one.error,
        "description": one.summary,
        "result": one.result,
        "created_at": rfc3339(one.created_at),
        "created_by": one.created_by,
        "updated_at": rfc3339(one.updated_at),
        "expires_at": rfc3339(one.expires_at),
    }


def operation_view(stored: Json) -> Json:
    """An operation of a preview, without the schema of its tool."""
    tool: Json = stored.get("tool") or {}
    return {
        "key": stored["key"],
        "method": stored["method"],
        "path": stored["path"],
        "operation_id": stored["operation_id"],
        "summary": stored["summary"],
        "tags": stored["tags"],
        "deprecated": stored["deprecated"],
        "status": stored["status"],
        "reasons": stored["notes"],
        "security": stored["security"],
        "name": tool.get("name"),
        "description": tool.get("description"),
        "effect": tool.get("effect"),
        "tool_id": stored.get("tool_id"),
        "change": stored.get("change"),
        "details": stored.get("details", []),
        "breaking": stored.get("breaking", False),
    }


def _scheme(one: CredentialScheme) -> Json:
    """What the API asks for, and the credential that would send it, without its secret."""
    return {
        "name": one.name,
        "description": one.description,
        "openid_url": one.openid_url or None,
        "kind": one.kind,
        "settings": _settings(one),
        "scopes": {name: text for flow in one.flows for name, text in flow.scopes.items()},
    }


def _settings(one: CredentialScheme) -> Json:
    if one.kind == "api_key":
        return {"in": one.location, "name": one.parameter}
    if one.kind != "oauth2" or not one.flows:
        return {}
    # People's consent is what most APIs that offer both expect.
    flow = next((flow for flow in one.flows if flow.grant == "authorization_code"), one.flows[0])
    settings = {"grant": flow.grant, "token_url": flow.token_url}
    return {**settings, "authorization_url": flow.authorization_url} if flow.authorization_url else settings
