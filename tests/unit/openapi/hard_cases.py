"""Hand-made descriptions of what is hard, in three dialects. Every operation in them must become a tool."""

from __future__ import annotations

import json
from typing import Any

Json = dict[str, Any]
STRING: Json = {"type": "string"}


def reference(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def content(schema: Any, media_type: str = "application/json", **media: Any) -> Json:
    return {"required": True, "content": {media_type: {"schema": schema, **media}}}


SCHEMAS: Json = {
    "Tree": {
        "type": "object",
        "required": ["name"],
        "properties": {"name": STRING, "children": {"type": "array", "items": reference("Tree")}},
    },
    "Expression": {
        "oneOf": [reference("Literal"), reference("Operation")],
        "discriminator": {"propertyName": "kind", "mapping": {"literal": "#/components/schemas/Literal"}},
    },
    "Literal": {"type": "object", "required": ["kind"], "properties": {"kind": STRING, "value": {"type": "number"}}},
    "Operation": {
        "type": "object",
        "required": ["kind", "left", "right"],
        "properties": {
            "kind": STRING,
            "operator": {"type": "string", "enum": ["+", "-", "", "*"]},
            "left": reference("Expression"),
            "right": reference("Expression"),
        },
    },
    "Animal": {
        "type": "object",
        "required": ["species"],
        "properties": {"species": STRING, "id": {"type": "integer", "format": "int64", "readOnly": True}},
        "discriminator": {"propertyName": "species"},
    },
    "Bird": {
        "allOf": [reference("Animal"), {"properties": {"wings": {"type": "integer", "minimum": 0, "maximum": 2}}}]
    },
    "Fish": {"allOf": [reference("Animal"), {"required": ["fins"], "properties": {"fins": {"type": "integer"}}}]},
    "Odd.Name/With~Signs": {"type": "string", "enum": ["a", "b"]},
    "Base": {
        "type": "object",
        "required": ["a"],
        "properties": {"a": STRING, "note": {"type": "string", "maxLength": 20}},
    },
    "Extended": {
        "description": "More than Base.",
        "allOf": [
            reference("Base"),
            {
                "type": "object",
                "properties": {"note": {"type": "string", "minLength": 1}, "parent": reference("Extended")},
            },
        ],
    },
    "Free": {"type": "object", "additionalProperties": True},
    "Map": {"type": "object", "additionalProperties": reference("Base")},
    "Awkward": {
        "type": "object",
        "properties": {
            "filter[name]": STRING,
            "filter_name": STRING,
            "$top": {"type": "integer", "format": "int32", "minimum": 1},
            "@type": {"type": "string", "format": "uri"},
            "größe": {"type": "number", "exclusiveMinimum": True, "minimum": 0},
            "with space": {"type": "boolean"},
            "x" * 70: STRING,
        },
    },
    "Either": {
        "type": "object",
        "properties": {
            "email": {"type": "string", "format": "email"},
            "phone": {"type": "string", "pattern": r"^\+[0-9]{6,15}$"},
        },
        "anyOf": [{"required": ["email"]}, {"required": ["phone"]}],
    },
    "Both": {
        "type": "object",
        "required": ["id"],
        "properties": {"id": STRING},
        "oneOf": [
            {"type": "object", "required": ["card"], "properties": {"card": STRING}},
            {"type": "object", "required": ["iban"], "properties": {"iban": STRING}},
        ],
    },
    "Nothing": {},
    "Large": {"type": "integer", "maximum": 2**64},
    "Flags": {
        "type": "object",
        "properties": {"on": {"type": "boolean", "enum": [True]}, "level": {"type": "integer", "enum": [1, 2]}},
    },
    "Nullable": {
        "type": "object",
        "required": ["a", "b"],
        "properties": {
            "a": {"type": "string", "nullable": True},
            "b": {"nullable": True, "allOf": [reference("Base")]},
            "c": {"type": "string", "enum": ["x", None], "nullable": True},
        },
    },
    "Unique": {"type": "array", "items": STRING, "uniqueItems": True, "minItems": 1, "maxItems": 3},
    "Deep": {
        "type": "object",
        "properties": {"l1": {"type": "object", "properties": {"l2": {"type": "object", "properties": {}}}}},
    },
}
for _level in range(12):
    SCHEMAS[f"Level{_level}"] = {
        "type": "object",
        "properties": {"below": reference(f"Level{_level + 1}") if _level < 11 else STRING, "own": {"type": "integer"}},
        "additionalProperties": False,
    }

BODIES = [*SCHEMAS]
ARRAY: Json = {"type": "array", "items": {"type": "integer"}}
OBJECT: Json = {"type": "object", "properties": {"a": {"type": "integer"}, "b": STRING}}


def _bodies() -> Json:
    paths: Json = {}
    for number, name in enumerate(BODIES):
        escaped = name.replace("~", "~0").replace("/", "~1")
        paths[f"/bodies/{number}"] = {
            "post": {"operationId": f"{name}:{number}", "requestBody": content(reference(escaped))}
        }
    return paths


OPENAPI_3_0: Json = {
    "openapi": "3.0.3",
    "info": {"title": "Hard cases", "version": "1"},
    "servers": [{"url": "/v1"}],
    "components": {"schemas": SCHEMAS},
    "paths": {
        **_bodies(),
        "/items/{id}/parts/{part}": {
            "parameters": [
                {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}},
                {"name": "part", "in": "path", "required": True, "schema": ARRAY},
            ],
            "get": {
                "parameters": [
                    {"name": "ids", "in": "query", "schema": ARRAY},
                    {"name": "csv", "in": "query", "explode": False, "schema": ARRAY},
                    {"name": "pipes", "in": "query", "style": "pipeDelimited", "explode": False, "schema": ARRAY},
                    {"name": "deep", "in": "query", "style": "deepObject", "explode": True, "schema": OBJECT},
                    {"name": "json", "in": "query", "content": {"application/json": {"schema": OBJECT}}},
                    {"name": "X-List", "in": "header", "schema": ARRAY},
                    {"name": "flag", "in": "cookie", "schema": {"type": "boolean"}},
                    {
                        "name": "sort",
                        "in": "query",
                        "required": True,
                        "schema": {"type": "string", "enum": ["asc", "desc"]},
                    },
                ]
            },
            "delete": {},
        },
        "/form": {
            "post": {
                "requestBody": content(
                    {
                        "type": "object",
                        "required": ["a"],
                        "properties": {"a": STRING, "n": {"type": "integer"}, "l": ARRAY},
                    },
                    "application/x-www-form-urlencoded",
                )
            }
        },
        "/upload": {
            "post": {
                "requestBody": content(
                    {
                        "type": "object",
                        "required": ["file"],
                        "properties": {"file": {"type": "string", "format": "binary"}, "note": STRING},
                    },
                    "multipart/form-data",
                )
            }
        },
        "/raw": {"put": {"requestBody": content({"type": "string", "format": "binary"}, "application/octet-stream")}},
        "/text": {"put": {"requestBody": content(STRING, "text/plain")}},
        "/none": {"get": {}, "head": {}},
    },
}

