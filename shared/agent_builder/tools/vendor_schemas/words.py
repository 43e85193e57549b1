"""What several dialects need: hints in words, alternatives without anything beside them."""

from __future__ import annotations

from collections.abc import Iterator

from agent_builder.jsontext import encode
from agent_builder.messages import Json
from agent_builder.tools.subschemas import children

HINT_LENGTH = 240


def every(schema: Json) -> Iterator[Json]:
    """The schema and every schema in it."""
    yield schema
    for _, _, one in children(schema):
        yield from every(one)
    for one in schema.get("$defs", {}).values():
        yield from every(one)


def with_hint(schema: Json, hint: str) -> Json:
    """The schema with more in its description."""
    if not hint:
        return schema
    return {**schema, "description": f"{schema.get('description', '')} {hint}".strip()}


def hint(node: Json, left_out: list[str]) -> str:
    """In words, what a dialect cannot say."""
    said: list[str] = []
    for word in left_out:
        value = node[word]
        if word == "format" and {"integer", "number"} & set(kinds_of(node)):
            continue  # int32 and double say nothing to a model
        if word in _WORDS and isinstance(value, str | int | float):
            said.append(_WORDS[word].format(value if isinstance(value, str) else encode(value)))
        elif word == "uniqueItems":
            said.append("No item twice.")
        elif word == "not" and len(encode(value)) <= 80:
            said.append(f"Not: {encode(value)}.")
    return " ".join(said)[:HINT_LENGTH]


_WORDS = {
    "format": "Format: {}.",
    "pattern": "Matches {} .",
    "minLength": "At least {} characters.",
    "maxLength": "At most {} characters.",
    "minimum": "At least {}.",
    "maximum": "At most {}.",
    "exclusiveMinimum": "More than {}.",
    "exclusiveMaximum": "Less than {}.",
    "multipleOf": "A multiple of {}.",
    "minItems": "At least {} items.",
    "maxItems": "At most {} items.",
    "minProperties": "At least {} properties.",
    "maxProperties": "At most {} properties.",
    "default": "Default: {}.",
}


def kinds_of(node: Json) -> list[str]:
    """Its types, however many."""
    kinds = node.get("type", [])
    return [kinds] if isinstance(kinds, str) else list(kinds)


def alternatives(node: Json, definitions: Json) -> Json:
    """One `anyOf` that says all, where a schema has alternatives beside properties of its own.

    Alternatives that only require different properties become words: no dialect that needs this takes them.
    """
    branches = node.get("anyOf", node.get("oneOf"))
    base = {word: value for word, value in node.items() if word not in {"anyOf", "oneOf"}}
    if not isinstance(branches, list):
        return base
    own = {word: value for word, value in base.items() if word not in {"description", "default", "deprecated"}}
    if own.keys() <= {"type"} and kinds_of(own) in ([], ["object"]) and all(_says_something(one) for one in branches):
        return {**{word: value for word, value in base.items() if word not in own}, "anyOf": branches}
    if not all(_says_something(one) and not one.keys() <= {"required", "type", "not"} for one in branches):
        needed = [", ".join(one["required"]) for one in branches if one.get("required")]
        return with_hint(base, f"Needs one of: {'; '.join(needed)}."[:HINT_LENGTH] if needed else "")
    joined = [_joined(own, resolved(one, definitions)) for one in branches]
    return {**{word: value for word, value in base.items() if word not in own}, "anyOf": joined}


def _says_something(node: Json) -> bool:
    return bool(node.keys() - {"description", "default"})


def resolved(node: Json, definitions: Json) -> Json:
    """The schema behind references; a description beside one wins."""
    seen: set[str] = set()
    while isinstance(node.get("$ref"), str) and node["$ref"] not in seen:
        seen.add(node["$ref"])
        node = {**definitions.get(node["$ref"].removeprefix("#/$defs/"), {}), **words_of(node)}
    return node


def words_of(node: Json) -> Json:
    """Its description alone."""
    return {word: value for word, value in node.items() if word == "description"}


def _joined(own: Json, branch: Json) -> Json:
    out = {**own, **branch}
    if "properties" in own:
        out["properties"] = {**own["properties"], **branch.get("properties", {})}
    required = list(dict.fromkeys([*own.get("required", ()), *branch.get("required", ())]))
    return {**out, "required": required} if required else out
