"""Schemas of Swagger 2.0, OpenAPI 3.0 and 3.1 in one language: JSON Schema 2020-12 as a request needs it.

Every `$ref` becomes a reference to a named definition, which is read when first asked for: cycles and fan-out cost
nothing. `allOf` is kept here and merged later (`merging.py`). Read-only properties are left out: no call sends them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from agent_builder.messages import Json
from agent_builder.tools.openapi.discriminators import Discriminators
from agent_builder.tools.openapi.document import Dialect
from agent_builder.tools.openapi.keywords import (
    clean,
    enum_of_items,
    fold_named_values,
    names,
    nullable,
    plain_keywords,
)
from agent_builder.tools.openapi.notes import Note, changed
from agent_builder.tools.openapi.references import BrokenReference, References

DEFINITIONS = "#/$defs/"
# Names of read-only properties on their way through `allOf`; taken out at the end.
READ_ONLY = "x-read-only"
_SCHEMAS = ("not", "if", "then", "else", "contains", "propertyNames", "unevaluatedProperties", "unevaluatedItems")
_LISTS = ("allOf", "anyOf", "oneOf")
_ANNOTATIONS = frozenset({"description", "default", "deprecated", "title"})


@dataclass(frozen=True, slots=True)
class Definition:
    """A named schema and what was to be said of it."""

    schema: Json
    notes: tuple[Note, ...]


class SchemaReader:
    """Reads the schemas of one document. Definitions are shared by all its operations."""

    def __init__(self, references: References, dialect: Dialect, root: Json) -> None:
        self._references = references
        self._dialect = dialect
        self._discriminators = Discriminators(references, root)
        self._names: dict[str, str] = {}
        self._taken: set[str] = set()
        self._sources: dict[str, Any] = {}
        self._definitions: dict[str, Definition] = {}

    def read(self, schema: Any, notes: list[Note], *, base: bool = False) -> Json:
        """One schema. `base`: it stands in an `allOf`, so its discriminator names the one who extends it."""
        if isinstance(schema, bool):
            return {} if schema else {"not": {}}
        if not isinstance(schema, dict):
            notes.append(changed("invalid_schema", "A schema is not an object; any value is taken."))
            return {}
        reference = schema.get("$ref", schema.get("$dynamicRef"))
        if isinstance(reference, str):
            return self._reference(reference, schema, notes, base=base)
        return self._described(schema, notes, base=base)

    def definition(self, name: str) -> Definition:
        """The definition of this name; reads it at the first time."""
        if name not in self._definitions:
            notes: list[Note] = []
            self._definitions[name] = Definition(self.read(self._sources[name], notes), tuple(notes))
        return self._definitions[name]

    def _reference(self, reference: str, schema: Json, notes: list[Note], *, base: bool) -> Json:
        try:
            pointer, target = self._references.target(reference)
            self._references.follow(target)
        except BrokenReference as error:
            notes.append(changed("broken_reference", f"{error}; any value is taken there."))
            return _own_words(schema)
        one: Json = {"$ref": DEFINITIONS + self._name(pointer, target, base=base)}
        rest = {word: value for word, value in schema.items() if word not in {"$ref", "$dynamicRef"}}
        if self._dialect != "3.1":
            rest = {word: value for word, value in rest.items() if word in _ANNOTATIONS}
        read = self._described(rest, notes, base=base) if rest else {}
        if nullable(schema):
            return {"anyOf": [one, {"type": "null"}], **read}
        return {**one, **read} if read.keys() <= _ANNOTATIONS else {"allOf": [one], **read}

    def _name(self, pointer: str, target: Any, *, base: bool) -> str:
        """The definition's name: the last word of the pointer, made plain and unique."""
        family = not base and self._discriminators.has_children(pointer, target)
        key = f"{pointer} any" if family else pointer
        if key not in self._names:
            plain = re.sub(r"[^A-Za-z0-9_]+", "_", pointer.rsplit("/", 1)[-1]).strip("_")[:60] or "schema"
            name = self.unused_name(f"{plain}_any" if family else plain)
            self._names[key] = name
            self._sources[name] = self._discriminators.family(pointer, target) if family else target
        return self._names[key]

    def unused_name(self, wanted: str) -> str:
        """The wanted name of a definition, with a number where it is taken. It is taken from now on."""
        name, number = wanted, 1
        while name in self._taken:
            number += 1
            name = f"{wanted}_{number}"
        self._taken.add(name)
        return name

    def _described(self, schema: Json, notes: list[Note], *, base: bool) -> Json:
        out = plain_keywords(schema, notes)
        self._object(schema, out, notes)
        self._array(schema, out, notes)
        for word in _SCHEMAS:
            if isinstance(schema.get(word), dict | bool):
                out[word] = self.read(schema[word], notes)
        for word in ("patternProperties", "dependentSchemas"):
            if isinstance(schema.get(word), dict):
                out[word] = {key: self.read(value, notes) for key, value in schema[word].items()}
        branches = self._discriminators.marked(schema)
        for word in _LISTS:
            said = branches.get(word)
            if isinstance(said, list) and said:
                out[word] = [self.read(one, notes, base=word == "allOf") for one in said]
        fold_named_values(out)
        if nullable(schema) and "type" not in out and any(word in out for word in _LISTS):
            return _or_null(out)
        return out

    def _object(self, schema: Json, out: Json, notes: list[Note]) -> None:
        required = names(schema.get("required"))
        said = schema.get("properties")
        if isinstance(said, dict):
            hidden = [name for name, value in said.items() if self._read_only(value)]
            out["properties"] = {name: self.read(v, notes) for name, v in said.items() if name not in hidden}
            if hidden:
                out[READ_ONLY] = hidden
            # `required: true` on a property is a habit of old drafts.
            required += [n for n, v in said.items() if isinstance(v, dict) and v.get("required") is True]
            required = [name for name in dict.fromkeys(required) if name not in hidden]
        if required:
            out["required"] = required
        extra = schema.get("additionalProperties")
        if isinstance(extra, dict):
            out["additionalProperties"] = self.read(extra, notes)
        elif extra is False:
            out["additionalProperties"] = False

    def _array(self, schema: Json, out: Json, notes: list[Note]) -> None:
        items = schema.get("items")
        heads = schema.get("prefixItems", items if isinstance(items, list) else None)
        if isinstance(heads, list) and heads:
            out["prefixItems"] = [self.read(one, notes) for one in heads]
            items = schema.get("additionalItems") if isinstance(items, list) else items
        if isinstance(items, dict) and out.get("type") == "array" and enum_of_items(schema, ["array"]):
            notes.append(changed("enum_of_items", "Values allowed for an array are taken as those of its items."))
            items = {**items, "enum": schema["enum"]} if "$ref" not in items else items
        if isinstance(items, dict | bool):
            out["items"] = self.read(items, notes)
        elif "array" in names(out.get("type")) and "prefixItems" not in out:
            out["items"] = {}

    def _read_only(self, schema: Any) -> bool:
        if not isinstance(schema, dict):
            return False
        if schema.get("readOnly") is True:
            return True
        if "$ref" not in schema:
            return False
        try:
            target = self._references.follow(schema)
        except BrokenReference:
            return False
        return isinstance(target, dict) and target.get("readOnly") is True


def _own_words(schema: Json) -> Json:
    text = clean(schema.get("description"))
    return {"description": text} if text else {}


def _or_null(schema: Json) -> Json:
    outer = {word: value for word, value in schema.items() if word in _ANNOTATIONS}
    inner = {word: value for word, value in schema.items() if word not in _ANNOTATIONS}
    return {"anyOf": [inner, {"type": "null"}], **outer}
