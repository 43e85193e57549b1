"""A vendor with known timing, for benchmarks: OpenAI-compatible chat completions, streamed.

    python -m benchmarks.mock_vendor PORT FIRST_MS TOKENS PER_SECOND

Tokens leave by the clock, not by sleeping a fixed time each, so its own pace does not drift.
"""

from __future__ import annotations

import asyncio
import json
import sys

from aiohttp import web


def chunk(delta: dict[str, str], finish: str | None = None) -> bytes:
    """One server-sent event."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    body = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "mock", "choices": [choice]}
    return f"data: {json.dumps(body)}\n\n".encode()


def word(number: int) -> str:
    """The tokens are numbered words, so that a client can check that none is lost or doubled."""
    return f"w{number} "


def application(first_ms: float, tokens: int, per_second: float) -> web.Application:
    """The server."""
    usage = {"prompt_tokens": 10, "completion_tokens": tokens, "total_tokens": tokens + 10}
    last = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "mock", "choices": [], "usage": usage}
    tail = chunk({}, "stop") + f"data: {json.dumps(last)}\n\ndata: [DONE]\n\n".encode()

    async def completions(request: web.Request) -> web.StreamResponse:
        await request.read()
        loop = asyncio.get_running_loop()
        due = loop.time() + first_ms / 1000
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for number in range(tokens):
            pause = due + number / per_second - loop.time()
            if pause > 0:
                await asyncio.sleep(pause)
            await response.write(chunk({"content": word(number)}))
        await response.write(tail)
        return response

    app = web.Application()
    app.router.add_post("/v1/chat/completions", completions)
    return app


if __name__ == "__main__":
    port, first, count, rate = (float(value) for value in sys.argv[1:5])
    web.run_app(application(first, int(count), rate), host="127.0.0.1", port=int(port), print=None)
