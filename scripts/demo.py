"""A workspace to look at: agents with tools, conversations, runs and what they cost, made through the REST API.

No model is called: agents of the provider `scripted` say what stands here.
"""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_MODELS = ("support-large", "research-large", "billing-small")
_ORDER = {"number": "B-2041", "state": "in transit", "carrier": "NordPost", "expected": "Thursday, 26 November"}
_ANSWER = """Order **B-2041** left the warehouse on Monday and is with *NordPost* now.

| Step | When |
| --- | --- |
| Packed | Mon, 09:12 |
| Handed over | Mon, 16:40 |
| Expected at your door | Thu, 26 November |

If nobody is at home, the driver leaves it with a neighbour. To choose another day, your shop can call:

```http
POST /orders/B-2041/delivery
{ "day": "2026-11-27", "window": "09:00-12:00" }
```

Shall I move it to Friday morning?"""
_SUPPORT: list[dict[str, Any]] = [
    {"thinking": "They ask for an order. I look it up first, then I say when it comes and offer another day."},
    {"text": "Let me look that up. "},
    {"tool": "find_order", "input": {"number": "B-2041"}},
    {"text": _ANSWER},
]
_RESEARCH: list[dict[str, Any]] = [
    {"text": "I ask the desk that knows the orders. "},
    {"tool": "support_desk", "input": {"message": "Where is order B-2041?"}},
    {"text": "It arrives on **Thursday**. Two of forty parcels of that day are late, which is usual for November."},
]
_BILLING: list[dict[str, Any]] = [
    {"text": "The customer was charged twice. I prepare the refund. "},
    {"tool": "refund", "input": {"body": {"order": "B-1987", "amount": 49.9, "reason": "charged twice"}}},
    {"text": "The refund is on its way."},
]


@dataclass(frozen=True)
class Demo:
    """Ids of what was made."""

    support: str
    billing: str
    conversation: str
    waiting: str
    run: str
    credential: str
    empty: str


class Rest:
    """The REST API of a running stack."""

    def __init__(self, url: str) -> None:
        self._url = url

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Send one request; return the body of its answer."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self._url}/api/v1{path}", data, headers, method=method)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - the stack that was just started
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path}: {error.code} {error.read().decode()}") from error
        return json.loads(text) if text else None

    def say(self, agent: str, text: str, states: tuple[str, ...] = ("completed",), **more: str) -> dict[str, Any]:
        """Send a message and wait until its run stands so."""
        accepted: dict[str, Any] = self.call("POST", f"/agents/{agent}/messages", {"content": text, **more})
        end = time.monotonic() + 60
        while self.call("GET", f"/runs/{accepted['run_id']}")["status"] not in states:
            if time.monotonic() > end:
                raise TimeoutError(f"the run of {text!r} does not end")
            time.sleep(0.1)
        return accepted


class _Shop(BaseHTTPRequestHandler):
    """The API that tools call."""

    def do_GET(self) -> None:
        """Answer with the order, after the moment that an API takes."""
        time.sleep(0.18)
        text = json.dumps(_ORDER).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def shop() -> Iterator[str]:
    """Run the API that the tools of the demo call; give its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Shop)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def fill(url: str, shop_url: str) -> Demo:
    """Make everything in the stack at `url`; its tools must be allowed to call this machine."""
    rest = Rest(url)
    names = [{"provider": "scripted", "model": name, "input": "3", "output": "15"} for name in _MODELS]
    rest.call("PUT", "/prices", {"prices": names})
    credential = rest.call("POST", "/credentials", {"kind": "bearer", "name": "Shop API", "secret": {"value": "demo"}})
    support = _agent(
        rest, "Support desk", "Answers where parcels are and what can be changed.", "support-large", _SUPPORT
    )
    number = {"type": "object", "properties": {"number": {"type": "string", "description": "Like B-2041"}}}
    rest.call(
        "POST",
        f"/agents/{support}/tools",
        {
            **_http("find_order", "Finds an order by its number.", shop_url, "/orders/{number}"),
            "input_schema": {**number, "required": ["number"]},
            "parameters": [{"name": "number", "location": "path", "argument": "number"}],
            "credential_id": credential["id"],
        },
    )
    research = _agent(rest, "Research assistant", "Asks other agents and sums up.", "research-large", _RESEARCH)
    tool = {"kind": "agent", "name": "support_desk", "target_agent_id": support}
    rest.call("POST", f"/agents/{research}/tools", tool)
    billing = _agent(rest, "Billing", "Prepares refunds; a person decides.", "billing-small", _BILLING)
    fields = {"order": {"type": "string"}, "amount": {"type": "number"}, "reason": {"type": "string"}}
    schema = {"type": "object", "properties": {"body": {"type": "object", "properties": fields}}, "required": ["body"]}
    body = {"body": {"kind": "json", "content_type": "application/json"}}
    refund = _http("refund", "Pays money back to a customer.", shop_url, "/refunds", method="POST", effect="write")
    rest.call("POST", f"/agents/{billing}/tools", {**refund, **body, "input_schema": schema, "requires_approval": True})
    empty = _agent(
        rest, "Onboarding guide", "Helps new colleagues through their first week.", "support-large", [], "draft"
    )
    first = rest.say(support, "Where is order B-2041? My customer waits for it.")
    rest.say(support, "Hello! Which orders are late this week?")
    run = rest.say(research, "When does B-2041 arrive, and is that late?")
    waiting = rest.say(billing, "Order B-1987 was charged twice. Please refund it.", ("waiting",))
    rest.call(
        "PATCH", f"/agents/{support}", {"system_prompt": "Be brief and friendly. Look orders up before you answer."}
    )
    return Demo(
        support,
        billing,
        first["conversation_id"],
        waiting["conversation_id"],
        f"{research}&run={run['run_id']}",
        credential["id"],
        empty,
    )


def _agent(rest: Rest, name: str, about: str, model: str, script: list[dict[str, Any]], status: str = "active") -> str:
    config = {"provider": "scripted", "model": model, "options": {"script": script} if script else {}}
    prompt = f"{about} Be brief."
    body = {"name": name, "description": about, "status": status, "system_prompt": prompt, "model_config": config}
    return str(rest.call("POST", "/agents", body)["id"])


def _http(
    name: str, about: str, base_url: str, path: str, *, method: str = "GET", effect: str = "read"
) -> dict[str, Any]:
    call = {"kind": "http", "name": name, "description": about, "base_url": base_url, "path": path}
    return {**call, "method": method, "effect": effect}
