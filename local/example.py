"""The first start creates an example through the application's own REST API, so that there is something to talk to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aiohttp

_MARKER = "example-created"


async def create_example(file: Path, data: Path, base_url: str, token: str | None) -> str | None:
    """POST `file` once in the life of a data folder; return a line to show, None when there is nothing to say.

    The file is `{"path": ..., "headers": {...}, "body": {...}}`.
    """
    marker = data / _MARKER
    example = _wanted(file, marker)
    if example is None:
        return None
    headers = {**example["headers"], **({"Authorization": f"Bearer {token}"} if token else {})}
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.post(base_url + example["path"], json=example["body"], headers=headers) as answer,
        ):
            if answer.status >= 300:
                return f"note: the example could not be created: HTTP {answer.status}"
    except aiohttp.ClientError as error:
        return f"note: the example could not be created: {error}"
    marker.touch()
    return None


def _wanted(file: Path, marker: Path) -> dict[str, Any] | None:
    if marker.exists() or not file.exists():
        return None
    example: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return example
