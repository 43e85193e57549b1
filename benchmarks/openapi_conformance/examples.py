"""Arguments that a schema takes, made up: the smallest, the fullest, and any number of random ones."""

from __future__ import annotations

import json
import random
import re
from importlib import import_module
from typing import Any

import jsonschema_rs

Json = dict[str, Any]
_patterns = import_module("re._parser")  # the standard library's own reader of regular expressions

FORMATS = {
    "date-time": "2024-02-29T12:30:00Z",
    "date": "2024-02-29",
    "time": "12:30:00",
    "duration": "P3D",
    "email": "ada@example.test",
    "idn-email": "ada@example.test",
    "hostname": "host.example.test",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.test/a",
    "url": "https://example.test/a",
    "uri-reference": "/a",
    "iri": "https://example.test/a",
    "uuid": "3fa85f64-5717-4562-b3fc-2c963f66afa6",
    "byte": "aGVsbG8=",
    "binary": "aGVsbG8=",
    "json-pointer": "/a/0",
    "regex": "a+",
    "unix-time": "1700000000",
}
TEXTS = ("text", "two words", "a/b?c=d&e=f", "100%", "Grüße, 東京", '"quoted"', "a;b,c|d", "x" * 40, "[1]", "true", "0")
# How the import describes a value whose details it left out: a made-up one would mean nothing.
PRUNED = "Any value of this kind; see the API's documentation."
_DEPTH = 6


class CannotMake(Exception):
    """No value was found that the schema takes."""


