"""From the framework's errors to ours."""

from __future__ import annotations

from typing import Any, get_args

from aws_lambda_powertools.event_handler.openapi.exceptions import RequestUnsupportedContentType, RequestValidationError

from agent_builder.errors import (
    AgentBuilderError,
    Fault,
    MalformedRequest,
    MethodNotAllowed,
    NotFound,
    Unprocessable,
    UnsupportedMediaType,
)
from agent_builder.models.credentials import CredentialKind
from agent_builder.models.faults import faults_of
from agent_builder.models.tools import ToolKind

_KINDS = frozenset((*get_args(CredentialKind), *get_args(ToolKind)))
_PLACES = {"query": "query", "path": "path", "header": "header", "cookie": "cookie"}


def as_error(error: Exception) -> Exception:
    """Our error for what the framework or a service raised; anything else passes as it is."""
    if isinstance(error, AgentBuilderError):
        return error
    if isinstance(error, RequestValidationError):
        if any(entry["loc"] == ("body",) and entry["type"] == "missing" for entry in error.errors()):
            return MalformedRequest("A JSON object is expected as the body.")
        return _invalid(error)
    if isinstance(error, RequestUnsupportedContentType):
        return UnsupportedMediaType("Send JSON, with Content-Type: application/json.")
    return error


def _invalid(error: RequestValidationError) -> Unprocessable:
    faults: list[Fault] = []
    for entry in error.errors():
        place, *rest = entry["loc"]
        if rest and rest[0] in _KINDS:  # which of several forms was meant; no field of the body
            del rest[0]
        fault = faults_of([{**entry, "loc": tuple(rest)}])[0]
        if place in _PLACES:
            fault = Fault(f"{place}{fault.pointer}", fault.message)
        faults.append(fault)
    return Unprocessable("The request is not valid; `errors` says where.", faults=tuple(faults))


def not_found(app: Any, method: str, path: str) -> AgentBuilderError:
    """404, or 405 where another method would do."""
    routes = [*app._static_routes, *app._dynamic_routes]
    allowed = {route.method for route in routes if route.rule.match(path)}
    if not allowed or method in allowed:
        return NotFound("There is nothing at this path.")
    if "GET" in allowed:
        allowed.add("HEAD")
    return MethodNotAllowed(f"{method} is not possible here.", allow=tuple(sorted(allowed)))