OPENAPI_3_1: Json = {
    "openapi": "3.1.0",
    "info": {"title": "Hard cases of 3.1", "version": "1"},
    "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
    "paths": {
        "/a": {
            "post": {
                "requestBody": content(
                    {
                        "type": "object",
                        "properties": {
                            "type_list": {"type": ["string", "integer", "null"]},
                            "constant": {"const": "fixed"},
                            "tuple": {
                                "type": "array",
                                "prefixItems": [STRING, {"type": "integer"}],
                                "items": False,
                                "minItems": 2,
                            },
                            "named": {"oneOf": [{"const": 1, "title": "one"}, {"const": 2, "title": "two"}]},
                            "not": {"not": {"const": "x"}},
                            "pattern": {"type": "object", "patternProperties": {"^x-": STRING}},
                            "bounds": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
                            "ref": {"$ref": "#/components/schemas/S", "description": "Beside a reference."},
                            "conditional": {
                                "type": "object",
                                "properties": {"k": {"enum": ["a", "b"]}, "v": STRING},
                                "if": {"properties": {"k": {"const": "a"}}},
                                "then": {"required": ["v"]},
                            },
                            "dynamic": {"$dynamicRef": "#node"},
                        },
                        "required": ["constant", "ref"],
                        "unevaluatedProperties": False,
                    }
                )
            }
        }
    },
    "components": {
        "schemas": {
            "S": {"type": "object", "properties": {"n": {"$ref": "#/components/schemas/N"}}, "required": ["n"]},
            "N": {
                "$dynamicAnchor": "node",
                "type": "object",
                "properties": {"next": {"$dynamicRef": "#node"}, "v": STRING},
            },
        }
    },
}

SWAGGER_2_0: Json = {
    "swagger": "2.0",
    "info": {"title": "Hard cases of Swagger", "version": "1"},
    "basePath": "/v1",
    "consumes": ["application/json"],
    "definitions": json.loads(json.dumps(SCHEMAS).replace("#/components/schemas/", "#/definitions/")),
    "parameters": {"Limit": {"name": "limit", "in": "query", "type": "integer", "maximum": 100}},
    "paths": {
        **{
            f"/bodies/{number}": {
                "post": {
                    "parameters": [
                        {
                            "name": "body",
                            "in": "body",
                            "schema": {"$ref": f"#/definitions/{name.replace('~', '~0').replace('/', '~1')}"},
                        }
                    ]
                }
            }
            for number, name in enumerate(BODIES)
        },
        "/things/{id}": {
            "parameters": [
                {"name": "id", "in": "path", "required": True, "type": "string"},
                {"$ref": "#/parameters/Limit"},
            ],
            "get": {
                "parameters": [
                    {"name": "tags", "in": "query", "type": "array", "items": STRING, "collectionFormat": "multi"}
                ]
            },
            "post": {
                "consumes": ["multipart/form-data"],
                "parameters": [
                    {"name": "file", "in": "formData", "type": "file", "required": True},
                    {"name": "note", "in": "formData", "type": "string"},
                ],
            },
        },
    },
}

ALL = {"3.0": OPENAPI_3_0, "3.1": OPENAPI_3_1, "2.0": SWAGGER_2_0}
