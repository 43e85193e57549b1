"""REST: `/api/v1`. Parses, calls a service, shapes the answer; every error is a problem document."""

from __future__ import annotations

import base64
from functools import partial
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from snapshot_restore_py import register_after_restore, register_before_snapshot

from agent_builder import __version__
from agent_builder.bootstrap import api_services, preload_api, restore_api
from agent_builder.bootstrap_tools import metrics
from agent_builder.errors import AgentBuilderError
from agent_builder.ids import is_id
from agent_builder.jsontext import decode_object
from agent_builder.models.identity import Identity, identity_of
from agent_builder.observability import configure_logging, invocation, log_fields, logger
from functions.api import (
    access,
    agents,
    api_keys,
    budgets,
    conversations,
    credentials,
    documents,
    egress,
    integrations,
    invitations,
    limits,
    mcp,
    members,
    oauth,
    openapi_imports,
    platform,
    runs,
    steps,
    tool_tests,
    tools,
    traces,
    tracing,
    usage,
)
from functions.api.failures import as_error, not_found
from functions.api.problems import problem
from functions.api.security import SECURITY_HEADERS

BODY_LIMIT = 1024 * 1024
_LARGE = 1024 * 1024
_JSON_TYPES = ("application/merge-patch+json", "application/json")
_NOT_JSON = "application/octet-stream"  # the framework would read forms as well, and nothing at all as JSON

configure_logging()
register_before_snapshot(preload_api)
register_after_restore(restore_api)

app = APIGatewayHttpResolver(enable_validation=True, json_body_deserializer=partial(decode_object, limit=BODY_LIMIT))
for module in (
    agents,
    conversations,
    platform,
    api_keys,
    members,
    invitations,
    limits,
    credentials,
    oauth,
    egress,
    mcp,
):
    app.include_router(module.router)
for module in (integrations, tools, runs, steps, tool_tests, openapi_imports):
    app.include_router(module.router)
for module in (traces, tracing, usage, budgets):
    app.include_router(module.router)
documents.add_routes(app, version=__version__)


@app.exception_handler(Exception)  # type: ignore[untyped-decorator]
def _failed(error: Exception) -> Any:
    """Leave every error to `lambda_handler`, which knows the request."""
    raise _Failure(error)


class _Failure(BaseException):
    """Carries an error past the resolver, which would answer in its own shape."""

    def __init__(self, cause: Exception) -> None:
        self.error = cause


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Handle one request of the HTTP API (payload format 2.0)."""
    request = event["requestContext"]
    request_id, method = request.get("requestId", ""), request["http"]["method"]
    with invocation(context, metrics(), request_id=request_id, route=method):
        return _handle(event, context, request_id, is_head=method == "HEAD")


def _handle(event: dict[str, Any], context: Any, request_id: str, *, is_head: bool) -> dict[str, Any]:
    headers: dict[str, str] = {"X-Request-Id": request_id}
    try:
        response = _answer(_prepared(event, is_head), context, headers)
    except AgentBuilderError as error:
        if error.status >= 500:
            logger.warning("a request failed", extra={"code": error.error_code})
        response = problem(error, request_id)
    except Exception:
        logger.exception("a request failed unexpectedly")
        fault = AgentBuilderError("This could not be handled because of a fault on our side. Try again.")
        response = problem(fault, request_id)
    logger.info("a request was answered", extra={"status": response["statusCode"]})
    response["headers"] = {**SECURITY_HEADERS, **response.get("headers", {}), **headers}
    return {**response, "body": ""} if is_head else _fitting(response)


def _fitting(response: dict[str, Any]) -> dict[str, Any]:
    """Lambda's answers hold 6 MB of JSON, in which a text grows by each of its quotes; in base64 by a third alone."""
    body = response.get("body") or ""
    if len(body) < _LARGE:
        return response
    return {**response, "body": base64.b64encode(body.encode()).decode(), "isBase64Encoded": True}


def _answer(event: dict[str, Any], context: Any, headers: dict[str, str]) -> dict[str, Any]:
    """Answer who may ask; `headers` are given to whatever the answer is."""
    request = event["requestContext"]
    method, path = request["http"]["method"], event["rawPath"]
    route = access.find_route(app, method, path)
    if f"GET {path.removeprefix(access.BASE)}" in access.OPEN:
        return _resolve(event, context, method, path)
    identity = identity_of((request.get("authorizer") or {}).get("lambda"))
    log_fields(tenant_id=identity.tenant)
    limits.count(identity, headers)
    if route is None or not route.possible:
        raise not_found(app, method, path)
    log_fields(route=route.name, **_ids_of(route))
    identity.require(access.PERMISSIONS[route.name])
    route.check_query(event.get("queryStringParameters") or ())
    if not event.get("body") and route.name in access.MAY_BE_EMPTY:
        event = {**event, "body": "{}", "headers": {**event["headers"], "content-type": "application/json"}}
    app.append_context(identity=identity)
    response = _resolve(event, context, method, path)
    if route.audited and response["statusCode"] < 300:
        _record(identity, route, event, response)
    return response


def _ids_of(route: access.Route) -> dict[str, str]:
    """What a path names that the log tells apart, if it can be an id of ours."""
    kinds = {"agent_id": "agt", "conversation_id": "cnv", "run_id": "run"}
    named = route.parameters.items()
    return {name: value for name, value in named if name in kinds and is_id(kinds[name], value)}


def _record(identity: Identity, route: access.Route, event: dict[str, Any], response: dict[str, Any]) -> None:
    """Note a change in the audit trail; a patch of nothing is none."""
    changes = route.changes(event.get("body"), response)
    if changes or not route.name.startswith("PATCH "):
        request_id = event["requestContext"].get("requestId", "")
        target = route.target(response)
        api_services().audit.record(identity, route.name, target, request_id=request_id, changes=changes)


def _resolve(event: dict[str, Any], context: Any, method: str, path: str) -> dict[str, Any]:
    try:
        return app.resolve(event, context)
    except _Failure as failure:
        error = failure.error
        if type(error).__name__ == "NotFoundError":
            raise not_found(app, method, path) from None
        raise as_error(error) from error
    finally:
        app.clear_context()


def _prepared(event: dict[str, Any], is_head: bool) -> dict[str, Any]:
    """The event as the resolver can take it: text body, one JSON media type, HEAD as GET."""
    http = event["requestContext"]["http"]
    if is_head:
        http = {**http, "method": "GET"}
        event = {**event, "requestContext": {**event["requestContext"], "http": http}}
    headers = dict(event.get("headers") or {})
    body = event.get("body")
    if body:
        media_type = headers.get("content-type", "").split(";")[0].strip().lower()
        headers["content-type"] = "application/json" if media_type in _JSON_TYPES else _NOT_JSON
    if event.get("isBase64Encoded") and body:
        # What is no UTF-8 stays recognisable, and is refused by the decoder where a body is looked at.
        body = base64.b64decode(body).decode("utf-8", "surrogateescape")
    return {**event, "headers": headers, "body": body, "isBase64Encoded": False}
