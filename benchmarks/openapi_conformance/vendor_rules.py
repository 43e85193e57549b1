"""What the vendors refuse in a tool's schema, written from their documentation and their errors, as a list of faults.

Knows nothing of the code that adapts schemas: the two were written apart, and a test holds one against the other.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs

Json = dict[str, Any]

GOOGLE_KEYWORDS = {
    *("$defs", "$ref", "type", "format", "title", "description", "enum", "items", "prefixItems", "minItems"),
    *("maxItems", "minimum", "maximum", "anyOf", "oneOf", "properties", "additionalProperties", "required"),
}
STRICT_KEYWORDS = {
    *("$defs", "$ref", "type", "description", "title", "enum", "const", "anyOf", "properties", "required"),
    *("additionalProperties", "items", "pattern", "format", "multipleOf", "minimum", "maximum"),
    *("exclusiveMinimum", "exclusiveMaximum", "minItems", "maxItems"),
}
STRICT_FORMATS = {"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"}


def name_faults(name: str) -> list[str]:
    """Names of tools: OpenAI and Anthropic take these characters; Google wants a letter or underscore first."""
    return [] if re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_-]{0,63}", name) else [f"name {name!r}"]


def faults(schema: Json, vendor: str, *, strict: bool = False) -> list[str]:
    """What the vendor objects to; empty where it takes the schema."""
    found = [*_common(schema)]
    if vendor == "anthropic":
        found += _anthropic(schema)
    elif vendor == "google":
        found += _google(schema)
    elif vendor == "openai":
        found += _openai(schema)
        if strict:
            found += _strict(schema)
    return found


def _common(schema: Json) -> Iterator[str]:
    try:
        jsonschema_rs.meta.validate({**schema, "$schema": "https://json-schema.org/draft/2020-12/schema"})
    except (jsonschema_rs.ValidationError, ValueError) as error:
        yield f"no JSON Schema: {str(error)[:200]}"
    if schema.get("type") != "object" or not isinstance(schema.get("properties"), dict):
        yield "the root is no object with properties"
    for word in {"anyOf", "oneOf", "allOf", "enum", "not"} & schema.keys():
        yield f"{word} at the root"
    definitions = schema.get("$defs", {})
    for where, node in nodes(schema):
        reference = node.get("$ref")
        if reference is not None and reference.removeprefix("#/$defs/") not in definitions:
            yield f"{where}: {reference} leads nowhere"
        if "enum" in node and (not node["enum"] or len({json.dumps(v) for v in node["enum"]}) != len(node["enum"])):
            yield f"{where}: an enum is empty or says something twice"
        for word in node:
            if word.startswith("x-") or word in {"nullable", "example", "discriminator", "xml", "externalDocs"}:
                yield f"{where}: {word} is no JSON Schema"


def nodes(schema: Json, where: str = "#") -> Iterator[tuple[str, Json]]:
    """Every schema in a schema, with the place where it stands."""
    yield where, schema
    for word in ("properties", "patternProperties", "$defs", "dependentSchemas"):
        for key, one in schema.get(word, {}).items():
            if isinstance(one, dict):
                yield from nodes(one, f"{where}/{word}/{key}")
    for word in ("anyOf", "oneOf", "allOf", "prefixItems"):
        for index, one in enumerate(schema.get(word, [])):
            if isinstance(one, dict):
                yield from nodes(one, f"{where}/{word}/{index}")
    for word in ("items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames"):
        if isinstance(schema.get(word), dict):
            yield from nodes(schema[word], f"{where}/{word}")


def _kinds(node: Json) -> list[str]:
    kinds = node.get("type", [])
    return [kinds] if isinstance(kinds, str) else kinds


def _anthropic(schema: Json) -> Iterator[str]:
    for where, node in nodes(schema):
        for key in node.get("properties", {}):
            if not re.fullmatch(r"[a-zA-Z0-9_.-]{1,64}", key):
                yield f"{where}: property {key!r}"


def _openai(schema: Json) -> Iterator[str]:
    for where, node in nodes(schema):
        if "array" in _kinds(node) and not {"items", "prefixItems"} & node.keys():
            yield f"{where}: an array without items"


def _strict(schema: Json) -> Iterator[str]:
    for where, node in nodes(schema):
        yield from (f"{where}: {fault}" for fault in _strict_node(node))
    definitions = schema.get("$defs", {})
    every = [node for _, node in nodes(schema)]
    names = [name for node in every for name in node.get("properties", {})]
    values = [str(value) for node in every for value in node.get("enum", [])]
    characters = sum(map(len, [*names, *values, *definitions]))
    if len(names) > 5_000 or len(values) > 1_000 or characters > 120_000:
        yield f"too large: {len(names)} properties, {len(values)} values, {characters} characters"
    deepest = max(_levels(one) for one in (schema, *definitions.values()))
    if deepest > 10:
        yield f"{deepest} levels"


def _strict_node(node: Json) -> Iterator[str]:
    if "$ref" in node and node.keys() != {"$ref"}:
        yield "words beside $ref"
    yield from (f"{word} is not supported" for word in node.keys() - STRICT_KEYWORDS)
    if node.get("format", "date") not in STRICT_FORMATS:
        yield f"format {node['format']}"
    if "(?" in node.get("pattern", ""):
        yield "look-around in a pattern"
    if not node.keys() & {"type", "enum", "const", "anyOf", "$ref"}:
        yield "no type"
    if "object" in _kinds(node) and node.get("additionalProperties") is not False:
        yield "additionalProperties is not false"
    if "object" in _kinds(node) and set(node.get("required", [])) != set(node.get("properties", {})):
        yield "not all properties are required"
    if len(node.get("enum", [])) > 250 and sum(len(str(value)) for value in node["enum"]) > 15_000:
        yield "a very long enum"


def _levels(node: Json) -> int:
    inner = [one for word in ("properties",) for one in node.get(word, {}).values()]
    inner += [*node.get("anyOf", [])] + ([node["items"]] if isinstance(node.get("items"), dict) else [])
    return ("object" in _kinds(node)) + max(map(_levels, inner), default=0)


def _google(schema: Json) -> Iterator[str]:
    for where, node in nodes(schema):
        yield from (f"{where}: {fault}" for fault in (*_google_words(node), *_google_values(node)))
    definitions = schema.get("$defs", {})
    edges = {name: set(_needed(one)) for name, one in definitions.items()}
    for start in edges:
        seen: set[str] = set()
        waiting = [start]
        while waiting:
            further = edges.get(waiting.pop(), set()) - seen
            seen |= further
            waiting += further
        if start in seen:
            yield f"{start} needs itself"


def _google_words(node: Json) -> Iterator[str]:
    yield from (f"{word} is not supported" for word in node.keys() - GOOGLE_KEYWORDS)
    if "$ref" in node and not all(word.startswith("$") for word in node):
        yield "words beside $ref"
    if "anyOf" in node and node.keys() - {"anyOf", "description", "title", "$defs"}:
        yield f"{sorted(node)} beside anyOf"
    if len([kind for kind in _kinds(node) if kind != "null"]) > 1:
        yield "several types"
    for name in set(node.get("required", [])) - set(node.get("properties", {})):
        yield f"required {name!r} is not among the properties"


def _google_values(node: Json) -> Iterator[str]:
    for value in node.get("enum", []):
        if isinstance(value, bool) or not isinstance(value, str | int | float) or value == "":
            yield f"{value!r} in an enum"
    if "string" in _kinds(node) and node.get("format", "date") not in {"date-time", "date", "time"}:
        yield f"format {node['format']} of a string"
    for word in ("minimum", "maximum"):
        if abs(node.get(word, 0)) > 2**63 - 1:
            yield f"{word} is too large"


def _needed(node: Json) -> Iterator[str]:
    """Definitions that a value of this schema cannot do without."""
    if "$ref" in node:
        yield node["$ref"].removeprefix("#/$defs/")
    below = [one for key, one in node.get("properties", {}).items() if key in node.get("required", [])]
    below += [*node.get("anyOf", []), *node.get("prefixItems", [])]
    below += [node[word] for word in ("items", "additionalProperties") if isinstance(node.get(word), dict)]
    for one in below:
        yield from _needed(one)
