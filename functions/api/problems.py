"""Errors as `application/problem+json` (RFC 9457)."""

from __future__ import annotations

import json
from typing import Any

from agent_builder.errors import (
    AgentBuilderError,
    Fault,
    MethodNotAllowed,
    TooManyRequests,
    Unauthenticated,
    Unprocessable,
)

MEDIA_TYPE = "application/problem+json"


def problem(error: AgentBuilderError, request_id: str) -> dict[str, Any]:
    """An HTTP API response that tells of an error."""
    body: dict[str, Any] = {
        "type": f"urn:agent-builder:problem:{error.error_code}",
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "code": error.error_code,
        "request_id": request_id,
    }
    if isinstance(error, Unprocessable) and error.faults:
        body["errors"] = [_fault(fault) for fault in error.faults]
    return {
        "statusCode": error.status,
        "headers": {"Content-Type": MEDIA_TYPE, "Cache-Control": "no-store", **_headers(error)},
        "body": json.dumps(body, ensure_ascii=False),
        "isBase64Encoded": False,
    }


def _fault(fault: Fault) -> dict[str, str]:
    return {"pointer": fault.pointer, "message": fault.message}


def _headers(error: AgentBuilderError) -> dict[str, str]:
    if isinstance(error, MethodNotAllowed):
        return {"Allow": ", ".join(error.allow)}
    if isinstance(error, TooManyRequests) and error.retry_after is not None:
        return {"Retry-After": str(max(1, round(error.retry_after)))}
    if isinstance(error, Unauthenticated):
        return {"WWW-Authenticate": "Bearer"}
    return {}
