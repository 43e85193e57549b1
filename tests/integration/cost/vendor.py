"""A vendor of every wire, which says what it is told to and keeps what it charged for."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

Json = dict[str, Any]


@dataclass(frozen=True)
class Reply:
    """One answer.

    Attributes:
        usage: As this vendor tells it, and charges for it.
        calls: Name and arguments of each tool it asks for.
        ends: `silent` breaks off before anything is said, `drops` after the text, `hangs` says nothing more then.
        more: For the vendor's own fields of the answer.
        items: What the vendor's own tools did, as it tells that.
    """

    usage: Json = field(default_factory=dict)
    text: str = "Said."
    calls: tuple[tuple[str, Json], ...] = ()
    ends: Literal["well", "silent", "drops", "hangs"] = "well"
    status: int = 200
    more: Json = field(default_factory=dict)
    items: tuple[Json, ...] = ()


@dataclass
class Vendor:
    """Answers each model's requests in turn; an answer that was not planned is refused."""

    url: str = ""
    plans: dict[str, list[Reply]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    let_go: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def play(self, **plans: Sequence[Reply]) -> None:
        """From now on, by the models' names with `_` for `-` and `__` for `.`."""
        self.let_go.set()
        self.let_go = threading.Event()
        named = {name.replace("__", ".").replace("_", "-"): list(replies) for name, replies in plans.items()}
        self.plans, self.asked = named, []

    def next(self, model: str) -> Reply:
        with self.lock:
            self.asked.append(model)
            left = self.plans.get(model)
            return left.pop(0) if left else Reply(status=400)


@contextmanager
def selling() -> Iterator[Vendor]:
    """A vendor on a port of its own."""
    vendor = Vendor()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            google = self.path.partition("/models/")[2].partition(":")[0]
            model = google or body["model"]
            reply = vendor.next(model)
            self.send_response(reply.status)
            self.send_header("Content-Type", "text/event-stream" if reply.status == 200 else "application/json")
            self.end_headers()
            if reply.status != 200:
                self.wfile.write(b'{"error": {"message": "no", "type": "no"}}')
                return
            for event in _ended(reply, list(_events(self.path, model, reply))):
                self.wfile.write(event)
                self.wfile.flush()
            if reply.ends == "hangs":
                vendor.let_go.wait(60)

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    vendor.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield vendor
    finally:
        vendor.let_go.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _ended(reply: Reply, events: list[tuple[str, Json]]) -> Iterator[bytes]:
    """Events as far as the answer comes; the first one of the kind `said` shows something."""
    for kind, event in events:
        if kind == "said" and reply.ends == "silent":
            return
        name = f"event: {event['type']}\n" if "type" in event else ""
        yield f"{name}data: {json.dumps(event)}\n\n".encode() if event else b"data: [DONE]\n\n"
        if kind == "said" and reply.ends != "well":
            return


def _events(path: str, model: str, reply: Reply) -> Iterator[tuple[str, Json]]:
    if path.endswith("/messages"):
        return _messages(model, reply)
    if path.endswith("/responses"):
        return _responses(model, reply)
    return _chat(model, reply) if path.endswith("/completions") else _google(model, reply)


def _messages(model: str, reply: Reply) -> Iterator[tuple[str, Json]]:
    """The input is told first and the output last, as Anthropic does."""
    last = {"output_tokens", "output_tokens_details", "server_tool_use", "iterations"}
    first = {name: count for name, count in reply.usage.items() if name not in last}
    message = {"id": "msg_1", "role": "assistant", "model": model, "content": []}
    yield "", {"type": "message_start", "message": {**message, "usage": {**first, "output_tokens": 1}}}
    blocks: list[Json] = [{"type": "text", "text": ""}] if reply.text else []
    blocks += [{"type": "tool_use", "id": f"toolu_{n}", "name": call[0]} for n, call in enumerate(reply.calls)]
    for index, block in enumerate(blocks):
        yield "", {"type": "content_block_start", "index": index, "content_block": block}
        if block["type"] == "text":
            delta = {"type": "text_delta", "text": reply.text}
        else:
            raw = json.dumps(reply.calls[index - len(blocks)][1])
            delta = {"type": "input_json_delta", "partial_json": raw}
        yield "said", {"type": "content_block_delta", "index": index, "delta": delta}
        yield "", {"type": "content_block_stop", "index": index}
    stop = reply.more.get("stop_reason") or ("tool_use" if reply.calls else "end_turn")
    usage = {name: count for name, count in reply.usage.items() if name in last}
    yield "", {"type": "message_delta", "delta": {"stop_reason": stop}, "usage": usage}
    yield "", {"type": "message_stop"}


def _responses(model: str, reply: Reply) -> Iterator[tuple[str, Json]]:
    yield "", {"type": "response.created", "response": {"model": model, "service_tier": "auto", "usage": None}}
    text = {"type": "message", "id": "m1", "content": [{"type": "output_text", "text": reply.text}]}
    calls: list[Json] = [
        {"type": "function_call", "id": f"f{n}", "call_id": f"call_{n}", "name": name, "arguments": json.dumps(given)}
        for n, (name, given) in enumerate(reply.calls)
    ]
    output = [*reply.items, text, *calls]
    for index, item in enumerate(output):
        yield "", {"type": "response.output_item.added", "output_index": index, "item": {**item, "content": []}}
        if item is text:
            yield "said", {"type": "response.output_text.delta", "output_index": index, "delta": reply.text}
        yield "", {"type": "response.output_item.done", "output_index": index, "item": item}
    told = {"status": "completed", "model": model, "service_tier": "default", "output": output, "usage": reply.usage}
    yield "", {"type": "response.completed", "response": {**told, **reply.more}}


def _chat(model: str, reply: Reply) -> Iterator[tuple[str, Json]]:
    chunk = {"object": "chat.completion.chunk", "model": model}
    yield "said", {**chunk, "choices": [{"index": 0, "delta": {"content": reply.text}}]}
    for n, (name, given) in enumerate(reply.calls):
        call = {"index": n, "id": f"call_{n}", "function": {"name": name, "arguments": json.dumps(given)}}
        yield "", {**chunk, "choices": [{"index": 0, "delta": {"tool_calls": [call]}}]}
    finish = "tool_calls" if reply.calls else "stop"
    yield "", {**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]}
    yield "", {**chunk, "choices": [], "usage": reply.usage}
    yield "", {}


def _google(model: str, reply: Reply) -> Iterator[tuple[str, Json]]:
    """Each chunk tells what was used so far: the last one all of it."""
    told = {"modelVersion": model}
    so_far = {name: reply.usage[name] for name in ("promptTokenCount",) if name in reply.usage}
    said = {"content": {"role": "model", "parts": [{"text": reply.text}]}}
    yield "said", {**told, "candidates": [said], "usageMetadata": {**so_far, "candidatesTokenCount": 1}}
    calls = [{"functionCall": {"name": name, "args": given}} for name, given in reply.calls]
    end = {"content": {"role": "model", "parts": calls}, "finishReason": "STOP", **reply.more}
    yield "", {**told, "candidates": [end], "usageMetadata": reply.usage}
