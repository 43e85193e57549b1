"""Answers as models write them, of any length, and a vendor that streams them: OpenAI-compatible chat completions.

    python -m benchmarks.answers PORT

The last message says what is wanted: `KIND WORDS PER_SECOND`, such as `mixed 2000 100`; 0 a second is at once. A word
with the space before it is one piece, which is a little more text than a token.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

from aiohttp import web

from benchmarks.mock_vendor import chunk

_SECTION = """## Step {number}

Water of **94 degrees** runs through *ground* coffee, see [the notes](https://example.com/{number}) and
`brew({number})`. Whoever is in a hurry takes the press instead, which forgives more, and asks for no paper.

- first rinse the paper
- then pour in circles, slowly, for half a minute
- wait until all of it has run through

1. Weigh **{number} grams**.
2. Grind them, not too fine.
   - a burr grinder is *even*
   - a blade grinder is not

| Way | Minutes | Taste |
| --- | ---: | --- |
| Filter | {number} | clear and light |
| Press | 5 | full |

```python
def brew(grams: int, minutes: int = {number}) -> str:
    # Stir once in the middle.
    return f"{{grams}} g for {{minutes}} minutes"
```

"""
_FUNCTION = """def step_{number}(grams: int, minutes: int = {number}) -> str:
    # Stir once in the middle.
    if minutes > {number}:
        raise ValueError("too long")
    return f"{{grams}} g for {{minutes}} minutes"

"""


def mixed() -> Iterator[str]:
    """Headings, paragraphs, lists, tables and code, as models like them."""
    return (_SECTION.format(number=number) for number in itertools.count(1))


def paragraph() -> Iterator[str]:
    """One paragraph without an end."""
    return (f"w{number} " if number % 9 else f"*w{number}*. " for number in itertools.count(1))


def code() -> Iterator[str]:
    """One block of code without an end; 500 lines are about 2,000 words."""
    yield "```python\n"
    yield from (_FUNCTION.format(number=number) for number in itertools.count(1))


def table() -> Iterator[str]:
    """One table without an end; 60 rows are about 900 words."""
    yield "| Way | Minutes | Taste |\n| --- | ---: | --- |\n"
    yield from (f"| Filter *{n}* | {n} | clear and light, as `brew({n})` has it |\n" for n in itertools.count(1))


def items() -> Iterator[str]:
    """One list without an end."""
    return (f"- take **{n} grams** and wait\n  until all has run through\n" for n in itertools.count(1))


KINDS: dict[str, Callable[[], Iterator[str]]] = {
    "mixed": mixed,
    "paragraph": paragraph,
    "code": code,
    "table": table,
    "list": items,
}


def pieces(kind: str, words: int) -> list[str]:
    """So many words of an answer, each with the space before it."""
    found: list[str] = []
    kept = ""
    for part in KINDS[kind]():
        kept += part
        ready = re.findall(r"\s*\S+(?=\s)", kept)
        kept = kept[sum(map(len, ready)) :]
        found += ready
        if len(found) >= words:
            break
    return found[:words]


async def completions(request: web.Request) -> web.StreamResponse:
    """Stream what the last message asks for."""
    body: dict[str, Any] = await request.json()
    said = body["messages"][-1]["content"]
    text = said if isinstance(said, str) else said[0]["text"]
    kind, words, rate = text.split()
    loop = asyncio.get_running_loop()
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    begun = loop.time()
    for number, piece in enumerate(pieces(kind, int(words))):
        pause = begun + number / float(rate) - loop.time() if float(rate) else 0
        if pause > 0:
            await asyncio.sleep(pause)
        await response.write(chunk({"content": piece}))
    usage = {"prompt_tokens": 10, "completion_tokens": int(words), "total_tokens": int(words) + 10}
    last = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "mock", "choices": [], "usage": usage}
    await response.write(chunk({}, "stop") + f"data: {json.dumps(last)}\n\ndata: [DONE]\n\n".encode())
    return response


if __name__ == "__main__":
    app = web.Application()
    app.router.add_post("/v1/chat/completions", completions)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
