"""Who may come in: the authorizer of both APIs.

The HTTP API gets a simple answer (payload format 2.0), `$connect` of the WebSocket API a policy. A refusal says nothing
about its reason. Where the table does not answer, the error is raised: that is no refusal, and API Gateway answers 500.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from snapshot_restore_py import register_after_restore, register_before_snapshot

from agent_builder.bootstrap import authorizer_services, preload_authorizer, restore_authorizer
from agent_builder.bootstrap_tools import metrics
from agent_builder.errors import Unauthenticated
from agent_builder.models.identity import Identity
from agent_builder.observability import configure_logging, invocation, log_fields, logger

TICKET_PROTOCOL = "ticket."
MAX_AGENT_ID = 128

configure_logging()
register_before_snapshot(preload_authorizer)
register_after_restore(restore_authorizer)


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Decide about one request of the HTTP API, or one `$connect` of the WebSocket API."""
    request = event["requestContext"]
    ids = {"request_id": request.get("requestId"), "connection_id": request.get("connectionId")}
    with invocation(context, metrics(), **ids):
        return _decide(event)


def _decide(event: dict[str, Any]) -> dict[str, Any]:
    for_http = event.get("version") == "2.0"
    try:
        identity = _of_request(event) if for_http else _of_handshake(event)
    except Unauthenticated:
        logger.info("refused", extra={"api": "http" if for_http else "websocket"})
        return {"isAuthorized": False} if for_http else _policy("Deny", "nobody", event["methodArn"], {})
    log_fields(tenant_id=identity.tenant)
    told = told_of(identity)
    if for_http:
        return {"isAuthorized": True, "context": told}
    return _policy("Allow", identity.subject, event["methodArn"], told)


def told_of(identity: Identity) -> dict[str, str]:
    """The context that the functions behind the APIs read (`models.identity.identity_of`)."""
    return {
        "tenant_id": identity.tenant,
        "subject": identity.subject,
        "scopes": " ".join(sorted(identity.permissions)),
        "key_id": identity.key_id,
        "expires_at": str(identity.expires_at),
        "agent_id": identity.agent_id,
    }


def _of_request(event: dict[str, Any]) -> Identity:
    return authorizer_services().authentication.of_bearer(_bearer(_header(event, "authorization")))


def _of_handshake(event: dict[str, Any]) -> Identity:
    """A ticket where one is offered, else the header that a server may set and a browser cannot."""
    services = authorizer_services()
    query = event.get("queryStringParameters") or {}
    agent_id = str(query.get("agent_id") or "")
    if len(agent_id) > MAX_AGENT_ID or not _origin_may(event, services.allowed_origins):
        raise Unauthenticated("This origin or address is not accepted.")
    offered = [name.strip() for name in _header(event, "sec-websocket-protocol").split(",")]
    tickets = [name.removeprefix(TICKET_PROTOCOL) for name in offered if name.startswith(TICKET_PROTOCOL)]
    ticket = tickets[0] if tickets else str(query.get("ticket") or "")
    if ticket:
        return services.authentication.of_ticket(ticket, agent_id)
    identity = services.authentication.of_bearer(_bearer(_header(event, "authorization")))
    return identity.for_agent(agent_id)


def _origin_may(event: dict[str, Any], allowed: frozenset[str]) -> bool:
    """CORS does not hold for WebSockets: a page of another origin may try, and is told apart by `Origin` alone."""
    origin = _header(event, "origin").rstrip("/").lower()
    if not origin or not allowed or origin in allowed:
        return True
    return origin == f"{urlsplit(origin).scheme}://{_header(event, 'host').lower()}"


def _bearer(header: str) -> str:
    scheme, _, credential = header.partition(" ")
    if scheme.lower() != "bearer" or not credential.strip():
        raise Unauthenticated("No bearer credential came with this request.")
    return credential.strip()


def _header(event: dict[str, Any], name: str) -> str:
    for key, value in (event.get("headers") or {}).items():
        if key.lower() == name:
            return str(value)
    return ""


def _policy(effect: str, principal: str, arn: str, told: dict[str, str]) -> dict[str, Any]:
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": arn}
    return {
        "principalId": principal,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": told,
    }
