"""Gemini's dialect."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from agent_builder.jsontext import encode
from agent_builder.messages import Json
from agent_builder.tools.subschemas import children
from agent_builder.tools.vendor_schemas.words import alternatives, every, hint, kinds_of, resolved, with_hint

_GOOGLE_WORDS = frozenset(
    "type format description enum anyOf properties required additionalProperties items prefixItems minItems maxItems "
    "minimum maximum $ref".split()
)
_MAX_INT64 = 2**63 - 1


class GoogleSchema:
    """Few keywords, nothing beside `$ref`, cycles only where nothing is required."""

    def __init__(self, schema: Json) -> None:
        self._source = schema
        self._definitions: Json = schema.get("$defs", {})
        self._recursive = {name for name in self._definitions if self._reaches(name, name)}

    def whole(self) -> Json:
        """The adapted schema."""
        out = self._schema({word: value for word, value in self._source.items() if word != "$defs"}, root=True)
        definitions: Json = {}
        while missing := [name for name in _referenced(out, definitions) if name not in definitions]:
            for name in missing:
                definitions[name] = self._schema(self._definitions[name])
        return {**out, "$defs": definitions} if definitions else out

    def _schema(self, node: Json, *, root: bool = False) -> Json:
        if isinstance(node.get("$ref"), str):
            return {"$ref": node["$ref"]}
        node = alternatives(node, self._definitions)
        out: Json = {word: value for word, value in node.items() if word in _GOOGLE_WORDS}
        left_out = [word for word in node if word not in _GOOGLE_WORDS]
        left_out += _unsayable(node, out)
        if "const" in node or "enum" in out:
            values = out.pop("enum", [])
            out = _enumerated(out, [node["const"]] if "const" in node else values)
        for word in ("items", "additionalProperties"):
            if isinstance(out.get(word), dict):
                out[word] = self._schema(out[word])
        for word in ("anyOf", "prefixItems"):
            if word in out:
                out[word] = [self._schema(one) for one in out[word]]
        if "properties" in out or "required" in out:
            out |= self._object(out, root=root)
        return with_hint(_one_kind(out), hint(node, left_out))

    def _object(self, node: Json, *, root: bool) -> Json:
        """Properties and what is required of them. A cycle must pass through something that is not required."""
        required: list[str] = []
        properties: Json = {}
        for name, one in node.get("properties", {}).items():
            wanted = name in node.get("required", ())
            if wanted and self._enters_cycle(one):
                if root:
                    one = {**resolved(one, self._definitions)} if "$ref" in one else one
                    required.append(name)
                else:
                    one = with_hint(one, "Required.") if "$ref" not in one else one
            elif wanted:
                required.append(name)
            properties[name] = self._schema(one)
        out: Json = {"properties": properties}
        node.pop("required", None)
        return {**out, "required": required} if required else out

    def _enters_cycle(self, node: Json) -> bool:
        names = {one["$ref"].removeprefix("#/$defs/") for one in _near(node) if isinstance(one.get("$ref"), str)}
        return bool(names & self._recursive)

    def _reaches(self, start: str, goal: str) -> bool:
        seen: set[str] = set()
        waiting = [start]
        while waiting:
            for name in _referenced(self._definitions.get(waiting.pop(), {}), {}):
                if name == goal:
                    return True
                if name not in seen:
                    seen.add(name)
                    waiting.append(name)
        return False


def _near(node: Json) -> Iterator[Json]:
    """The schema and those in it that are not properties of it."""
    yield node
    for word, _, one in children(node):
        if word != "properties":
            yield from _near(one)


def _referenced(schema: Json, definitions: Json) -> list[str]:
    found: dict[str, None] = {}
    for root in (schema, *definitions.values()):
        for one in every(root):
            if isinstance(one.get("$ref"), str):
                found[one["$ref"].removeprefix("#/$defs/")] = None
    return list(found)


def _unsayable(node: Json, out: Json) -> list[str]:
    """Keywords that Google has, with values that it does not take; taken out of `out`."""
    left_out = []
    numeric = {"integer", "number"} & set(kinds_of(node))
    if "format" in out and (numeric or out["format"] not in {"date-time", "date", "time"}):
        if not numeric:
            left_out.append("format")
        del out["format"]
    for word in ("minimum", "maximum"):
        if abs(out.get(word, 0)) > _MAX_INT64:
            left_out.append(word)
            del out[word]
    return left_out


def _enumerated(node: Json, values: list[Any]) -> Json:
    """Google's lists are of texts or numbers, none empty; others become words."""
    sayable = [v for v in values if isinstance(v, str | int | float) and not isinstance(v, bool) and v != ""]
    out = {**node, "enum": sayable} if sayable else node
    if len(sayable) + (None in values) < len(values):
        shown = ", ".join(encode(value) for value in values)
        return with_hint(out, f"One of: {shown[:200]}.")
    return out


def _one_kind(node: Json) -> Json:
    """Several types beside null become alternatives."""
    kinds = kinds_of(node)
    others = [kind for kind in kinds if kind != "null"]
    if len(others) <= 1:
        return node
    words = {word: value for word, value in node.items() if word == "description"}
    branches = [{**_only(node, kind), "type": kind} for kind in kinds]
    return {"anyOf": branches, **words}


_BY_KIND = {
    "object": {"properties", "required", "additionalProperties"},
    "array": {"items", "prefixItems", "minItems", "maxItems"},
    "number": {"minimum", "maximum", "format"},
    "integer": {"minimum", "maximum", "format"},
    "string": {"format", "enum"},
}


def _only(node: Json, kind: str) -> Json:
    return {word: value for word, value in node.items() if word in _BY_KIND.get(kind, set())}
