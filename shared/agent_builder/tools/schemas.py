"""Checks of JSON Schemas and of arguments against them. Nothing is ever fetched, and no pattern takes long."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import Any, NoReturn

import jsonschema_rs

from agent_builder.errors import Fault, Unprocessable
from agent_builder.jsontext import encode
from agent_builder.messages import Json
from agent_builder.tools.outcomes import InvalidArguments
from agent_builder.tools.subschemas import children, mapped

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_MAX_FAULTS = 5
_MAX_FAULT_LENGTH = 300
# Steps that a pattern with look-around or back references may take; others take linear time.
_PATTERNS = jsonschema_rs.FancyRegexOptions(backtrack_limit=100_000, size_limit=1_000_000)


def check_schema(schema: Json) -> None:
    """Refuse what is no JSON Schema (2020-12) for an object, requires what it does not describe, or refers to anything
    outside itself.

    Raises:
        Unprocessable: Says where and why.
    """
    if schema.get("type") != "object":
        raise _refused("/type", 'A schema for arguments has "type": "object".')
    if outside := next(_outside(schema), None):
        raise _refused("/", f"$ref may only lead into the schema's own $defs; {outside[:200]!r} does not.")
    _check_words(schema)
    try:
        _compiled(encode(schema))
    except (ValueError, jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError) as error:
        raise _refused("/", f"This is no valid JSON Schema: {str(error).splitlines()[0][:_MAX_FAULT_LENGTH]}") from None


def _check_words(schema: Json) -> None:
    """What is valid JSON Schema, but cannot be meant."""
    dialect = schema.get("$schema", DIALECT)
    if dialect not in (DIALECT, f"{DIALECT}#"):
        raise _refused("/$schema", f"A schema is JSON Schema 2020-12: leave $schema out, or write {DIALECT}.")
    properties, required = schema.get("properties", {}), schema.get("required", [])
    if isinstance(properties, dict) and isinstance(required, list):
        for name in required:
            if isinstance(name, str) and name not in properties:
                message = (
                    f"{name[:100]!r} is required and no property: describe it in properties, or leave it out here."
                )
                raise _refused("/required", message)


def check_arguments(schema: Json, arguments: Json) -> None:
    """Check arguments strictly: types are not converted, unknown names are refused where the schema refuses them.

    One thing is lenient: what matches several alternatives of a `oneOf` passes, since descriptions rarely mean that.

    Raises:
        InvalidArguments: Names the first faults, so that a model can correct them.
    """
    found = list(islice(_compiled(encode(schema)).iter_errors(arguments), _MAX_FAULTS))
    if found:
        faults = "; ".join(f"{_place(error)}: {error.message[:_MAX_FAULT_LENGTH]}" for error in found)
        raise InvalidArguments(f"The arguments are not valid: {faults}")


def argument_faults(schema: Json, arguments: Json, *, below: str) -> tuple[Fault, ...]:
    """The first faults of arguments that a person gave, checked as `check_arguments` does.

    Args:
        below: JSON Pointer of the arguments in what the person sent.
    """
    found = islice(_compiled(encode(schema)).iter_errors(arguments), _MAX_FAULTS)
    return tuple(Fault(below + _pointer(error), error.message[:_MAX_FAULT_LENGTH]) for error in found)


def restored(schema: Json, arguments: Json, renamed: dict[str, str] | None = None) -> Json:
    """Arguments as the schema means them, from what a model sent for an adapted form of it.

    A null for an optional value that does not take null means "left out"; `renamed` maps adapted names of properties
    to those of the schema.
    """
    value = _Restoration(schema, renamed or {}).value(arguments, [schema])
    assert isinstance(value, dict)
    return value


def candidates(schema: Json, definitions: Json) -> list[Json]:
    """The plain schemas that one may stand for: behind references, and each alternative."""
    found: list[Json] = []
    seen: set[str] = set()
    waiting = [schema]
    while waiting:
        one = waiting.pop()
        found.append(one)
        for word in ("anyOf", "oneOf", "allOf"):
            waiting += [branch for branch in one.get(word, ()) if isinstance(branch, dict)]
        reference = one.get("$ref")
        if isinstance(reference, str) and reference not in seen:
            seen.add(reference)
            target = definitions.get(reference.removeprefix("#/$defs/"))
            waiting += [target] if isinstance(target, dict) else []
    return found


def takes_null(schema: Json, definitions: Json) -> bool:
    """Whether null is a value of a schema."""
    for one in candidates(schema, definitions):
        if "type" in one:
            kinds = one["type"] if isinstance(one["type"], list) else [one["type"]]
            if "null" in kinds:
                return True
        elif "enum" in one or "const" in one:
            if None in one.get("enum", ()) or ("const" in one and one["const"] is None):
                return True
        elif not one.keys() & {"$ref", "anyOf", "oneOf", "allOf"}:
            return True
    return False


class _Restoration:
    def __init__(self, schema: Json, renamed: dict[str, str]) -> None:
        self._definitions: Json = schema.get("$defs", {})
        self._renamed = renamed

    def value(self, value: Any, schemas: list[Json]) -> Any:
        if not isinstance(value, dict | list) or not schemas:
            return value
        plain = [one for schema in schemas for one in candidates(schema, self._definitions)]
        if isinstance(value, list):
            items = [one["items"] for one in plain if isinstance(one.get("items"), dict)]
            return [self.value(item, items) for item in value]
        out: Json = {}
        for sent, item in value.items():
            name = str(self._renamed.get(sent, sent))
            below = [one["properties"][name] for one in plain if name in one.get("properties", ())]
            if not below:
                name = sent
                below = [e for one in plain if isinstance(e := one.get("additionalProperties"), dict)]
            required = any(name in one.get("required", ()) for one in plain)
            if item is None and below and not required and not self._null(below):
                continue
            out[name] = self.value(item, below)
        return out

    def _null(self, schemas: list[Json]) -> bool:
        return any(takes_null(schema, self._definitions) for schema in schemas)


@lru_cache(maxsize=256)
def _compiled(text: str) -> jsonschema_rs.Draft202012Validator:
    schema = _lenient(json.loads(text))
    return jsonschema_rs.Draft202012Validator(schema, retriever=_never, pattern_options=_PATTERNS)


def _lenient(schema: Json) -> Json:
    out = mapped(schema, _lenient)
    if "oneOf" in out and "anyOf" not in out:
        out["anyOf"] = out.pop("oneOf")
    if isinstance(out.get("$defs"), dict):
        out["$defs"] = {name: _lenient(one) for name, one in out["$defs"].items() if isinstance(one, dict)}
    return out


def _outside(schema: Json) -> Iterator[str]:
    reference = schema.get("$ref", schema.get("$dynamicRef"))
    if isinstance(reference, str) and not reference.startswith("#"):
        yield reference
    if isinstance(schema.get("$id"), str):
        yield schema["$id"]
    for _, _, one in children(schema):
        yield from _outside(one)
    definitions = schema.get("$defs")
    for one in definitions.values() if isinstance(definitions, dict) else ():
        if isinstance(one, dict):
            yield from _outside(one)


def _never(uri: str) -> NoReturn:
    raise ValueError(f"{uri[:200]} is never fetched")


def _place(error: jsonschema_rs.ValidationError) -> str:
    return "/".join(str(step) for step in error.instance_path) or "arguments"


def _pointer(error: jsonschema_rs.ValidationError) -> str:
    places = (str(step).replace("~", "~0").replace("/", "~1") for step in error.instance_path)
    return "".join(f"/{place}" for place in places)


def _refused(pointer: str, message: str) -> Unprocessable:
    return Unprocessable(
        message, faults=(Fault(f"/input_schema{pointer.rstrip('/')}", message),), code="invalid_schema"
    )
