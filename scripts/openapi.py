"""Write docs/openapi.json and docs/frames.schema.json from the code. A test fails when they are out of date."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "shared")]


def documents() -> dict[Path, str]:
    """Return the text of each generated document by its path in the repository."""
    return {
        Path("docs/openapi.json"): _text(openapi()),
        Path("docs/frames.schema.json"): _text(frames()),
    }


def openapi() -> dict[str, Any]:
    """Return the OpenAPI document, asked for through the very handler that serves it."""
    from functions.api.app import lambda_handler

    path = "/api/v1/openapi.json"
    event = {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {},
        "isBase64Encoded": False,
        "requestContext": {"http": {"method": "GET", "path": path}, "stage": "$default", "requestId": "document"},
    }
    document: dict[str, Any] = json.loads(lambda_handler(event, None)["body"])
    return document


def frames() -> dict[str, Any]:
    """Return the JSON Schema of the frames that clients of the playground send."""
    from functions.playground.frames_in import CLIENT_FRAMES

    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Frames from client to server",
        **CLIENT_FRAMES.json_schema(),
    }


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Write what has changed."""
    for path, text in documents().items():
        file = ROOT / path
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")
            print(f"wrote {path}")


if __name__ == "__main__":
    main()
