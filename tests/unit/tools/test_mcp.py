"""What an MCP server offers and answers, read: schemas of real generators, fingerprints, results."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from agent_builder.errors import OutboundFailed, ToolError
from agent_builder.models.tools import McpTool, ResponseShape
from agent_builder.tools.auth.masking import Masker
from agent_builder.tools.mcp import RemoteTool, changed_since, read_result, shaped
from agent_builder.tools.mcp_offers import accepted, offer_view, told_description
from agent_builder.tools.schemas import check_arguments

Json = dict[str, Any]
NOBODY = Masker(())


def told(schema: Any = None, **more: Any) -> Json:
    return {"name": "note", "description": "Takes a note.", "inputSchema": schema or {"type": "object"}, **more}


def remote(schema: Any = None, **more: Any) -> RemoteTool:
    return RemoteTool.read(told(schema, **more))


# ---------------------------------------------------------------- fingerprints


def test_a_fingerprint_is_of_what_a_model_is_told() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "number"}}}
    turned = {"properties": {"b": {"type": "number"}, "a": {"type": "string"}}, "type": "object"}
    one = remote(schema)
    assert one.fingerprint == remote(turned).fingerprint
    assert len(one.fingerprint) == 64
    unimportant = {"title": "Note", "outputSchema": {"type": "object"}, "icons": [], "_meta": {"a": 1}}
    assert remote(schema, **unimportant).fingerprint == one.fingerprint
    others = [
        remote(schema, name="Note"),
        remote(schema, description="Takes a note!"),
        remote(schema, description="Takes a note.\u200b"),
        remote(schema, description="x" * 5_000),
        remote(schema, description="x" * 5_000 + "y"),
        remote(schema, annotations={}),
        remote(schema, annotations={"readOnlyHint": True}),
        remote({**schema, "required": ["a"]}),
        remote({"type": "object", "properties": {"a": {"type": "string", "description": "!"}, "b": {}}}),
    ]
    assert len({one.fingerprint, *(other.fingerprint for other in others)}) == len(others) + 1


def test_only_the_very_tool_that_was_chosen_is_the_same() -> None:
    one, other = remote(), remote(description="Another.")
    fields: Json = {"name": "n", "integration_id": "int_1", "input_schema": {"type": "object"}}
    tool = McpTool(remote_name="note", fingerprint=one.fingerprint, **fields)
    assert changed_since(tool, [other, one]) is None
    for offered in ([], [other], [remote(name="other")]):
        refused = changed_since(tool, offered)
        assert refused is not None
        assert refused.error_code == "mcp_tool_changed"


def test_an_effect_is_only_suggested() -> None:
    assert remote().effect == "write"
    assert remote(annotations={"readOnlyHint": True}).effect == "read"
    assert remote(annotations={"readOnlyHint": "yes"}).effect == "write"


# ---------------------------------------------------------------- schemas


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"type": "object"}, {}, None),
        ({"type": "object", "required": ["q"]}, {"q": 1}, {}),
        ({"type": "object", "$schema": "http://json-schema.org/draft-07/schema#", "properties": {}}, {}, None),
        (
            # As generators for TypeScript write what is used twice.
            {
                "type": "object",
                "properties": {"a": {"type": "integer"}, "b": {"$ref": "#/properties/a"}},
                "required": ["b"],
            },
            {"b": 1},
            {"b": "1"},
        ),
        (
            {"type": "object", "properties": {"a": {"$ref": "#/definitions/A"}}, "definitions": {"A": {"enum": ["x"]}}},
            {"a": "x"},
            {"a": "y"},
        ),
        (
            # A tree, by the root's own name.
            {"type": "object", "properties": {"v": {"type": "integer"}, "next": {"$ref": "#"}}},
            {"v": 1, "next": {"v": 2}},
            {"next": {"next": {"v": "x"}}},
        ),
        (
            {
                "type": "object",
                "properties": {"p": {"type": "array", "items": [{"type": "string"}, {"type": "number"}]}},
            },
            {"p": ["a", 1]},
            {"p": [1, 1]},
        ),
        (
            {"type": "object", "properties": {"n": {"type": "number", "minimum": 0, "exclusiveMinimum": True}}},
            {"n": 1},
            {"n": 0},
        ),
        ({"type": "object", "properties": {"e": {"type": "string", "pattern": "^(a+)+$"}}}, {"e": "aa"}, {"e": "b"}),
    ],
)
def test_schemas_of_real_generators_are_taken(schema: Json, good: Json, bad: Json | None) -> None:
    taken, notes = accepted(remote(schema))
    assert taken is not None, notes
    check_arguments(taken, good)
    if bad is not None:
        with pytest.raises(ToolError):
            check_arguments(taken, bad)


def nested(levels: int) -> Json:
    schema: Json = {"type": "string"}
    for _ in range(levels):
        schema = {"type": "object", "properties": {"a": schema}}
    return schema


@pytest.mark.parametrize(
    ("offer", "code"),
    [
        (remote(name="x" * 201), "invalid_name"),
        (remote(name=" ".strip()), "invalid_name"),
        (remote(description="a\x00b"), "invalid_text"),
        (remote(description="\ud800"), "invalid_text"),
        (remote("text"), "invalid_schema"),
        (remote(["type"]), "invalid_schema"),
        (remote({"type": "array"}), "invalid_schema"),
        (remote(nested(80)), "invalid_schema"),
        (remote(nested(400)), "invalid_schema"),
        (remote({"type": "object", "properties": {"a": {"minimum": float("nan")}}}), "invalid_schema"),
    ],
)
def test_what_cannot_be_a_tool_says_why(offer: RemoteTool, code: str) -> None:
    schema, notes = accepted(offer)
    assert schema is None
    assert (notes[-1].code, notes[-1].level) == (code, "skipped")
    assert notes[-1].message.endswith(".")


def test_nothing_is_fetched_and_much_is_made_less() -> None:
    schema, notes = accepted(remote({"type": "object", "properties": {"a": {"$ref": "http://10.0.0.1/schema"}}}))
    assert schema is not None
    assert "10.0.0.1" not in str(schema)
    assert [note.code for note in notes] == ["broken_reference"]
    many = {f"p{number}": {"type": "string", "description": "x" * 900} for number in range(60)}
    schema, notes = accepted(remote({"type": "object", "properties": many}, description="y" * 2_000))
    assert schema is not None
    assert [note.code for note in notes] == ["schema_shortened", "description_shortened"]
    assert len(told_description("y" * 2_000)) == 1_024


def test_a_person_sees_no_secret() -> None:
    view = offer_view(
        remote({"type": "object", "description": "s3cret!"}, title="s3cret!", description="s3cret!"), ["s3cret!"]
    )
    assert "s3cret" not in str(view)


# ---------------------------------------------------------------- answers


def text(*texts: str, **more: Any) -> Json:
    return {"content": [{"type": "text", "text": one} for one in texts], **more}


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        (text(), {"text": ""}),
        (text("a", "b"), {"text": "a\nb"}),
        (text('{"a": 1}'), {"a": 1}),
        (text('{"a": 1}', "b"), {"text": '{"a": 1}\nb'}),
        (text('{"a": '), {"text": '{"a": '}),
        (text("[1]"), {"text": "[1]"}),
        (text("ignored", structuredContent={"a": 1}), {"a": 1}),
        (text("ignored", structuredContent=[1]), {"value": [1]}),
        (text("ignored", structuredContent=None), {"text": "ignored"}),
        (
            {"content": [{"type": "image", "data": "AAAA", "mimeType": "image/png"}], "structuredContent": {"a": 1}},
            {"value": {"a": 1}, "attachments": ["[image image/png, 3 bytes, not shown]"]},
        ),
        (
            {"content": [{"type": "resource", "resource": {"uri": "a://b", "blob": "AAA="}}]},
            {"text": "[a://b, of unknown kind, 2 bytes, not shown]"},
        ),
        ({"content": [{"type": "resource", "resource": {"uri": "a://b", "text": "c"}}]}, {"text": "[a://b]\nc"}),
        ({"content": [{"type": "resource_link", "name": "n", "uri": "a://b"}]}, {"text": "[link to n: a://b]"}),
    ],
)
def test_answers(answer: Json, result: Json) -> None:
    assert read_result(answer, NOBODY) == result


def test_failures_are_told_in_the_tools_words_and_not_without_end() -> None:
    with pytest.raises(ToolError) as failed:
        read_result(text("x" * 5_000, isError=True), NOBODY)
    assert len(failed.value.detail) < 2_100
    with pytest.raises(ToolError, match="does not say why"):
        read_result({"content": [], "isError": True}, NOBODY)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800", "\x00", nested(100)])
def test_what_cannot_be_kept_is_no_answer(value: Any) -> None:
    with pytest.raises(OutboundFailed) as failed:
        read_result({"content": [], "structuredContent": {"a": value}}, NOBODY)
    assert failed.value.sent


async def test_answers_are_shaped() -> None:
    answer = {"items": [{"name": "a", "rest": "x" * 500}, {"name": "b", "rest": "x" * 500}]}
    assert (await shaped(answer, ResponseShape())).whole is None
    made = await shaped(answer, ResponseShape(select="items[].name"))
    assert (made.result, made.whole) == ({"value": ["a", "b"]}, answer)
    cut = await shaped({"text": "x" * 5_000}, ResponseShape(max_bytes=300))
    assert cut.result["truncated"] is True
    assert cut.whole == {"text": "x" * 5_000}
    with pytest.raises(ToolError, match="was called and answered, but"):
        await shaped({"text": "x"}, ResponseShape(select="abs(text)"))


# ---------------------------------------------------------------- what it costs


def test_nothing_imports_the_sdk_before_a_server_is_used() -> None:
    modules = (
        "functions.runner.app, agent_builder.services.mcp, agent_builder.services.mcp_offers, agent_builder.bootstrap"
    )
    code = (
        f"import sys, {modules}; sys.exit(any(name.partition('.')[0] in ('mcp', 'mcp_types') for name in sys.modules))"
    )
    environment = {"PYTHONPATH": ".:shared", "PATH": "", "AWS_DEFAULT_REGION": "us-east-1"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
