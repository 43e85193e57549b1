"""The events that API Gateway sends to a function, built from plain values: HTTP APIs (payload 2.0) and WebSocket APIs.

Shapes as in AWS's documentation ("Working with AWS Lambda proxy integrations for HTTP APIs", "Set up a WebSocket API
integration request"). The files in `events/` are made by these functions.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from local.intrinsics import ACCOUNT

Pairs = Iterable[tuple[str, str]]
_ARN = f"arn:aws:execute-api:us-east-1:{ACCOUNT}:local"


@dataclass(frozen=True)
class HttpCall:
    """One HTTP request as it arrived: `path` and `query` raw, header names in any case."""

    method: str
    path: str
    query: str
    headers: list[tuple[str, str]]
    body: bytes
    source_ip: str
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


def request_id() -> str:
    """Return an id in the form API Gateway gives its requests."""
    return base64.b64encode(os.urandom(11)).decode()


def http_event(
    call: HttpCall, route_key: str, parameters: Mapping[str, str], identity: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return the payload 2.0 event of a request; `identity` is the context that an authorizer gave, if one did."""
    headers = _joined((name.lower(), value) for name, value in call.headers if name.lower() != "cookie")
    cookies = [part.strip() for name, value in call.headers if name.lower() == "cookie" for part in value.split(";")]
    query = _joined(parse_qsl(call.query, keep_blank_values=True))
    body, encoded = _body(call.body, headers.get("content-type", ""))
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": call.path,
        "rawQueryString": call.query,
        "headers": headers,
        "requestContext": _http_context(call, route_key, headers, identity),
        "isBase64Encoded": encoded,
    }
    if cookies:
        event["cookies"] = cookies
    if query:
        event["queryStringParameters"] = query
    if parameters:
        event["pathParameters"] = dict(parameters)
    if body is not None:
        event["body"] = body
    return event


def http_authorizer_event(event: dict[str, Any], headers: Iterable[str]) -> dict[str, Any]:
    """Return what an authorizer (payload 2.0) is asked about a request: its event without the body."""
    context = event["requestContext"]
    left_out = ("body", "isBase64Encoded")
    return {
        **{name: value for name, value in event.items() if name not in left_out},
        "type": "REQUEST",
        "routeArn": f"{_ARN}/{context['stage']}/{context['http']['method']}{event['rawPath']}",
        "identitySource": [event["headers"][name] for name in headers],
    }


def connect_authorizer_event(event: dict[str, Any]) -> dict[str, Any]:
    """Return what an authorizer is asked about a $connect."""
    arn = f"{_ARN}/{event['requestContext']['stage']}/$connect"
    return {
        **{name: value for name, value in event.items() if name != "isBase64Encoded"},
        "type": "REQUEST",
        "methodArn": arn,
    }


def _http_context(
    call: HttpCall, route_key: str, headers: Mapping[str, str], identity: Mapping[str, Any] | None
) -> dict[str, Any]:
    domain = headers.get("host", "localhost")
    return {
        "accountId": ACCOUNT,
        "apiId": "local",
        **({} if identity is None else {"authorizer": {"lambda": dict(identity)}}),
        "domainName": domain,
        "domainPrefix": domain.split(".")[0],
        "http": {
            "method": call.method,
            "path": call.path,
            "protocol": "HTTP/1.1",
            "sourceIp": call.source_ip,
            "userAgent": headers.get("user-agent", ""),
        },
        "requestId": request_id(),
        "routeKey": route_key,
        "stage": "$default",
        "time": _clf_time(call.at),
        "timeEpoch": _epoch_ms(call.at),
    }


@dataclass(frozen=True)
class Handshake:
    """What one WebSocket connection was opened with; every event of the connection carries part of it."""

    connection_id: str
    stage: str
    headers: list[tuple[str, str]]
    query: list[tuple[str, str]]
    source_ip: str
    identity: Mapping[str, Any] | None
    connected_at: datetime = field(default_factory=lambda: datetime.now(UTC))


def connect_event(handshake: Handshake) -> dict[str, Any]:
    """Return the $connect event."""
    event: dict[str, Any] = {
        "headers": dict(handshake.headers),
        "multiValueHeaders": _grouped(handshake.headers),
        "requestContext": _websocket_context(handshake, "$connect", "CONNECT"),
        "isBase64Encoded": False,
    }
    if handshake.query:
        event["queryStringParameters"] = dict(handshake.query)
        event["multiValueQueryStringParameters"] = _grouped(handshake.query)
    return event


def message_event(handshake: Handshake, body: bytes, binary: bool = False) -> dict[str, Any]:
    """Return the $default event of one message. A binary message travels as base64."""
    context = _websocket_context(handshake, "$default", "MESSAGE")
    context["messageId"] = request_id()
    text = base64.b64encode(body).decode() if binary else body.decode("utf-8")
    return {"requestContext": context, "body": text, "isBase64Encoded": binary}


def disconnect_event(handshake: Handshake, code: int, reason: str) -> dict[str, Any]:
    """Return the $disconnect event; `code` is 1005 or 1006 when the client sent none."""
    host = {name.lower(): value for name, value in handshake.headers}.get("host", "localhost")
    headers = [("Host", host), ("x-api-key", ""), ("X-Forwarded-For", ""), ("x-restapi", "")]
    context = _websocket_context(handshake, "$disconnect", "DISCONNECT")
    context["disconnectStatusCode"] = code
    context["disconnectReason"] = reason
    return {
        "headers": dict(headers),
        "multiValueHeaders": _grouped(headers),
        "requestContext": context,
        "isBase64Encoded": False,
    }


def _websocket_context(handshake: Handshake, route_key: str, kind: str) -> dict[str, Any]:
    headers = {name.lower(): value for name, value in handshake.headers}
    known = handshake.identity
    now = datetime.now(UTC)
    identifier = request_id()
    return {
        "routeKey": route_key,
        **({} if known is None else {"authorizer": {"principalId": known.get("subject", "local"), **known}}),
        "eventType": kind,
        "extendedRequestId": identifier,
        "requestTime": _clf_time(now),
        "messageDirection": "IN",
        "stage": handshake.stage,
        "connectedAt": _epoch_ms(handshake.connected_at),
        "requestTimeEpoch": _epoch_ms(now),
        "identity": {"sourceIp": handshake.source_ip, "userAgent": headers.get("user-agent", "")},
        "requestId": identifier,
        "domainName": headers.get("host", "localhost"),
        "connectionId": handshake.connection_id,
        "apiId": "local",
    }


def _body(data: bytes, content_type: str) -> tuple[str | None, bool]:
    """Return the body as text, or as base64 when its type or its bytes are not text; None when there is none."""
    if not data:
        return None, False
    if _is_text(content_type):
        try:
            return data.decode("utf-8"), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(data).decode(), True


def _is_text(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    named = ("application/json", "application/xml", "application/javascript")
    return not kind or kind.startswith("text/") or kind in named or kind.endswith(("+json", "+xml"))


def _joined(pairs: Pairs) -> dict[str, str]:
    """Join the values of a repeated name by commas, as payload 2.0 does."""
    return {name: ",".join(values) for name, values in _grouped(pairs).items()}


def _grouped(pairs: Pairs) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for name, value in pairs:
        groups.setdefault(name, []).append(value)
    return groups


def _clf_time(moment: datetime) -> str:
    return moment.strftime("%d/%b/%Y:%H:%M:%S +0000")


def _epoch_ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
