from __future__ import annotations

import base64
import json
from contextlib import closing
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl

import pytest
from werkzeug.formparser import parse_form_data

from agent_builder.errors import ToolError
from agent_builder.tools.http_request import HttpRequest
from agent_builder.tools.openapi.bodies import FORM_TYPE, MULTIPART_TYPE
from tests.unit.openapi.descriptions import codes, description, only, request, tool_of, with_body

STRING = {"type": "string"}
BINARY = {"type": "string", "format": "binary"}


def content_type(sent: HttpRequest) -> str:
    return dict(sent.headers)["Content-Type"]


def posted(sent: HttpRequest) -> tuple[list[tuple[str, str]], list[tuple[str, str | None, str | None, bytes]]]:
    """Fields, and files with name, content type and content, as a parser sees them that is not ours."""
    assert sent.body is not None
    environ = {
        "REQUEST_METHOD": "POST",
        "CONTENT_TYPE": content_type(sent),
        "CONTENT_LENGTH": str(len(sent.body)),
        "wsgi.input": BytesIO(sent.body),
    }
    _, fields, files = parse_form_data(environ)
    read = []
    for name, file in files.items(multi=True):
        with closing(file):
            read.append((name, file.filename, file.content_type, file.read()))
    return list(fields.items(multi=True)), read


def test_json() -> None:
    tool = tool_of(with_body({"type": "object", "properties": {"a": STRING}}))
    sent = request(tool, body={"a": "Grüße 東京", "b": None})
    assert sent.body == '{"a":"Grüße 東京","b":null}'.encode()
    assert content_type(sent) == "application/json"


@pytest.mark.parametrize(
    ("offered", "used", "kind"),
    [
        (["application/xml", "application/json"], "application/json", "json"),
        (["text/plain", "application/vnd.api+json"], "application/vnd.api+json", "json"),
        (["application/json; charset=utf-8"], "application/json; charset=utf-8", "json"),
        (["*/*"], "application/json", "json"),
        ([MULTIPART_TYPE, FORM_TYPE], FORM_TYPE, "form"),
        ([MULTIPART_TYPE, "application/octet-stream"], MULTIPART_TYPE, "multipart"),
        (["application/xml", "text/plain"], "text/plain", "raw"),
        (["application/xml"], "application/xml", "raw"),
        (["image/*"], "application/octet-stream", "raw"),
        (["text/*"], "text/plain", "raw"),
    ],
)
def test_the_media_type_that_a_model_can_fill_best_is_used(offered: list[str], used: str, kind: str) -> None:
    body = {"content": {media_type: {"schema": {"type": "object"}} for media_type in offered}}
    operation = only(description({"/a": {"post": {"requestBody": body}}}))
    assert operation.tool
    assert operation.tool.body
    assert (operation.tool.body.content_type, operation.tool.body.kind) == (used, kind)
    assert ("other_bodies" in codes(operation)) == (len(offered) > 1)


def test_a_body_is_required_only_where_it_says_so() -> None:
    document = with_body(STRING)
    assert tool_of(document).input_schema["required"] == ["body"]
    document["paths"]["/things"]["post"]["requestBody"]["required"] = False
    tool = tool_of(document)
    assert "required" not in tool.input_schema
    assert request(tool).body is None
    assert "Content-Type" not in dict(request(tool).headers)


def test_a_parameter_may_be_called_body() -> None:
    document = with_body(STRING)
    document["paths"]["/things"]["post"]["parameters"] = [{"name": "body", "in": "query", "schema": STRING}]
    tool = tool_of(document)
    sent = request(tool, body="in query", request_body="in body")
    assert sent.url.endswith("?body=in%20query")
    assert sent.body == b'"in body"'


