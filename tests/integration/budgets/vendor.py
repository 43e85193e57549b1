"""A model server that counts: every answer uses ten tokens of input and twenty of output."""

from __future__ import annotations

import json
import threading
from typing import Any

from tests.integration.tools.api import Asked, Says

INPUT, OUTPUT = 10, 20
USED = INPUT + OUTPUT


class Vendor:
    """Asks for each tool that it is given, once, with `arguments`; then, and without tools, it says something.

    Attributes:
        asked: Names of the models, as they were asked.
        free: Cleared, answers wait for it.
        holds: The number of the call, from 1, at which `free` is cleared, before anybody can be quicker.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.arguments: dict[str, Any] = {"message": "go"}
        self.free = threading.Event()
        self.free.set()
        self.holds: int | None = None

    def play(self, asked: Asked) -> Says:
        """One answer, as it is streamed; what is read has no model behind it."""
        if asked.method == "GET":
            return Says({"nothing": True})
        body = json.loads(asked.body)
        self.asked.append(body["model"])
        if len(self.asked) == self.holds:
            self.free.clear()
        self.free.wait(60)
        fresh = body["messages"][-1]["role"] == "user"
        calls = [self._call(number, tool) for number, tool in enumerate(body.get("tools", ()))] if fresh else []
        said = {"tool_calls": calls} if calls else {"content": "Said."}
        tokens = {"prompt_tokens": INPUT, "completion_tokens": OUTPUT, "total_tokens": USED}
        chunks = [
            {"choices": [{"index": 0, "delta": said, "finish_reason": None}]},
            {"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls" if calls else "stop"}]},
            {"choices": [], "usage": tokens},
        ]
        about = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": body["model"]}
        lines = [json.dumps({**about, **chunk}) for chunk in chunks]
        data = "".join(f"data: {line}\n\n" for line in [*lines, "[DONE]"])
        return Says(data.encode(), headers={"Content-Type": "text/event-stream"})

    def _call(self, number: int, tool: dict[str, Any]) -> dict[str, Any]:
        function = {"name": tool["function"]["name"], "arguments": json.dumps(self.arguments)}
        return {"index": number, "id": f"call_{number}", "type": "function", "function": function}
