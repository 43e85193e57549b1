"""Holds what a server sends against `docs/frames.schema.json`, which says nothing that is not so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema_rs import Draft202012Validator, ValidationError

SCHEMA = Path(__file__).resolve().parents[1] / "docs" / "frames.schema.json"


def check_frame(frame: dict[str, Any]) -> None:
    """Raise AssertionError where a frame is none that the schema describes, or has a field that it does not name."""
    kind = frame.get("type")
    ends_a_run = kind == "error" and "run_id" in frame
    validator = _validators().get("error of a run" if ends_a_run else str(kind))
    assert validator is not None, f"a frame that nobody described: {frame}"
    try:
        validator.validate(frame)
    except ValidationError as error:
        raise AssertionError(f"not as it is described: {error.message} in {frame}") from None


def check_outcomes(frame: dict[str, Any]) -> None:
    """Raise AssertionError where a call has an error and nothing says what became of it, or the other way round."""
    for told in (frame, *frame.get("parts", ())):
        if told["type"] in ("tool_use_complete", "tool_result"):
            assert ("error" in told) == ("outcome" in told), f"an error and its outcome come together: {told}"


def described() -> list[str]:
    """The types of all frames that the schema describes as sent by servers; one for each description."""
    return [schema["properties"]["type"]["const"] for schema in _server_frames(_schema()["$defs"])]


def _schema() -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return schema


def _server_frames(definitions: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for branch in definitions["ServerFrame"]["anyOf"]:
        yield definitions[branch["$ref"].rpartition("/")[2]]


@cache
def _validators() -> dict[str, Draft202012Validator]:
    definitions = {name: _closed(schema) for name, schema in _schema()["$defs"].items()}
    made = {}
    for schema in _server_frames(definitions):
        kind = schema["properties"]["type"]["const"]
        name = "error of a run" if kind == "error" and "run_id" in schema["properties"] else kind
        made[name] = Draft202012Validator({**schema, "$defs": definitions}, validate_formats=True)
    return made


def _closed(schema: dict[str, Any]) -> dict[str, Any]:
    """Clients take what they do not know; here it is a fault."""
    return {**schema, "additionalProperties": False} if "properties" in schema else schema