def test_form() -> None:
    properties = {
        "text": STRING,
        "number": {"type": "number"},
        "flag": {"type": "boolean"},
        "list": {"type": "array", "items": STRING},
        "object": {"type": "object"},
        "none": {"type": "string", "nullable": True},
    }
    tool = tool_of(with_body({"type": "object", "properties": properties}, FORM_TYPE))
    value = {"text": "a&b=c d+é", "number": 1.0, "flag": False, "list": ["x", "y"], "object": {"k": [1]}, "none": None}
    sent = request(tool, body=value)
    assert content_type(sent) == FORM_TYPE
    assert parse_qsl((sent.body or b"").decode()) == [
        ("text", "a&b=c d+é"),
        ("number", "1"),
        ("flag", "false"),
        ("list", "x"),
        ("list", "y"),
        ("object", '{"k":[1]}'),
    ]


def test_a_form_is_written_as_its_encoding_says() -> None:
    encoding = {
        "deep": {"style": "deepObject", "explode": True},
        "comma": {"style": "form", "explode": False},
        "json": {"contentType": "application/json"},
        "odd": {"style": "unheard-of"},
    }
    properties = {name: {} for name in encoding}
    tool = tool_of(with_body({"type": "object", "properties": properties}, FORM_TYPE, media={"encoding": encoding}))
    sent = request(tool, body={"deep": {"a": {"b": 1}}, "comma": ["x", "y"], "json": ["z"], "odd": ["v", "w"]})
    pairs = [("deep[a][b]", "1"), ("comma", "x,y"), ("json", '["z"]'), ("odd", "v"), ("odd", "w")]
    assert parse_qsl((sent.body or b"").decode()) == pairs


def test_multipart_with_files() -> None:
    properties = {
        "note": STRING,
        "meta": {"type": "object"},
        "tags": {"type": "array", "items": STRING},
        "file": {"$ref": "#/components/schemas/File"},
        "more": {"type": "array", "items": BINARY, "maxItems": 2},
    }
    schema = {"type": "object", "properties": properties, "required": ["file"]}
    media = {"encoding": {"file": {"contentType": "image/png"}}}
    tool = tool_of(with_body(schema, MULTIPART_TYPE, media=media, components={"schemas": {"File": BINARY}}))
    read = tool.input_schema["properties"]["body"]
    assert read["properties"]["file"]["required"] == ["filename", "content"]
    assert (read["properties"]["more"]["type"], read["properties"]["more"]["maxItems"]) == ("array", 2)

    sent = request(
        tool,
        body={
            "note": "Grüße",
            "meta": {"a": 1},
            "tags": ["x", "y"],
            "file": {
                "filename": 'a"b\r\n.png',
                "content": base64.b64encode(b"\x89PNG\r\n--x").decode(),
                "encoding": "base64",
            },
            "more": [{"filename": "1.txt", "content": "eins"}, {"filename": "2.txt", "content": "zwei"}],
        },
    )
    fields, files = posted(sent)
    assert fields == [("note", "Grüße"), ("meta", '{"a":1}'), ("tags", "x"), ("tags", "y")]
    assert files == [
        ("file", 'a"b%0D%0A.png', "image/png", b"\x89PNG\r\n--x"),
        ("more", "1.txt", "application/octet-stream", b"eins"),
        ("more", "2.txt", "application/octet-stream", b"zwei"),
    ]


@pytest.mark.parametrize(
    "file",
    [
        BINARY,
        {"type": "string", "contentMediaType": "application/octet-stream"},
        {"type": "string", "contentMediaType": "image/png"},
        {"type": "string", "contentEncoding": "binary"},
        {"anyOf": [BINARY, {"type": "null"}]},
        {"type": ["string", "null"], "format": "binary"},
        {"allOf": [BINARY], "description": "x"},
        {"contentMediaType": "image/png"},
        {"oneOf": [{"anyOf": [BINARY, {"type": "null"}]}, STRING]},
    ],
)
def test_a_file_by_any_description(file: Any) -> None:
    tool = tool_of(with_body({"type": "object", "properties": {"f": file}}, MULTIPART_TYPE, version="3.1.0"))
    assert tool.body
    assert tool.body.parts["f"].file
    _, files = posted(request(tool, body={"f": {"filename": "a.txt", "content": "hi"}}))
    assert files[0][3] == b"hi"


