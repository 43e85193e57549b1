"""Write docs/openapi.json and docs/frames.schema.json from the code. A test fails when they are out of date."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

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
    """Return the JSON Schema of the playground's frames, of those that clients send and those that they are sent."""
    from agent_builder.realtime.frames_out import ServerFrame
    from functions.playground.frames_in import CLIENT_FRAMES

    server: TypeAdapter[ServerFrame] = TypeAdapter(ServerFrame)
    roots, shared = TypeAdapter.json_schemas(
        [("ClientFrame", "validation", CLIENT_FRAMES), ("ServerFrame", "serialization", server)],
        schema_generator=_FrameSchema,
    )
    definitions = {**shared["$defs"], **{name: dict(schema) for (name, _), schema in roots.items()}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Frames of the playground",
        "anyOf": [{"$ref": "#/$defs/ClientFrame"}, {"$ref": "#/$defs/ServerFrame"}],
        "$defs": dict(sorted(definitions.items())),
    }


class _FrameSchema(GenerateJsonSchema):
    """Fields have no titles, which say nothing that their names do not; what is sent is whole, and may grow."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        made = super().model_schema(schema)
        if self.mode == "serialization":
            made.pop("additionalProperties", None)
            made["required"] = list(made["properties"])
        return made


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
