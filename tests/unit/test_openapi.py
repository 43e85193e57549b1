"""The committed documents are those of the code, and the code documents what it does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from functions.playground.frames_in import FRAMES
from scripts.openapi import ROOT, documents, frames, openapi
from tests.frames import check_frame

MUTATIONS = ("post", "put", "patch", "delete")


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return openapi()


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in ("get", *MUTATIONS)
    }


@pytest.mark.parametrize("path", documents(), ids=str)
def test_committed_document_is_that_of_the_code(path: Path) -> None:
    committed = (ROOT / path).read_text(encoding="utf-8")
    assert committed == documents()[path], "out of date: run scripts/openapi.py"


def test_it_is_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert document["info"]["title"] == "Dr. Melton Agent Builder"
    names = [operation["operationId"] for operation in operations(document).values()]
    assert len(set(names)) == len(names)


def test_every_operation_documents_its_errors_as_problems(document: dict[str, Any]) -> None:
    for name, operation in operations(document).items():
        errors = {status: answer for status, answer in operation["responses"].items() if not status.startswith("2")}
        assert any(status.startswith("4") for status in errors), name
        for status, answer in errors.items():
            content = answer["content"]
            assert list(content) == ["application/problem+json"], (name, status)
            schema = content["application/problem+json"]["schema"]
            assert schema == {"$ref": "#/components/schemas/Problem"}, (name, status)


def test_every_operation_says_what_it_does(document: dict[str, Any]) -> None:
    for name, operation in operations(document).items():
        assert operation["summary"], name
        assert operation["tags"], name
        assert [status for status in operation["responses"] if status.startswith("2")], name
        assert all(parameter.get("description") for parameter in operation.get("parameters", [])), name


def test_what_takes_a_body_documents_what_can_be_wrong_with_it(document: dict[str, Any]) -> None:
    with_body = {name: operation for name, operation in operations(document).items() if "requestBody" in operation}
    assert with_body
    for name, operation in with_body.items():
        assert {"400", "413", "415", "422"} <= set(operation["responses"]), name


def test_every_reference_resolves(document: dict[str, Any]) -> None:
    text = json.dumps(document)
    for name in {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}:
        assert name in document["components"]["schemas"], name


def test_frames_schema_has_every_frame_of_clients() -> None:
    definitions = frames()["$defs"]
    mapping = definitions["ClientFrame"]["discriminator"]["mapping"]
    assert set(mapping) == set(FRAMES)
    for name in (reference.rpartition("/")[2] for reference in mapping.values()):
        assert definitions[name]["additionalProperties"] is False
        assert "type" in definitions[name]["required"]


def test_frames_schema_describes_what_it_names() -> None:
    definitions = frames()["$defs"]
    for name in (part.split('"')[0] for part in json.dumps(frames()).split("#/$defs/")[1:]):
        assert name in definitions
    for name, definition in definitions.items():
        assert definition.get("description") or name in ("ClientFrame", "ServerFrame"), name


def test_frames_that_are_sent_may_grow() -> None:
    """So that no client that checks what it gets refuses what a later version adds."""
    sent = [definition for name, definition in frames()["$defs"].items() if name.endswith(("Out", "Usage", "Cost"))]
    assert sent
    assert not any("additionalProperties" in definition for definition in sent)


RUN = {"conversation_id": "cnv_1", "run_id": "run_1", "message_id": "msg_1"}


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "pong", "more": 1},
        {"type": "content_delta", **RUN, "seq": 1, "delta": "x"},
        {"type": "content_delta", **RUN, "seq": 1, "delta": "x", "offset": -1},
        {"type": "error", "error": "words", "code": "code", "retryable": False, "run_id": "run_1"},
        {"type": "run_cancelled", **RUN, "usage": {"input_tokens": 1}, "cost": {}},
        {"type": "news"},
        {},
    ],
    ids=str,
)
def test_what_is_not_described_is_noticed(frame: dict[str, Any]) -> None:
    with pytest.raises(AssertionError, match="described"):
        check_frame(frame)