def test_several_files_or_none() -> None:
    """What FastAPI says of an optional list of files."""
    files = {"anyOf": [{"type": "array", "items": BINARY}, {"type": "null"}]}
    tool = tool_of(with_body({"type": "object", "properties": {"f": files}}, MULTIPART_TYPE, version="3.1.0"))
    assert tool.input_schema["properties"]["body"]["properties"]["f"]["items"]["required"] == ["filename", "content"]
    _, sent = posted(request(tool, body={"f": [{"filename": "a", "content": "b"}, {"filename": "c", "content": "d"}]}))
    assert [content for *_, content in sent] == [b"b", b"d"]


def test_text_in_base64_is_text_of_a_form() -> None:
    schema = {"type": "object", "properties": {"f": {"type": "string", "contentEncoding": "base64"}}}
    tool = tool_of(with_body(schema, MULTIPART_TYPE, version="3.1.0"))
    assert posted(request(tool, body={"f": "aGk="}))[0] == [("f", "aGk=")]


def test_the_same_call_is_the_same_bytes() -> None:
    """A repetition with the same idempotency key must be the same request."""
    tool = tool_of(with_body({"type": "object", "properties": {"f": BINARY}}, MULTIPART_TYPE))
    value = {"f": {"filename": "a", "content": "b"}}
    assert request(tool, body=value) == request(tool, body=value)
    assert request(tool, body=value) != request(tool, body={"f": {"filename": "a", "content": "c"}})


def test_alternatives_of_a_form_have_their_files() -> None:
    schemas = {
        "A": {"type": "object", "properties": {"f": BINARY}},
        "B": {"type": "object", "properties": {"url": STRING}},
    }
    schema = {"oneOf": [{"$ref": f"#/components/schemas/{name}"} for name in schemas]}
    tool = tool_of(with_body(schema, MULTIPART_TYPE, components={"schemas": schemas}))
    _, files = posted(request(tool, body={"f": {"filename": "a", "content": "b"}}))
    assert files


@pytest.mark.parametrize("media_type", ["application/octet-stream", "image/png", "application/zip"])
def test_binary_bodies(media_type: str) -> None:
    tool = tool_of(with_body(BINARY, media_type))
    sent = request(tool, body={"content": "AAEC/w==", "encoding": "base64"})
    assert (sent.body, content_type(sent)) == (b"\x00\x01\x02\xff", media_type)
    with pytest.raises(ToolError, match="base64"):
        request(tool, body={"content": "not base64!", "encoding": "base64"})
    with pytest.raises(ToolError, match="file"):
        request(tool, body="text")


def test_xml_bodies_are_text_and_that_is_said() -> None:
    operation = only(with_body({"type": "object", "properties": {"a": STRING}}, "application/xml"))
    assert codes(operation) == {"text_body"}
    assert operation.tool
    assert request(operation.tool, body="<a>é</a>").body == "<a>é</a>".encode()


def test_types_may_be_lists_in_bodies_of_any_kind() -> None:
    nullable = {"type": ["string", "null"]}
    assert request(tool_of(with_body(nullable, "text/plain", version="3.1.0")), body="x").body == b"x"
    form = {"type": ["object", "null"], "properties": {"f": {"type": ["array", "null"], "items": BINARY}}}
    tool = tool_of(with_body(form, MULTIPART_TYPE, version="3.1.0"))
    assert tool.body
    assert tool.body.parts["f"].file


def test_text_bodies_keep_the_type_of_their_schema() -> None:
    tool = tool_of(with_body({"type": "integer"}, "text/plain"))
    assert tool.input_schema["properties"]["body"] == {"type": "integer"}
    assert request(tool, body=7).body == b"7"


def test_a_body_without_schema_is_any_json() -> None:
    body = {"content": {"application/json": {}}}
    operation = only(description({"/a": {"post": {"requestBody": body}}}))
    assert operation.status == "accepted"
    assert codes(operation) == {"no_body_schema"}
    assert operation.tool
    assert request(operation.tool, body=[1]).body == b"[1]"


