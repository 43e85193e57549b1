"""The plain keywords of a schema, from three dialects and common mistakes to JSON Schema 2020-12."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import jsonschema_rs

from agent_builder.jsontext import encode
from agent_builder.messages import Json
from agent_builder.tools.openapi.notes import Note, changed, info

TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")
_MISNAMED = {
    "bool": "boolean",
    "int": "integer",
    "int32": "integer",
    "int64": "integer",
    "long": "integer",
    "float": "number",
    "double": "number",
    "decimal": "number",
    "str": "string",
    "text": "string",
    "date": "string",
    "datetime": "string",
    "date-time": "string",
    "uuid": "string",
    "byte": "string",
    "binary": "string",
    "file": "string",
    "enum": "string",
    "list": "array",
    "dict": "object",
    "map": "object",
    "json": "object",
}
_ARRAY_WORDS = ("items", "prefixItems", "minItems", "maxItems", "uniqueItems")
_SIZES = (
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "minContains",
    "maxContains",
)
_NAMED_VALUE = frozenset({"const", "description", "type", "deprecated"})
_EXAMPLE_LENGTH = 60
_LONE_BRACE = re.compile(r"(?<!\\)(?:\{(?!\d+(?:,\d*)?\})|(?<!\d)(?<!\d,)\})")
_DEFAULT_BYTES = 200
DESCRIPTION_LENGTH = 1_000


def plain_keywords(schema: Json, notes: list[Note]) -> Json:
    """All keywords that hold no schema, `type` first."""
    types = _types(schema, notes)
    out: Json = {}
    if types:
        out["type"] = types[0] if len(types) == 1 else types
    if format_ := _format(schema):
        out["format"] = format_
    out |= _values(schema, types, notes) | _bounds(schema) | _pattern(schema, notes)
    for word in ("uniqueItems", "deprecated"):
        if schema.get(word) is True:
            out[word] = True
    for word in ("contentEncoding", "contentMediaType"):
        if isinstance(schema.get(word), str):
            out[word] = schema[word]
    if isinstance(schema.get("dependentRequired"), dict):
        out["dependentRequired"] = {k: names(v) for k, v in schema["dependentRequired"].items()}
    if text := description(schema, out):
        out["description"] = text
    return out


def fold_named_values(schema: Json) -> None:
    """Turn alternatives that are single values with a description each into one `enum` that explains them."""
    for word in ("oneOf", "anyOf"):
        branches = schema.get(word)
        if not branches or not all("const" in one and one.keys() <= _NAMED_VALUE for one in branches):
            continue
        allowed = schema.get("enum")
        known = [one for one in branches if allowed is None or one["const"] in allowed]
        del schema[word]
        schema["enum"] = [one["const"] for one in known] if known else allowed
        said = "; ".join(f"{encode_any(one['const'])}: {one['description']}" for one in known if "description" in one)
        schema["description"] = f"{schema.get('description', '')} {said}".strip()[:DESCRIPTION_LENGTH]


def nullable(schema: Json) -> bool:
    """Whether a schema of 2.0 or 3.0 takes null besides what it says."""
    return schema.get("nullable") is True or schema.get("x-nullable") is True


def names(value: Any) -> list[str]:
    """A list of texts, each once; a single text counts as a list of one."""
    found = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    return list(dict.fromkeys(name for name in found if isinstance(name, str)))


def _types(schema: Json, notes: list[Note]) -> list[str]:
    said = schema.get("type")
    found: list[str] = []
    for name in said if isinstance(said, list) else [said] if said is not None else []:
        known = _known_type(name)
        if known is None:
            notes.append(changed("unknown_type", f"The type {str(name)[:40]!r} does not exist; any value is taken."))
            return []
        found.append(known)
    if not found and said is None:
        found = _implied(schema)
    if found and nullable(schema) and "null" not in found:
        found.append("null")
    return list(dict.fromkeys(found))


def _known_type(name: Any) -> str | None:
    if not isinstance(name, str):
        return "null" if name is None else None
    lower = name.strip().lower()
    return lower if lower in TYPES else _MISNAMED.get(lower)


def _implied(schema: Json) -> list[str]:
    if schema.get("properties") or "additionalProperties" in schema:
        return ["object"]
    return ["array"] if any(word in schema for word in _ARRAY_WORDS) else []


def _format(schema: Json) -> str | None:
    said = schema.get("format")
    if isinstance(said, str) and said:
        return said[:40]
    return "binary" if schema.get("type") == "file" else None


def _values(schema: Json, types: list[str], notes: list[Note]) -> Json:
    out: Json = {}
    if isinstance(schema.get("enum"), list) and not enum_of_items(schema, types):
        values = _enumeration(schema["enum"], types, notes)
        if nullable(schema) and types and None not in values and values:
            values.append(None)
        if values:
            out["enum"] = values
    if "const" in schema:
        out["const"] = schema["const"]
    default = schema.get("default")
    if default is not None and len(encode_any(default)) <= _DEFAULT_BYTES:
        out["default"] = default
    return out


def enum_of_items(schema: Json, types: list[str]) -> bool:
    """Whether an `enum` beside `type: array` lists what its items may be, a common slip."""
    values = schema.get("enum")
    return types == ["array"] and isinstance(values, list) and not any(isinstance(one, list) for one in values)


def _enumeration(said: list[Any], types: list[str], notes: list[Note]) -> list[Any]:
    values: list[Any] = []
    seen: set[str] = set()
    for value in said:
        fitting, fits = _fitting(value, types)
        key = encode_any(fitting)
        if not fits:
            notes.append(info("enum_value", f"An allowed value is not of the described type: {key[:40]}."))
        elif key not in seen:
            seen.add(key)
            values.append(fitting)
    return values


def _fitting(value: Any, types: list[str]) -> tuple[Any, bool]:
    """The value as one of the types: YAML turns `1` and `true` into numbers and truth values where text was meant."""
    if not types or type_of(value) in types or (type_of(value) == "integer" and "number" in types):
        return value, True
    if "string" in types and isinstance(value, bool | int | float):
        return encode_any(value), True
    if isinstance(value, str) and {"integer", "number"} & set(types):
        try:
            number = float(value) if "number" in types and not value.lstrip("-").isdigit() else int(value)
        except ValueError:
            return value, False
        return number, not math.isinf(number)
    return value, False


def type_of(value: Any) -> str:
    """JSON Schema's word for the type of a JSON value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "number"
    return "string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"


