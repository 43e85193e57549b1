"""A server that takes traces as Langfuse does, and says what came; it can also refuse or hang."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True)
class Span:
    """A span as it was sent; times in nanoseconds."""

    trace_id: str
    span_id: str
    parent: str
    name: str
    start: int
    end: int
    status: int
    attributes: dict[str, Any]

    @property
    def kind(self) -> str:
        return str(self.attributes["langfuse.observation.type"])

    def json(self, name: str) -> Any:
        """An attribute of an observation that is JSON as text."""
        return json.loads(self.attributes[f"langfuse.observation.{name}"])


@dataclass(frozen=True)
class Request:
    """A body with its spans, when it began to come (`time.monotonic()`), and what it was sent with."""

    path: str
    at: float
    headers: dict[str, str]
    raw: bytes
    spans: list[Span]

    @property
    def root(self) -> Span:
        (root,) = (span for span in self.spans if not span.parent)
        return root

    def of(self, kind: str) -> list[Span]:
        return [span for span in self.spans if span.kind == kind]


@dataclass
class Receiver:
    """Answers `status`; while `hangs` is set, nothing."""

    url: str
    status: int = 200
    requests: list[Request] = field(default_factory=list)
    hangs: threading.Event = field(default_factory=threading.Event)
    let_go: threading.Event = field(default_factory=threading.Event)

    def wait(self, enough: Callable[[list[Request]], Any], seconds: float = 20.0) -> list[Request]:
        """Until so much came."""
        deadline = time.monotonic() + seconds
        while not enough(self.requests):
            assert time.monotonic() < deadline, f"{len(self.requests)} requests came"
            time.sleep(0.02)
        return list(self.requests)

    def of_run(self, run_id: str, seconds: float = 20.0) -> Request:
        """The first trace of a run."""

        def named(requests: list[Request]) -> list[Request]:
            wanted = json.dumps(run_id)
            return [one for one in requests if one.root.attributes["langfuse.trace.metadata.run_id"] == wanted]

        return named(self.wait(named, seconds))[0]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver on a port of its own."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            at = time.monotonic()
            raw = gzip.decompress(self.rfile.read(int(self.headers["Content-Length"])))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.requests.append(Request(self.path, at, headers, raw, list(_spans(raw))))
            if receiver.hangs.is_set():
                receiver.let_go.wait(60)
                self.close_connection = True
                return
            self.send_response(receiver.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver = Receiver(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.let_go.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _spans(raw: bytes) -> Iterator[Span]:
    for resource in ExportTraceServiceRequest.FromString(raw).resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield Span(
                    span.trace_id.hex(),
                    span.span_id.hex(),
                    span.parent_span_id.hex(),
                    span.name,
                    span.start_time_unix_nano,
                    span.end_time_unix_nano,
                    span.status.code,
                    {pair.key: _value(pair.value) for pair in span.attributes},
                )


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(one) for one in value.array_value.values]
    return getattr(value, kind)
