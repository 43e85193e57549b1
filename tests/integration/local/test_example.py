"""The example of a first start: made once, by the application's own interface, and tried again when it failed."""

import json

import pytest
from aiohttp import web

from local.example import create_example
from local.settings import Settings

FILE = Settings().example


@pytest.fixture
async def api():
    """An interface that answers with the statuses it is given, and keeps what it was sent."""
    received, statuses = [], []

    async def handle(request):
        received.append((request.path, dict(request.headers), await request.json()))
        return web.json_response({}, status=statuses.pop(0))

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}", received, statuses
    await runner.cleanup()


async def test_it_is_made_once(api, tmp_path):
    url, received, statuses = api
    statuses += [500, 201]
    assert await create_example(FILE, tmp_path, url, None) == "note: the example could not be created: HTTP 500"
    assert await create_example(FILE, tmp_path, url, "token") is None
    assert await create_example(FILE, tmp_path, url, None) is None
    assert len(received) == 2
    path, headers, body = received[1]
    assert (path, headers["Idempotency-Key"], headers["Authorization"]) == (
        "/api/v1/agents",
        "example-assistant",
        "Bearer token",
    )
    assert body == json.loads(FILE.read_text())["body"]


async def test_nobody_there_is_a_note(tmp_path):
    note = await create_example(FILE, tmp_path, "http://127.0.0.1:9", None)
    assert note.startswith("note: the example could not be created")
    assert not list(tmp_path.iterdir())