def _bounds(schema: Json) -> Json:
    out: Json = {}
    for word in _SIZES:
        size = _number(schema.get(word))
        if size is not None and size >= 0 and size == int(size):
            out[word] = int(size)
    for word, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        bound, other = _number(schema.get(word)), schema.get(exclusive)
        if bound is not None:
            out[exclusive if other is True else word] = bound
        if not isinstance(other, bool) and (limit := _number(other)) is not None:
            out[exclusive] = limit
    step = _number(schema.get("multipleOf"))
    if step is not None and step > 0:
        out["multipleOf"] = step
    return out


def _number(value: Any) -> int | float | None:
    if isinstance(value, str):
        try:
            value = float(value) if re.search(r"[.eE]", value) else int(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return value


def _pattern(schema: Json, notes: list[Note]) -> Json:
    said = schema.get("pattern")
    if not isinstance(said, str) or not said:
        return {}
    if len(said) > 2 and said[0] == said[-1] == "/" and "/" not in said[1:-1].replace("\\/", ""):
        said = said[1:-1]  # written as a literal of JavaScript
    # JavaScript takes a brace that begins no repetition as itself; stricter engines want it escaped.
    for pattern in (said, _LONE_BRACE.sub(r"\\\g<0>", said)):
        if usable_pattern(pattern):
            return {"pattern": pattern}
    notes.append(changed("pattern", f"The pattern {said[:60]!r} is no ECMA regular expression; it is not checked."))
    return {}


@lru_cache(maxsize=2_000)
def usable_pattern(pattern: str) -> bool:
    """Whether the validator can compile it."""
    if len(pattern) > 2_000:
        return False
    try:
        jsonschema_rs.Draft202012Validator({"pattern": pattern})
    except (ValueError, jsonschema_rs.ValidationError):
        return False
    return True


def description(schema: Json, plain: Json) -> str:
    """What a model reads of a value: the description or else the title, and an example where nothing else shows one."""
    text = clean(schema.get("description")) or clean(schema.get("title"))
    if "enum" not in plain and "const" not in plain and "default" not in plain:
        example = _example(schema)
        if example and example not in text:
            text = f"{text} Example: {example}".strip()
    return text[:DESCRIPTION_LENGTH]


def clean(text: Any) -> str:
    """One line without HTML tags and needless blanks."""
    if not isinstance(text, str):
        return ""
    if "<" in text:
        text = re.sub(r"</?[a-zA-Z][^<>]{0,500}>", " ", text)
    return " ".join(text.split())


def _example(schema: Json) -> str:
    said = schema.get("examples")
    candidates: Iterable[Any] = said if isinstance(said, list) else (schema.get("example"), schema.get("x-example"))
    for value in candidates:
        if isinstance(value, str | int | float) and not isinstance(value, bool) and value != "":
            text = str(value)
            if len(text) <= _EXAMPLE_LENGTH and "\n" not in text:
                return text
    return ""


def encode_any(value: Any) -> str:
    """Compact JSON of anything that came out of a document."""
    return encode(value) if not isinstance(value, float) or math.isfinite(value) else "null"