class Examples:
    """Makes arguments for one schema."""

    def __init__(self, schema: Json, seed: int = 0) -> None:
        self._schema = schema
        self._definitions: Json = schema.get("$defs", {})
        self._valid = jsonschema_rs.Draft202012Validator(schema, retriever=_never)
        self._random = random.Random(seed)  # noqa: S311
        self._fill = 0.0
        self._wild = False

    def make(self, fill: float, *, wild: bool = False, tries: int = 40) -> Json:
        """Arguments with about this share (0 to 1) of what is optional.

        Args:
            wild: Texts with characters that have to be escaped.

        Raises:
            CannotMake: None of the tries fits the schema.
        """
        self._wild = wild
        for attempt in range(tries):
            self._fill = fill if attempt < tries // 2 else fill / 2
            try:
                value = self._value(self._schema, 0, attempt)
            except CannotMake:
                continue
            if isinstance(value, dict) and self._valid.is_valid(value):
                return value
        raise CannotMake(json.dumps(self._schema)[:300])

    def _value(self, schema: Json, depth: int, attempt: int) -> Any:
        if depth > 40:
            raise CannotMake("endless")
        schema = self._plain(schema, attempt)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            fitting = [value for value in schema["enum"] if value is not None] or schema["enum"]
            return self._random.choice(fitting) if attempt or self._fill else fitting[0]
        kinds = schema.get("type", "string" if "pattern" in schema or "minLength" in schema else None)
        if isinstance(kinds, list):
            kinds = self._random.choice([kind for kind in kinds if kind != "null"] or ["null"])
        make = {
            "object": self._object,
            "array": self._array,
            "string": self._string,
            "integer": self._number,
            "number": self._number,
        }.get(str(kinds))
        if make:
            return make(schema, depth, attempt)
        if kinds == "boolean":
            return self._random.random() < 0.5
        return None if kinds == "null" else "any"

    def _plain(self, schema: Json, attempt: int) -> Json:
        """The schema behind references, with one of its alternatives chosen."""
        for _ in range(50):
            words = {word: value for word, value in schema.items() if word not in {"$ref", "anyOf", "oneOf", "allOf"}}
            if "$ref" in schema:
                schema = _joined(words, self._definitions[schema["$ref"].removeprefix("#/$defs/")])
            elif "anyOf" in schema or "oneOf" in schema:
                branches: list[Json] = schema.get("oneOf") or schema["anyOf"]
                rest = branches if attempt > 10 else [one for one in branches if one != {"type": "null"}] or branches
                chosen = rest[0] if attempt == 0 else self._random.choice(rest)
                if "oneOf" in schema and "anyOf" in schema:
                    words["anyOf"] = schema["anyOf"]
                if "allOf" in schema:
                    words["allOf"] = schema["allOf"]
                schema = _joined(words, chosen)
            elif "allOf" in schema:
                for one in schema["allOf"]:
                    words = _joined(words, one)
                schema = words
            else:
                return schema
        raise CannotMake("references without end")

    def _object(self, schema: Json, depth: int, attempt: int) -> Json:
        required = schema.get("required", [])
        out: Json = {}
        for name, one in schema.get("properties", {}).items():
            known = not str(one.get("description", "")).endswith(PRUNED)
            if name in required or (known and depth < _DEPTH and self._random.random() < self._fill):
                out[name] = self._value(one, depth + 1, attempt)
        for name in required:
            out.setdefault(name, "any")
        extra = schema.get("additionalProperties", {})
        wanted = schema.get("minProperties", 0)
        for name, one in schema.get("properties", {}).items():
            if len(out) < wanted:
                out.setdefault(name, self._value(one, depth + 1, attempt))
        if extra is not False and len(out) < max(wanted, 1 if isinstance(extra, dict) and self._fill > 0 else 0):
            for number in range(max(wanted, 1)):
                out[f"key{number}"] = self._value(extra if isinstance(extra, dict) else {}, depth + 1, attempt)
        return out

    def _array(self, schema: Json, depth: int, attempt: int) -> list[Any]:
        least, most = schema.get("minItems", 0), schema.get("maxItems", 3)
        count = max(least, min(most, 0 if depth >= _DEPTH else 1 + (attempt + int(self._fill * 2)) % 2))
        heads = schema.get("prefixItems", [])
        items = schema.get("items", {})
        if items is False:
            count = min(count, len(heads))
        out: list[Any] = []
        for index in range(count):
            one = heads[index] if index < len(heads) else items if isinstance(items, dict) else {}
            value = self._value(one, depth + 1, attempt + index)
            if not (schema.get("uniqueItems") and value in out):
                out.append(value)
        return out

    def _string(self, schema: Json, depth: int, attempt: int) -> str:
        least, most = schema.get("minLength", 0), schema.get("maxLength", 10_000)
        if "pattern" in schema:
            return self._matching(schema["pattern"], least, most)
        if schema.get("format") in FORMATS:
            return FORMATS[schema["format"]]
        text = self._random.choice(TEXTS) if self._wild else TEXTS[0]
        return (text * (1 + least // len(text)) if len(text) < least else text)[:most]

    def _number(self, schema: Json, depth: int, attempt: int) -> int | float:
        step = schema.get("multipleOf", 1)
        low = schema.get("minimum", schema.get("exclusiveMinimum", None))
        high = schema.get("maximum", schema.get("exclusiveMaximum", None))
        value: int | float = 1 if low is None else low
        if high is not None and value > high:
            value = high
        if "exclusiveMinimum" in schema and value <= schema["exclusiveMinimum"]:
            value = schema["exclusiveMinimum"] + (step if high is None or high - value > 1 else (high - value) / 2)
        if "exclusiveMaximum" in schema and value >= schema["exclusiveMaximum"]:
            value = schema["exclusiveMaximum"] - step
        if "multipleOf" in schema:
            value = -(-value // step) * step
        return int(value) if schema.get("type") == "integer" or float(value).is_integer() else value

    def _matching(self, pattern: str, least: int, most: int) -> str:
        for _ in range(30):
            try:
                text = _Pattern(pattern, self._random, least, most).text()
            except (re.error, CannotMake, KeyError, IndexError, OverflowError):
                break
            if least <= len(text) <= most and jsonschema_rs.is_valid({"pattern": pattern}, text):
                return text
        for text in (*FORMATS.values(), "1", "12", "123456", "a", "abc", "ABC", "AB", "US", "1.0", "a_b", "en-US"):
            if least <= len(text) <= most and jsonschema_rs.is_valid({"pattern": pattern}, text):
                return text
        raise CannotMake(pattern)


class _Pattern:
    """A text that a regular expression matches, mostly."""

    def __init__(self, pattern: str, rng: random.Random, least: int, most: int) -> None:
        self._tree = _patterns.parse(
            pattern.replace(r"\p{L}", "a-z").replace(r"\d", "[0-9]") if "\\p" in pattern else pattern
        )
        self._random = rng
        self._room = min(most, least + 8)
        self._least = least

    def text(self) -> str:
        return "".join(self._one(str(op), value) for op, value in self._tree)

    def _all(self, items: Any) -> str:
        return "".join(self._one(str(op), value) for op, value in items)

    def _one(self, op: str, value: Any) -> str:
        if op == "LITERAL":
            return chr(value)
        if op == "NOT_LITERAL":
            return "a" if value != ord("a") else "b"
        if op == "ANY":
            return "x"
        if op == "IN":
            return self._set(value)
        if op in {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}:
            low, high, items = value
            wanted = low + 1 if self._least <= low else self._least
            return "".join(self._all(items) for _ in range(max(low, min(int(high), wanted))))
        if op == "SUBPATTERN":
            return self._all(value[3])
        if op == "BRANCH":
            return self._all(self._random.choice(value[1]))
        if op in {"AT", "ASSERT", "ASSERT_NOT"}:
            return ""
        raise CannotMake(op)

    def _set(self, items: Any) -> str:
        if str(items[0][0]) == "NEGATE":
            return next(c for c in "aZ0_-x." if not any(_in(c, str(op), v) for op, v in items[1:]))
        op, value = self._random.choice(list(items))
        if str(op) == "RANGE":
            return chr(self._random.randint(value[0], min(value[1], value[0] + 25)))
        if str(op) == "CATEGORY":
            return {"CATEGORY_DIGIT": "7", "CATEGORY_SPACE": " ", "CATEGORY_WORD": "w"}.get(str(value), "-")
        return chr(value)


def _in(char: str, op: str, value: Any) -> bool:
    if op == "RANGE":
        return bool(value[0] <= ord(char) <= value[1])
    if op == "CATEGORY":
        return {"CATEGORY_DIGIT": char.isdigit(), "CATEGORY_SPACE": char.isspace()}.get(str(value), char.isalnum())
    return bool(ord(char) == value)


def _joined(first: Json, second: Json) -> Json:
    out = {**second, **first}
    if "properties" in first and "properties" in second:
        both = first["properties"].keys() & second["properties"].keys()
        out["properties"] = {**first["properties"], **second["properties"]}
        for name in both:
            out["properties"][name] = _joined(first["properties"][name], second["properties"][name])
    if "required" in first and "required" in second:
        out["required"] = list(dict.fromkeys([*first["required"], *second["required"]]))
    return out


def _never(uri: str) -> Any:
    raise ValueError(uri)
