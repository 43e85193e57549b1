"""What each route needs, and which route a request is for."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.event_handler.openapi.params import get_flat_dependant

from agent_builder.errors import Fault, Unprocessable
from agent_builder.messages import Json
from agent_builder.models.audit import decided
from agent_builder.models.identity import MAX_SUBJECT, Permission
from functions.api.access_schemas import LimitsPatch

BASE = "/api/v1"
# No id or subject is longer. What is, names nothing, and may be more than the store takes as a key.
LONGEST_NAME = MAX_SUBJECT
_CHANGES = frozenset({"POST", "PUT", "PATCH", "DELETE"})

# Open to everybody: liveness, the documentation, and the way back from an authorization server (it has a `state`).
OPEN = frozenset({"GET /health", "GET /openapi.json", "GET /docs", "GET /oauth/callback"})

# A route that is missing here cannot be called.
PERMISSIONS: Mapping[str, Permission] = {
    "POST /agents": "edit",
    "GET /agents": "read",
    "GET /agents/{agent_id}": "read",
    "PATCH /agents/{agent_id}": "edit",
    "DELETE /agents/{agent_id}": "edit",
    "GET /agents/{agent_id}/versions": "read",
    "GET /agents/{agent_id}/versions/{number}": "read",
    "POST /agents/{agent_id}/versions/{number}/restore": "edit",
    "GET /agents/{agent_id}/conversations": "read",
    "POST /agents/{agent_id}/integrations": "edit",
    "GET /agents/{agent_id}/integrations": "read",
    "GET /integrations/{integration_id}": "read",
    "PATCH /integrations/{integration_id}": "edit",
    "DELETE /integrations/{integration_id}": "edit",
    "POST /agents/{agent_id}/tools": "edit",
    "GET /agents/{agent_id}/tools": "read",
    "GET /tools/{tool_id}": "read",
    "PATCH /tools/{tool_id}": "edit",
    "DELETE /tools/{tool_id}": "edit",
    "GET /conversations/{conversation_id}": "read",
    "PATCH /conversations/{conversation_id}": "run",
    "DELETE /conversations/{conversation_id}": "run",
    "GET /conversations/{conversation_id}/messages": "read",
    "GET /agents/{agent_id}/runs": "read",
    "POST /agents/{agent_id}/messages": "run",
    "GET /conversations/{conversation_id}/runs": "read",
    "GET /runs/{run_id}": "read",
    "POST /runs/{run_id}/cancel": "run",
    "POST /runs/{run_id}/approvals/{tool_use_id}": "run",
    "GET /runs/{run_id}/steps/{number}": "read",
    "GET /usage": "read",
    "GET /prices": "admin",
    "PUT /prices": "admin",
    "GET /tracing": "admin",
    "PUT /tracing": "admin",
    "DELETE /tracing": "admin",
    "GET /budgets": "read",
    "PUT /budgets": "admin",
    "GET /agents/{agent_id}/budget": "read",
    "PUT /agents/{agent_id}/budget": "admin",
    "POST /tools/{tool_id}/test": "edit",
    "POST /credentials": "edit",
    "GET /credentials": "read",
    "GET /credentials/{credential_id}": "read",
    "PUT /credentials/{credential_id}": "edit",
    "DELETE /credentials/{credential_id}": "edit",
    "POST /credentials/{credential_id}/oauth/start": "edit",
    "GET /oauth/client": "read",
    "POST /integrations/{integration_id}/mcp/list": "edit",
    "POST /integrations/{integration_id}/mcp/choose": "edit",
    "GET /models": "read",
    "POST /playground/tickets": "run",
    "POST /api-keys": "admin",
    "GET /api-keys": "admin",
    "DELETE /api-keys/{key_id}": "admin",
    "GET /members": "admin",
    "POST /members": "admin",
    "GET /members/me": "read",
    "DELETE /members/me": "read",
    "PATCH /members/{subject}": "admin",
    "DELETE /members/{subject}": "admin",
    "GET /invitations": "admin",
    "DELETE /invitations/{invitation_id}": "admin",
    "POST /invitations/accept": "read",
    "GET /audit": "admin",
    "GET /egress": "read",
    "POST /openapi-imports": "edit",
    "GET /openapi-imports/{import_id}": "read",
    "POST /openapi-imports/{import_id}/apply": "edit",
    "PUT /egress": "admin",
    "GET /egress/refusals": "admin",
    "GET /limits": "admin",
    "PATCH /limits": "admin",
}
# These change nothing that anybody could want to know later.
_NOT_AUDITED = frozenset(
    {
        "POST /playground/tickets",
        "POST /integrations/{integration_id}/mcp/list",
        "POST /agents/{agent_id}/messages",
        "POST /runs/{run_id}/cancel",
    }
)
_BODILESS = frozenset({"POST /agents/{agent_id}/versions/{number}/restore"})
# Nothing has to be said to them: no body at all is `{}`.
MAY_BE_EMPTY = frozenset(
    {
        "POST /credentials/{credential_id}/oauth/start",
        "POST /integrations/{integration_id}/mcp/list",
        "POST /tools/{tool_id}/test",
    }
)
_BUDGETS = frozenset({"PUT /budgets", "PUT /agents/{agent_id}/budget"})
_PRICES = "PUT /prices"
_PRICES_SHOWN = 20
_AMOUNTS = ("input", "cached_input", "cache_write", "output")
_ACCEPTS = "POST /invitations/accept"
_DECIDES = "POST /runs/{run_id}/approvals/{tool_use_id}"
# Fields whose values are neither secrets nor content.
_SHOWN = frozenset({"role", "scopes", "expires_in_days", "status", *LimitsPatch.model_fields})


@dataclass(frozen=True, slots=True)
class Route:
    """A route that a request is for.

    Attributes:
        name: `METHOD /path/{parameter}`.
        queries: The query parameters that it knows.
    """

    name: str
    parameters: Mapping[str, str]
    queries: tuple[str, ...] = ()

    @property
    def possible(self) -> bool:
        """Whether something can be called what the path names."""
        return all(len(unquote(value)) <= LONGEST_NAME for value in self.parameters.values())

    @property
    def audited(self) -> bool:
        """Whether a success is noted in the audit trail."""
        return self.name.split(" ")[0] in _CHANGES and self.name not in _NOT_AUDITED

    def changes(self, body: str | None, answer: Mapping[str, Any]) -> list[Json]:
        """What the audit trail says of a success: names of the fields that were given, and values of a few.

        Args:
            body: Of the request; it was found to be right, unless the route has none.
        """
        if self.name.startswith("DELETE ") or self.name in _BODILESS or not body:
            return []
        if self.name == _ACCEPTS:
            return [{"field": "role", "value": json.loads(answer["body"])["role"]}]
        given = json.loads(body)
        if self.name in _BUDGETS:
            return list(_budgets(given))
        if self.name == _PRICES:
            return [{"field": "prices", "value": list(_prices(given.get("prices", [])))}]
        if self.name == _DECIDES:
            rest = {name: value for name, value in given.items() if name != "decision"}
            return [*decided(unquote(self.parameters["tool_use_id"]), given["decision"]), *_fields(rest)]
        return list(_fields(given))

    def check_query(self, given: Iterable[str]) -> None:
        """A misspelt filter would seem to have been applied.

        Raises:
            Unprocessable: There are query parameters that the route does not know.
        """
        known = f"known here are {', '.join(self.queries)}" if self.queries else "none is known here"
        unknown = sorted(set(given) - {*self.queries})
        faults = tuple(Fault(f"query/{name[:64]}", f"There is no such parameter; {known}.") for name in unknown)
        if faults:
            raise Unprocessable("The request is not valid; `errors` says where.", faults=faults)

    def target(self, answer: Mapping[str, Any]) -> str:
        """Id of what was changed: from the path, else of what was made, or who came."""
        for value in self.parameters.values():
            return unquote(value)
        body = json.loads(answer.get("body") or "{}")
        return str(body.get("id") or body.get("subject") or "")


def _fields(body: Json, above: str = "") -> Iterator[Json]:
    for name, value in body.items():
        if name == "model_config" and isinstance(value, dict):
            yield from _fields(value, f"{name}.")
        elif name in _SHOWN and not above:
            yield {"field": name, "value": value}
        else:
            yield {"field": above + name}


def _budgets(body: Json) -> Iterator[Json]:
    for name, budget in body.items():
        amounts = {f"{name}.{kind}": amount for kind, amount in (budget or {}).items()} or {name: None}
        yield from ({"field": field, "value": amount} for field, amount in amounts.items())


def _prices(prices: Sequence[Json]) -> Iterator[str]:
    """The first of them in words: an entry of the trail stays small."""
    for price in prices[:_PRICES_SHOWN]:
        amounts = [f"{name} {price[name]}" for name in _AMOUNTS if price.get(name) is not None]
        yield f"{price['provider']} {price['model']}: {', '.join(amounts)}"
    if len(prices) > _PRICES_SHOWN:
        yield f"and {len(prices) - _PRICES_SHOWN} more"


def route_names(app: APIGatewayHttpResolver) -> set[str]:
    """Names of all routes that there are."""
    return {_name(route) for route in _routes(app)}


def find_route(app: APIGatewayHttpResolver, method: str, path: str) -> Route | None:
    """The route that will answer; None where none will."""
    for route in _routes(app):
        match = route.rule.match(path)
        if match and route.method == method:
            queries = (field.alias for field in get_flat_dependant(route.dependant).query_params)
            return Route(_name(route), match.groupdict(), tuple(queries))
    return None


def _routes(app: APIGatewayHttpResolver) -> list[Any]:
    """In the order in which the framework looks through them."""
    return [*app._static_routes, *app._dynamic_routes]


def _name(route: Any) -> str:
    return f"{route.method} {route.openapi_path.removeprefix(BASE)}"
