"""The AWS interfaces that functions call on the laptop: Lambda's Invoke and API Gateway's @connections.

They answer on a loopback port of their own and only to a request that carries the access key made at this start, so
that no page in the user's browser can reach them.
"""

from __future__ import annotations

from urllib.parse import parse_qs, unquote

from local.connections import Connections
from local.lambda_service import LambdaService, UnknownFunction
from local.wire import Answer, Request, json_answer, signed_by

_INVOKE = "/2015-03-31/functions/"
_SYNC_BYTES = 6 * 1024 * 1024
_ASYNC_BYTES = 1024 * 1024


class AwsApi:
    """Routes a request of a function's AWS client to the service it means."""

    def __init__(self, functions: LambdaService, connections: Connections, access_key: str) -> None:
        self._functions = functions
        self._connections = connections
        self._access_key = access_key

    async def handle(self, request: Request) -> Answer:
        """Answer one request."""
        if not signed_by(request, self._access_key):
            return _error(403, "UnrecognizedClientException", "The security token included in the request is invalid.")
        path, _, query = request.path.partition("?")
        if path.startswith(_INVOKE):
            name, _, rest = path.removeprefix(_INVOKE).partition("/")
            if rest == "invocations" and request.method == "POST":
                qualifier = parse_qs(query).get("Qualifier", [None])[0]
                return await self._invoke(request, unquote(name), qualifier)
        _, found, connection_id = path.partition("/@connections/")
        if found:
            return self._connections.answer(request.method, unquote(connection_id), request.body)
        return _error(404, "UnknownOperationException", f"{request.method} {path} is not served on the laptop")

    async def _invoke(self, request: Request, name: str, qualifier: str | None) -> Answer:
        try:
            function = self._functions.find(name, qualifier)
        except UnknownFunction as error:
            return _error(404, "ResourceNotFoundException", str(error))
        kind = request.headers.get("x-amz-invocation-type", "RequestResponse")
        limit = _ASYNC_BYTES if kind == "Event" else _SYNC_BYTES
        if len(request.body) > limit:
            message = (
                f"{len(request.body)} byte payload is too large for the {kind} invocation type (limit {limit} bytes)"
            )
            return _error(413, "RequestTooLargeException", message)
        payload = request.body or b"{}"
        if kind == "DryRun":
            return Answer(204)
        if kind == "Event":
            self._functions.invoke_later(function, payload)
            return Answer(202)
        invocation = self._functions.submit(function, payload)
        result = await invocation.result
        headers = {
            "Content-Type": "application/json",
            "X-Amz-Executed-Version": "1" if function.alias else "$LATEST",
            "x-amzn-RequestId": invocation.request_id,
        }
        if result.error:
            headers["X-Amz-Function-Error"] = result.error
        return Answer(200, result.payload, headers)


def _error(status: int, kind: str, message: str) -> Answer:
    return json_answer(status, {"Type": "User", "message": message, "Message": message}, {"x-amzn-ErrorType": kind})
