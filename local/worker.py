"""An execution environment: runs a handler, one event at a time, as a client of the Lambda Runtime API.

A small pure-Python client, because `awslambdaric` has wheels for Linux only. It speaks the same interface over a
connected socket that it inherits, which is also its identity, and imports the standard library only, since it runs in
the application's own `sys.path`.
"""

from __future__ import annotations

import importlib
import json
import os
import socket
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

_API = "/2018-06-01/runtime"
_IMPORT_ERRORS: dict[type[BaseException], str] = {
    SyntaxError: "Runtime.UserCodeSyntaxError",
    IndentationError: "Runtime.UserCodeSyntaxError",
    ImportError: "Runtime.ImportModuleError",
    ModuleNotFoundError: "Runtime.ImportModuleError",
    AttributeError: "Runtime.HandlerNotFound",
}
Handler = Callable[[Any, Any], Any]


class Context:
    """The second argument of a handler, as AWS documents it for Python."""

    identity = None
    client_context = None
    tenant_id = None

    def __init__(self, request_id: str, deadline_ms: int, arn: str) -> None:
        self.aws_request_id = request_id
        self.invoked_function_arn = arn
        self.function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.memory_limit_in_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self._deadline_ms = deadline_ms

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the invocation may still take."""
        return max(0, self._deadline_ms - int(time.time() * 1000))


class RuntimeClient:
    """The Runtime API over one connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._reader = connection.makefile("rb")

    def next(self) -> tuple[dict[str, str], bytes]:
        """Wait for an event; return its headers (lower case) and body."""
        self._connection.sendall(f"GET {_API}/invocation/next HTTP/1.1\r\nHost: runtime\r\n\r\n".encode())
        return self._read()

    def post(self, path: str, body: bytes, error_type: str = "") -> None:
        """Send an answer or an error to `/invocation/{id}/response`, `/invocation/{id}/error` or `/init/error`."""
        error = f"Lambda-Runtime-Function-Error-Type: {error_type}\r\n" if error_type else ""
        head = f"POST {_API}{path} HTTP/1.1\r\nHost: runtime\r\n{error}Content-Length: {len(body)}\r\n\r\n"
        self._connection.sendall(head.encode() + body)
        self._read()

    def _read(self) -> tuple[dict[str, str], bytes]:
        if not self._reader.readline():
            raise ConnectionError("the runtime is gone")
        headers = {}
        while (line := self._reader.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        return headers, self._reader.read(int(headers.get("content-length", 0)))


class ImportFailed(Exception):
    """The handler could not be imported. `description` is what the Runtime API is told."""

    def __init__(self, description: dict[str, Any]) -> None:
        super().__init__(description["errorMessage"])
        self.description = description


def load_handler(name: str) -> Handler:
    """Import `package.module.function` and run the hooks that precede a snapshot.

    Raises ImportFailed, with the same error types as on AWS.
    """
    module, _, function = name.rpartition(".")
    try:
        handler: Handler = getattr(importlib.import_module(module), function)
    except BaseException as error:
        description = describe(error, _IMPORT_ERRORS.get(type(error)))
        description["errorMessage"] = f"Unable to import module '{module}': {error}"
        raise ImportFailed(description) from error
    try:
        run_hooks("before_snapshot")
    except BaseException as error:
        raise ImportFailed(describe(error, "Runtime.BeforeSnapshotError")) from error
    return handler


def describe(error: BaseException, kind: str | None = None) -> dict[str, Any]:
    """Return an exception as the Runtime API's error object, and print it for the log as Lambda does."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    stack = traceback.format_list(frames)
    message = {"errorMessage": str(error), "errorType": kind or type(error).__name__, "stackTrace": stack}
    print(f"[ERROR] {message['errorType']}: {error}\nTraceback (most recent call last):\n{''.join(stack)}", flush=True)
    return message


def to_json(value: Any) -> bytes:
    """Encode what a handler returned, with the rules of AWS's own client: decimals are numbers, NaN is an error."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, default=_decimal).encode()


def _decimal(value: Any) -> float:
    if type(value).__name__ == "Decimal":
        return int(value) if value == int(value) else float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def run_hooks(moment: str) -> None:
    """Run the functions registered with `snapshot_restore_py` for `before_snapshot` (last first) or `after_restore`."""
    registry = sys.modules.get("snapshot_restore_py")
    if registry is None:
        return
    hooks = list(getattr(registry, f"get_{moment}")())
    for function, arguments, keywords in reversed(hooks) if moment == "before_snapshot" else hooks:
        function(*arguments, **keywords)


def serve(connection: socket.socket, handler: Handler) -> None:
    """Run the hooks that follow a restore, then answer events until the runtime goes away."""
    client = RuntimeClient(connection)
    try:
        run_hooks("after_restore")
    except BaseException as error:
        client.post("/init/error", json.dumps(describe(error, "Runtime.AfterRestoreError")).encode(), "Unhandled")
        return
    try:
        while True:
            headers, body = client.next()
            _answer(client, handler, headers, body)
    except (ConnectionError, TimeoutError):
        return


def _answer(client: RuntimeClient, handler: Handler, headers: dict[str, str], body: bytes) -> None:
    request_id = headers["lambda-runtime-aws-request-id"]
    os.environ["_X_AMZN_TRACE_ID"] = headers.get("lambda-runtime-trace-id", "")
    context = Context(
        request_id, int(headers["lambda-runtime-deadline-ms"]), headers["lambda-runtime-invoked-function-arn"]
    )
    try:
        result = to_json(handler(json.loads(body), context))
    except Exception as error:
        failure = {**describe(error), "requestId": request_id}
        client.post(f"/invocation/{request_id}/error", json.dumps(failure).encode(), failure["errorType"])
    else:
        client.post(f"/invocation/{request_id}/response", result)


def main() -> None:
    """Entry point of a spawned environment: argv is the handler's name and the number of the inherited socket."""
    name, descriptor = sys.argv[1], int(sys.argv[2])
    connection = socket.socket(fileno=descriptor)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    try:
        handler = load_handler(name)
    except ImportFailed as failure:
        RuntimeClient(connection).post("/init/error", json.dumps(failure.description).encode(), "Unhandled")
        return
    serve(connection, handler)
