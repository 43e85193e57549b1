"""The playground's WebSocket routes. This function only accepts: it stores what came, rings the runner and answers.

`$connect`, `$disconnect` and `$default`; frames are told apart by their `type`. It imports no provider SDK.
"""

from __future__ import annotations

import math
from typing import Any

from snapshot_restore_py import register_after_restore, register_before_snapshot

from agent_builder.bootstrap import playground_services, preload, restore_playground
from agent_builder.bootstrap_tools import metrics
from agent_builder.clock import now_ms
from agent_builder.errors import AgentBuilderError, StoreError, TooManyRequests, Unauthenticated
from agent_builder.models.audit import decided
from agent_builder.models.identity import EXPIRED, Identity, identity_of
from agent_builder.observability import configure_logging, invocation, log_fields, logger
from agent_builder.realtime.frames import error_frame
from functions.playground.frames_in import PERMISSIONS, ApprovalFrame, read_frame
from functions.playground.recent import Recent
from functions.playground.replies import Replies, answer

SUBPROTOCOL = "aab.v1"
_SHUT = Recent(8192)  # connections of which nothing more is looked at
_REFUSED = Recent(8192)  # connections and callers of whom the log says already that something was refused

configure_logging()
register_before_snapshot(preload, "lambda", "apigatewaymanagementapi")
register_after_restore(restore_playground)


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Handle one event of the WebSocket API."""
    request = event["requestContext"]
    route, connection_id = request["routeKey"], request["connectionId"]
    with invocation(context, metrics(), request_id=request.get("requestId"), connection_id=connection_id, route=route):
        return _handle(event, route, connection_id)


def _handle(event: dict[str, Any], route: str, connection_id: str) -> dict[str, Any]:
    try:
        identity = identity_of(event["requestContext"].get("authorizer"))
    except Unauthenticated:
        return {"statusCode": 401}
    log_fields(tenant_id=identity.tenant, agent_id=identity.agent_id)
    if route == "$connect":
        return _connect(event, identity, connection_id)
    if route == "$disconnect":
        playground_services().intake.disconnect(identity, connection_id)
        playground_services().limits.disconnect(identity.tenant, identity.subject, [connection_id])
        return {"statusCode": 200}
    _frame(event, identity, connection_id)
    return {"statusCode": 200}


def _connect(event: dict[str, Any], identity: Identity, connection_id: str) -> dict[str, Any]:
    """Accept the handshake; what is wrong with the agent is said in a frame, by the runner that this rings."""
    services = playground_services()
    try:
        services.limits.connect(identity, connection_id)
    except TooManyRequests as error:
        if _REFUSED.add(f"{identity.tenant}/{identity.subject}"):
            logger.info("connections are refused", extra={"code": error.error_code})
        wait = math.ceil(error.retry_after or 1)
        return {"statusCode": error.status, "headers": {"Retry-After": str(wait)}}
    services.intake.connect(identity, connection_id)
    offered = _header(event, "sec-websocket-protocol")
    if SUBPROTOCOL in [name.strip() for name in offered.split(",")]:
        return {"statusCode": 200, "headers": {"Sec-WebSocket-Protocol": SUBPROTOCOL}}
    return {"statusCode": 200}


def _frame(event: dict[str, Any], identity: Identity, connection_id: str) -> None:
    """Answer one frame; whatever is wrong with it is told in an `error` frame and ends nothing.

    Every frame is counted: a message by its own gate, any other like a request, also one that is refused. Beyond the
    limit that is said once and the connection closed; what still comes of it is dropped.
    """
    if connection_id in _SHUT:
        return
    replies = Replies(playground_services(), identity, connection_id)
    client_message_id, counted = None, False
    try:
        identity.require_unexpired(now_ms() / 1000)
        frame = read_frame(event.get("body"), binary=bool(event.get("isBase64Encoded")))
        client_message_id = getattr(frame, "client_message_id", None)
        identity.require(PERMISSIONS[frame.type])
        if frame.type != "user_message":
            counted = True
            replies.count()
        answer(frame, replies)
        if isinstance(frame, ApprovalFrame):
            _record(event, identity, frame)
    except AgentBuilderError as error:
        client_message_id = client_message_id or getattr(error, "client_message_id", None)
        _refuse(error, replies, client_message_id, counted=counted)
    except Exception:
        logger.exception("a frame could not be handled")
        detail = "This could not be handled because of a fault on our side; try again."
        _refuse(AgentBuilderError(detail), replies, client_message_id, counted=counted)


def _record(event: dict[str, Any], identity: Identity, frame: ApprovalFrame) -> None:
    """Note a decision as REST does, without what was given or why."""
    given = [{"field": name} for name in ("input", "reason") if getattr(frame, name) is not None]
    playground_services().audit.record(
        identity,
        "approval",
        frame.run_id,
        request_id=str(event["requestContext"].get("requestId", "")),
        changes=[*decided(frame.tool_use_id, frame.decision), *given],
    )


def _refuse(error: AgentBuilderError, replies: Replies, client_message_id: str | None, *, counted: bool) -> None:
    """Tell what is wrong with a frame; close the connection where nothing more may come of it."""
    over = counted and isinstance(error, TooManyRequests)
    if not counted and error.error_code != EXPIRED:
        try:
            replies.count()
        except TooManyRequests as too_many:
            error, over = too_many, True
        except StoreError:
            logger.warning("a frame was not counted")
    closes = over or error.error_code == EXPIRED
    if closes and not _SHUT.add(replies.connection_id):
        return  # another frame of it was told just now
    if _REFUSED.add(replies.connection_id):
        logger.info("frames of a connection are refused", extra={"code": error.error_code})
    detail = f"{error.detail} The connection is closed." if over else error.detail
    retryable = error.retryable or error.status >= 500
    replies.send(error_frame(error.error_code, detail, retryable=retryable, client_message_id=client_message_id))
    if closes:
        replies.close()


def _header(event: dict[str, Any], name: str) -> str:
    for key, value in (event.get("headers") or {}).items():
        if key.lower() == name:
            return str(value)
    return ""
