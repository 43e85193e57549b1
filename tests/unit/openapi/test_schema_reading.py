"""Schemas of three dialects, and common slips, as JSON Schema 2020-12."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.openapi.descriptions import body_schema, codes, only, with_body

STRING = {"type": "string"}


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ({"type": "string", "nullable": True}, {"type": ["string", "null"]}),
        ({"type": "string", "x-nullable": True}, {"type": ["string", "null"]}),
        ({"type": "string", "enum": ["a"], "nullable": True}, {"type": ["string", "null"], "enum": ["a", None]}),
        ({"type": "integer", "minimum": 1, "exclusiveMinimum": True}, {"type": "integer", "exclusiveMinimum": 1}),
        ({"type": "integer", "maximum": 9, "exclusiveMaximum": False}, {"type": "integer", "maximum": 9}),
        ({"type": "integer", "minimum": "1"}, {"type": "integer", "minimum": 1}),
        ({"type": "number", "multipleOf": 0}, {"type": "number"}),
        ({"type": "string", "minLength": -1, "maxLength": 5.0}, {"type": "string", "maxLength": 5}),
        ({"type": "String"}, STRING),
        ({"type": "int"}, {"type": "integer"}),
        ({"type": "datetime"}, STRING),
        ({"type": "array"}, {"type": "array", "items": {}}),
        ({"type": "array", "items": STRING}, {"type": "array", "items": STRING}),
        ({"items": STRING}, {"type": "array", "items": STRING}),
        ({"properties": {"a": STRING}}, {"type": "object", "properties": {"a": STRING}}),
        ({"type": "object", "additionalProperties": STRING}, {"type": "object", "additionalProperties": STRING}),
        ({"type": "object", "additionalProperties": False}, {"type": "object", "additionalProperties": False}),
        ({"type": "object", "additionalProperties": True}, {"type": "object"}),
        ({"type": "string", "enum": [True, 1, "a", "a"]}, {"type": "string", "enum": ["true", "1", "a"]}),
        ({"type": "integer", "enum": ["1", 2, "x"]}, {"type": "integer", "enum": [1, 2]}),
        ({"type": "number", "enum": ["1.5", 2]}, {"type": "number", "enum": [1.5, 2]}),
        ({"type": "string", "enum": []}, STRING),
        ({"type": "string", "enum": [None, "a"]}, {"type": "string", "enum": ["a"]}),
        ({"enum": ["a", 1, None]}, {"enum": ["a", 1, None]}),
        ({"type": "array", "enum": ["a"], "items": STRING}, {"type": "array", "items": {**STRING, "enum": ["a"]}}),
        ({"type": "string", "pattern": "/^a$/"}, {"type": "string", "pattern": "^a$"}),
        ({"type": "string", "pattern": "(unclosed"}, STRING),
        ({"type": "string", "pattern": "^{[a-f]{2,4}}$"}, {"type": "string", "pattern": r"^\{[a-f]{2,4}\}$"}),
        ({"type": "string", "title": "Name"}, {"type": "string", "description": "Name"}),
        ({"type": "string", "example": "x"}, {"type": "string", "description": "Example: x"}),
        (
            {"type": "string", "description": "A <b>bold</b>\n  word.", "example": "x"},
            {"type": "string", "description": "A bold word. Example: x"},
        ),
        ({"type": "string", "example": {"a": 1}}, STRING),
        ({"type": "string", "default": "x", "example": "y"}, {"type": "string", "default": "x"}),
        ({"type": "object", "xml": {"name": "a"}, "externalDocs": {}, "x-own": 1}, {"type": "object"}),
        (
            {
                "properties": {"a": {**STRING, "readOnly": True}, "b": {**STRING, "writeOnly": True}},
                "required": ["a", "b"],
            },
            {"type": "object", "properties": {"b": STRING}, "required": ["b"]},
        ),
        (
            {"properties": {"a": {**STRING, "required": True}, "b": STRING}},
            {"type": "object", "properties": {"a": STRING, "b": STRING}, "required": ["a"]},
        ),
        ({"type": "object", "required": "a"}, {"type": "object", "required": ["a"]}),
        ({"type": "object", "required": ["a", "a", 1]}, {"type": "object", "required": ["a"]}),
        ({"oneOf": [STRING], "nullable": True}, {"anyOf": [{"oneOf": [STRING]}, {"type": "null"}]}),
        (True, {}),
        ({}, {}),
        ("nonsense", {}),
        ({"type": "wizard"}, {}),
    ],
)
def test_openapi_3_0(said: Any, read: Any) -> None:
    assert body_schema(said) == read


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ({"type": ["string", "null"]}, {"type": ["string", "null"]}),
        ({"type": "integer", "exclusiveMinimum": 1}, {"type": "integer", "exclusiveMinimum": 1}),
        ({"const": 1}, {"const": 1}),
        ({"type": "string", "examples": ["a", "b"]}, {"type": "string", "description": "Example: a"}),
        ({"type": "array", "prefixItems": [STRING]}, {"type": "array", "prefixItems": [STRING]}),
        (
            {"type": "array", "prefixItems": [STRING], "items": False},
            {"type": "array", "prefixItems": [STRING], "items": {"not": {}}},
        ),
        ({"type": "array", "items": [STRING, STRING]}, {"type": "array", "prefixItems": [STRING, STRING]}),
        ({"not": {"type": "null"}}, {"not": {"type": "null"}}),
        (
            {"type": "object", "patternProperties": {"^a": STRING}},
            {"type": "object", "patternProperties": {"^a": STRING}},
        ),
        ({"if": STRING, "then": STRING}, {"if": STRING, "then": STRING}),
        ({"dependentRequired": {"a": ["b"]}}, {"dependentRequired": {"a": ["b"]}}),
        ({"contentEncoding": "base64", "type": "string"}, {"type": "string", "contentEncoding": "base64"}),
        ({"$schema": "x", "$id": "y", "$comment": "z", "type": "string"}, STRING),
        (
            {"type": "integer", "oneOf": [{"const": 0, "title": "off"}, {"const": 1, "description": "on"}]},
            {"type": "integer", "enum": [0, 1], "description": "0: off; 1: on"},
        ),
    ],
)
def test_openapi_3_1(said: Any, read: Any) -> None:
    assert body_schema(said, version="3.1.0") == read


def test_words_beside_a_reference_count_as_the_version_says() -> None:
    schemas = {"A": {"type": "object", "properties": {"a": STRING}, "description": "Its own."}}
    said = {"$ref": "#/components/schemas/A", "description": "Here.", "required": ["a"]}
    old = body_schema(said, schemas=schemas)
    assert old == {"type": "object", "properties": {"a": STRING}, "description": "Here."}
    assert body_schema(said, schemas=schemas, version="3.1.0") == {**old, "required": ["a"]}


def test_a_reference_may_be_nullable() -> None:
    said = {"properties": {"a": {"$ref": "#/components/schemas/A", "nullable": True}}}
    read = body_schema(said, schemas={"A": {"type": "integer", "minimum": 1, "maximum": 5}})
    assert read["properties"]["a"] == {"anyOf": [{"type": "integer", "minimum": 1, "maximum": 5}, {"type": "null"}]}


# ---------------------------------------------------------------- allOf


def test_all_of_is_merged() -> None:
    said = {
        "description": "Both.",
        "allOf": [
            {"$ref": "#/components/schemas/Base"},
            {"type": "object", "required": ["b"], "properties": {"b": STRING, "n": {"type": "integer", "maximum": 5}}},
        ],
    }
    base = {
        "type": "object",
        "description": "Base.",
        "required": ["a"],
        "properties": {"a": STRING, "n": {"type": "number", "minimum": 1}},
    }
    assert body_schema(said, schemas={"Base": base}) == {
        "type": "object",
        "description": "Both.",
        "required": ["a", "b"],
        "properties": {"a": STRING, "n": {"type": "integer", "minimum": 1, "maximum": 5}, "b": STRING},
    }


@pytest.mark.parametrize(
    ("parts", "read"),
    [
        ([{"minimum": 1}, {"minimum": 3}], {"minimum": 3}),
        ([{"maxLength": 9}, {"maxLength": 3}], {"maxLength": 3}),
        ([{"enum": [1, 2, 3]}, {"enum": [2, 3, 4]}], {"enum": [2, 3]}),
        ([{"type": ["string", "null"]}, {"type": "string"}], {"type": "string"}),
        ([{"pattern": "^a"}, {"pattern": "b$"}], {"pattern": "^a", "allOf": [{"pattern": "b$"}]}),
        (
            [{"anyOf": [{"minimum": 1}]}, {"anyOf": [{"maximum": 1}]}],
            {"anyOf": [{"minimum": 1}], "allOf": [{"anyOf": [{"maximum": 1}]}]},
        ),
        ([{"not": {"const": 1}}, {"not": {"const": 2}}], {"not": {"anyOf": [{"const": 1}, {"const": 2}]}}),
        (
            [{"items": {"minimum": 1}, "type": "array"}, {"items": {"maximum": 2}}],
            {"items": {"minimum": 1, "maximum": 2}, "type": "array"},
        ),
        ([{}, {}], {}),
        ([STRING], STRING),
        ([STRING, STRING], STRING),
        ([{"allOf": [{"allOf": [STRING]}, {"maxLength": 3}]}], {**STRING, "maxLength": 3}),
    ],
)
def test_parts_of_an_all_of(parts: list[Any], read: Any) -> None:
    assert body_schema({"allOf": parts}) == read


def test_parts_that_forbid_each_other_are_joined_and_it_is_said() -> None:
    closed = {"type": "object", "properties": {"a": STRING}, "additionalProperties": False}
    operation = only(with_body({"allOf": [closed, {"type": "object", "properties": {"b": STRING}}]}))
    assert codes(operation) == {"closed_parts"}
    assert operation.tool
    assert operation.tool.input_schema["properties"]["body"] == {
        "type": "object",
        "properties": {"a": STRING, "b": STRING},
    }


def test_a_part_that_only_narrows_a_closed_one_leaves_it_closed() -> None:
    closed = {"type": "object", "properties": {"a": STRING}, "additionalProperties": False}
    operation = only(with_body({"allOf": [closed, {"properties": {"a": {"enum": ["x"]}}}]}))
    assert operation.status == "accepted"
    assert operation.tool
    read = operation.tool.input_schema["properties"]["body"]
    assert read == {"type": "object", "properties": {"a": {**STRING, "enum": ["x"]}}, "additionalProperties": False}


def test_contradictions_are_said() -> None:
    assert codes(only(with_body({"allOf": [{"type": "string"}, {"type": "integer"}]}))) == {"contradiction"}


def test_read_only_parts_of_an_all_of_are_not_required_either() -> None:
    hidden = {"properties": {"id": {**STRING, "readOnly": True}, "name": STRING}}
    assert body_schema({"allOf": [hidden, {"required": ["id", "name"]}]}) == {
        "type": "object",
        "properties": {"name": STRING},
        "required": ["name"],
    }


def test_a_schema_that_extends_what_contains_it_ends() -> None:
    tree = {
        "type": "object",
        "properties": {
            "kids": {
                "type": "array",
                "items": {"allOf": [{"$ref": "#/components/schemas/Tree"}, {"required": ["name"]}]},
            },
            "name": STRING,
        },
    }
    read = body_schema({"$ref": "#/components/schemas/Tree"}, schemas={"Tree": tree})
    extended = read["$defs"]["Tree_extended"]
    assert extended["required"] == ["name"]
    assert extended["properties"]["kids"]["items"] == {"$ref": "#/$defs/Tree_extended"}


# ---------------------------------------------------------------- discriminators

PETS = {
    "Pet": {"oneOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}]},
    "Cat": {"type": "object", "properties": {"kind": STRING, "claws": {"type": "integer"}}},
    "Dog": {"type": "object", "properties": {"kind": STRING, "bark": {"type": "boolean"}}},
}


def kinds(schema: Any) -> list[Any]:
    branches = schema.get("oneOf") or schema["anyOf"]
    found = [one["properties"]["kind"] for one in branches]
    assert all("kind" in one["required"] for one in branches if "const" in one["properties"]["kind"])
    return [one.get("const", one.get("enum")) for one in found]


def test_a_discriminator_becomes_a_constant_of_each_alternative() -> None:
    pet = {**PETS["Pet"], "discriminator": {"propertyName": "kind"}}
    assert kinds(body_schema({"$ref": "#/components/schemas/Pet"}, schemas={**PETS, "Pet": pet})) == ["Cat", "Dog"]


def test_a_mapping_names_the_alternatives() -> None:
    mapping = {"c": "#/components/schemas/Cat", "kitten": "Cat", "d": "Dog", "x": "elsewhere.json"}
    pet = {**PETS["Pet"], "discriminator": {"propertyName": "kind", "mapping": mapping}}
    read = body_schema({"$ref": "#/components/schemas/Pet"}, schemas={**PETS, "Pet": pet})
    assert kinds(read) == [["c", "kitten"], "d"]


def test_a_schema_that_says_its_own_constant_keeps_it() -> None:
    cat = {"type": "object", "properties": {"kind": {**STRING, "enum": ["CAT"]}}, "required": ["kind"]}
    pet = {**PETS["Pet"], "discriminator": {"propertyName": "kind"}}
    read = body_schema({"$ref": "#/components/schemas/Pet"}, schemas={**PETS, "Pet": pet, "Cat": cat})
    assert kinds(read)[0] == ["CAT"]


@pytest.mark.parametrize("version", ["3.0.3", "2.0"])
def test_a_base_schema_stands_for_all_that_extend_it(version: str) -> None:
    """Without it, a model could not give what makes a cat a cat."""
    place = "#/definitions/" if version == "2.0" else "#/components/schemas/"
    base = {
        "type": "object",
        "discriminator": "kind" if version == "2.0" else {"propertyName": "kind"},
        "properties": {"kind": STRING},
        "required": ["kind"],
    }
    extends = {"$ref": f"{place}Pet"}
    schemas = {
        "Pet": base,
        "Cat": {"allOf": [extends, {"properties": {"claws": {"type": "integer"}}}]},
        "Lion": {"allOf": [{"$ref": f"{place}Cat"}, {"properties": {"mane": {"type": "boolean"}}}]},
    }
    schema = {"$ref": f"{place}Pet"}
    if version == "2.0":
        body = {"in": "body", "name": "pet", "schema": schema}
        paths = {"/things": {"post": {"parameters": [body]}}}
        document = {"swagger": "2.0", "info": {}, "paths": paths, "definitions": schemas}
    else:
        document = with_body(schema, components={"schemas": schemas})
    operation = only(document)
    assert operation.tool
    read = operation.tool.input_schema["properties"]["body"]
    assert kinds(read) == ["Cat", "Lion", None]
    assert set(read["anyOf"][1]["properties"]) == {"kind", "claws", "mane"}


# ---------------------------------------------------------------- size


def test_large_schemas_are_cut_in_steps_that_are_said() -> None:
    wordy = {f"p{n}": {"type": "string", "description": "word " * 100} for n in range(150)}
    operation = only(with_body({"type": "object", "properties": wordy}))
    assert codes(operation) == {"schema_shortened"}
    assert operation.tool
    assert len(operation.tool.input_schema["properties"]["body"]["properties"]) == 150


def test_what_is_required_outlives_what_is_optional() -> None:
    def fields(prefix: str) -> Any:
        return {f"{prefix}{n}": {"type": "string", "maxLength": n} for n in range(200)}

    schemas = {
        f"{name}{n}": {"type": "object", "properties": fields(name)}
        for name in ("optional", "needed")
        for n in range(4)
    }
    properties = {name: {"$ref": f"#/components/schemas/{name}"} for name in schemas}
    needed = [name for name in schemas if name.startswith("needed")][:2]
    whole = {"type": "object", "properties": properties, "required": needed}
    operation = only(with_body(whole, components={"schemas": schemas}))
    assert codes(operation) == {"schema_shortened", "schema_pruned"}
    assert operation.tool
    read = operation.tool.input_schema["properties"]["body"]["properties"]
    assert all(len(read[name]["properties"]) == 200 for name in needed)
    assert any("see the API's documentation" in value.get("description", "") for value in read.values())


def test_long_lists_of_values_are_named_in_words() -> None:
    values = [f"value-number-{n}" for n in range(3_000)]
    operation = only(with_body({"type": "string", "enum": values}))
    assert operation.tool
    read = operation.tool.input_schema["properties"]["body"]
    assert "enum" not in read
    assert "3000 values" in read["description"]


def test_what_cannot_be_made_small_is_skipped_with_the_reason() -> None:
    wide = {f"property_number_{n}": {"type": "string"} for n in range(2_000)}
    operation = only(with_body({"type": "object", "properties": wide}))
    assert (operation.status, codes(operation)) == ("skipped", {"schema_too_large"})
    assert operation.tool is None