@pytest.mark.parametrize("body", [{}, {"content": {}}, {"content": None}, "text", None])
def test_an_empty_body_is_none(body: Any) -> None:
    assert tool_of(description({"/a": {"post": {"requestBody": body}}})).body is None


# ---------------------------------------------------------------- Swagger 2.0


def swagger(parameters: list[Any], **operation: Any) -> Any:
    return description({"/a": {"post": {"parameters": parameters, **operation}}}, version="2.0")


def test_swagger_bodies() -> None:
    tool = tool_of(
        swagger([{"in": "body", "name": "pet", "required": True, "description": "A pet.", "schema": STRING}])
    )
    assert tool.body
    assert tool.body.content_type == "application/json"
    assert tool.input_schema["properties"] == {"body": {"type": "string", "description": "A pet."}}
    assert tool.input_schema["required"] == ["body"]


@pytest.mark.parametrize(
    ("consumes", "used"),
    [
        (["application/xml", "application/vnd.x+json"], "application/vnd.x+json"),
        (["application/xml"], "application/xml"),
        ([], "application/json"),
    ],
)
def test_swagger_bodies_are_what_is_consumed(consumes: list[str], used: str) -> None:
    tool = tool_of(swagger([{"in": "body", "name": "pet", "schema": STRING}], consumes=consumes))
    assert tool.body
    assert tool.body.content_type == used


def test_swagger_forms() -> None:
    fields = [
        {"in": "formData", "name": "a", "type": "string", "required": True},
        {"in": "formData", "name": "b", "type": "array", "items": {"type": "integer"}, "collectionFormat": "multi"},
        {"in": "formData", "name": "c", "type": "array", "items": {"type": "integer"}},
    ]
    tool = tool_of(swagger(fields, consumes=[FORM_TYPE]))
    assert tool.input_schema["properties"]["body"]["required"] == ["a"]
    sent = request(tool, body={"a": "x", "b": [1, 2], "c": [3, 4]})
    assert parse_qsl((sent.body or b"").decode()) == [("a", "x"), ("b", "1"), ("b", "2"), ("c", "3,4")]


def test_swagger_files() -> None:
    fields = [
        {"in": "formData", "name": "a", "type": "string"},
        {"in": "formData", "name": "f", "type": "file", "required": True},
    ]
    fields_sent, files = posted(
        request(tool_of(swagger(fields)), body={"a": "x", "f": {"filename": "n.txt", "content": "hi"}})
    )
    assert fields_sent == [("a", "x")]
    assert files == [("f", "n.txt", "application/octet-stream", b"hi")]


def test_both_versions_of_one_description_give_one_request() -> None:
    query = {"name": "q", "in": "query", "type": "array", "items": STRING, "collectionFormat": "pipes"}
    body = {"name": "b", "in": "body", "required": True, "schema": {"$ref": "#/definitions/B"}}
    definition = {"type": "object", "properties": {"a": STRING, "self": {"$ref": "#/definitions/B"}}}
    old = description(
        {"/a": {"post": {"operationId": "op", "parameters": [query, body]}}},
        version="2.0",
        definitions={"B": definition},
    )
    new = description(
        {
            "/a": {
                "post": {
                    "operationId": "op",
                    "parameters": [
                        {
                            "name": "q",
                            "in": "query",
                            "style": "pipeDelimited",
                            "explode": False,
                            "schema": {"type": "array", "items": STRING},
                        }
                    ],
                    "requestBody": {
                        "required": True,
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/B"}}},
                    },
                }
            }
        },
        components={"schemas": json.loads(json.dumps({"B": definition}).replace("definitions", "components/schemas"))},
    )
    assert tool_of(old).input_schema == tool_of(new).input_schema
    arguments = {"q": ["x", "y"], "body": {"a": "b", "self": {}}}
    assert request(tool_of(old), **arguments) == request(tool_of(new), **arguments)
