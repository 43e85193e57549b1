"""`allOf` merged into one schema, because no vendor's model understands it and two of them refuse it.

Lazy throughout: a merged schema gets a name by what went into it, and is worked out when that name is asked for. So
schemas that extend themselves end, and fan-out costs what is looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from agent_builder.messages import Json
from agent_builder.tools.openapi.keywords import encode_any
from agent_builder.tools.openapi.notes import Note, changed
from agent_builder.tools.openapi.schema_reader import DEFINITIONS, READ_ONLY, Definition, SchemaReader
from agent_builder.tools.subschemas import MAPS, mapped

ANNOTATIONS = frozenset({"description", "default", "deprecated"})
_CONSTRAINTS = frozenset("anyOf oneOf pattern multipleOf const if then else dependentRequired".split())
_MAX_LEAVES = 200
# Schemas that extend each other in turn can give ever new ones; no description that means something comes near.
_MAX_JOINT = 5_000


class Merger:
    """The definitions of a reader, without `allOf` wherever it can be merged."""

    def __init__(self, reader: SchemaReader) -> None:
        self._reader = reader
        self._settled: dict[str, Definition] = {}
        self._joint: dict[str, str] = {}
        self._leaves_of: dict[str, list[Json]] = {}

    def definition(self, name: str) -> Definition:
        """The settled definition of a name."""
        if name not in self._settled:
            notes: list[Note] = []
            if name in self._leaves_of:
                schema = self.settle(merged(self._leaves_of[name], notes), notes)
            else:
                raw = self._reader.definition(name)
                notes += raw.notes
                schema = self.settle(raw.schema, notes)
            self._settled[name] = Definition(schema, tuple(notes))
        return self._settled[name]

    def settle(self, node: Json, notes: list[Note]) -> Json:
        """A schema of the reader without `allOf`."""
        if "allOf" in node:
            leaves, named = self._leaves(node, notes)
            if named:
                return {"$ref": DEFINITIONS + self._join(leaves, named)}
            node = merged(leaves, notes)
        out = mapped(
            {word: value for word, value in node.items() if word != READ_ONLY}, lambda n: self.settle(n, notes)
        )
        if hidden := node.get(READ_ONLY):
            out["required"] = [name for name in out.get("required", ()) if name not in hidden]
        if out.get("required") == []:
            del out["required"]
        return out

    def _join(self, leaves: list[Json], named: list[str]) -> str:
        last = named[-1]
        if len(leaves) == 1 and last not in self._leaves_of and self._reader.definition(last).schema == leaves[0]:
            return last
        key = encode_any(leaves)
        if key not in self._joint and len(self._joint) >= _MAX_JOINT:
            key, leaves = "", [{}]
        if key not in self._joint:
            name = self._reader.unused_name(f"{named[0]}_extended")
            self._joint[key] = name
            self._leaves_of[name] = leaves
        return self._joint[key]

    def _leaves(self, node: Json, notes: list[Note]) -> tuple[list[Json], list[str]]:
        """What is to be merged, none of it with `allOf`, each once; and the names of definitions among it.

        One branch that is only a reference stays one: then nothing has to be merged.
        """
        if len(node["allOf"]) == 1 and "$ref" in node["allOf"][0]:
            outer = {word: value for word, value in node.items() if word != "allOf"}
            if outer.keys() <= ANNOTATIONS:
                return [{**node["allOf"][0], **outer}], []
        leaves: dict[str, Json] = {}
        named: dict[str, None] = {}
        waiting: list[tuple[Json, tuple[str, ...]]] = [(node, ())]
        while waiting:
            one, within = waiting.pop()
            if len(leaves) >= _MAX_LEAVES:
                notes.append(changed("too_many_parts", f"Only {_MAX_LEAVES} parts of an allOf are taken."))
                break
            reference = one.get("$ref")
            if isinstance(reference, str):
                self._enter(reference, within, waiting, named, notes)
            waiting += [(branch, within) for branch in reversed(one.get("allOf", ()))]
            own = {word: value for word, value in one.items() if word not in {"allOf", "$ref"}}
            if own:
                leaves.setdefault(encode_any(own), own)
        return list(leaves.values()) or [{}], list(named)

    def _enter(
        self,
        reference: str,
        within: tuple[str, ...],
        waiting: list[tuple[Json, tuple[str, ...]]],
        named: dict[str, None],
        notes: list[Note],
    ) -> None:
        name = reference.removeprefix(DEFINITIONS)
        if name in within:
            notes.append(changed("endless_all_of", f"{name} is part of itself by allOf; that part is left out."))
            return
        if name in named:  # taken already, and twice says no more than once
            return
        named[name] = None
        if name in self._leaves_of:
            waiting += [(leaf, (*within, name)) for leaf in reversed(self._leaves_of[name])]
            return
        raw = self._reader.definition(name)
        notes += raw.notes
        waiting.append((raw.schema, (*within, name)))


def merged(leaves: list[Json], notes: list[Note]) -> Json:
    """One schema that takes what all of them take, as their authors meant it. The first annotations win."""
    out: Json = {}
    for leaf in leaves:
        for word, value in leaf.items():
            out[word] = _joined(out, word, value, notes) if word in out else value
    names = {name for leaf in leaves for name in leaf.get("properties", ())}
    closed = [leaf for leaf in leaves if leaf.get("additionalProperties") is False]
    if any(names - leaf.get("properties", {}).keys() for leaf in closed):
        # Taken literally, each part would forbid the other's properties.
        out.pop("additionalProperties", None)
        notes.append(changed("closed_parts", "Parts of an allOf forbid each other's properties; they are joined."))
    return out


def _joined(out: Json, word: str, value: Any, notes: list[Note]) -> Any:
    old = out[word]
    if old == value or word in ANNOTATIONS:
        return old
    if word in {"type", "enum"}:
        return _common(word, old, value, notes)
    if join := _JOINS.get(word):
        return join(old, value)
    if word in _CONSTRAINTS:  # both hold, and no one keyword says so
        out.setdefault("allOf", []).append({word: value})
    return old


def _union(old: list[Any], value: list[Any]) -> list[Any]:
    return [*old, *(one for one in value if one not in old)]


def _map(old: Json, value: Json) -> Json:
    return {**old, **{k: {"allOf": [old[k], v]} if k in old and old[k] != v else v for k, v in value.items()}}


def _both(old: Any, value: Any) -> Any:
    if not isinstance(old, dict) or not isinstance(value, dict):
        return old if isinstance(old, dict) else value
    return {"allOf": [old, value]} if old and value else old or value


def _common(word: str, old: Any, value: Any, notes: list[Note]) -> Any:
    """Types or allowed values that both take; the first where they have none in common."""
    first, second = _listed(old), _listed(value)
    if word == "type":
        second = [*second, "integer"] if "number" in second and "integer" in first else second
        first = [*first, "integer"] if "number" in first and "integer" in second else first
        first = [one for one in first if not (one == "number" and "integer" in first and "number" not in second)]
    common = [one for one in first if one in second]
    if not common:
        notes.append(changed("contradiction", f"Parts of an allOf contradict each other in {word}; the first counts."))
        return old
    return common[0] if word == "type" and len(common) == 1 else common


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]


_JOINS: dict[str, Callable[[Any, Any], Any]] = {
    **dict.fromkeys(("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties", "minContains"), max),
    **dict.fromkeys(("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties", "maxContains"), min),
    **dict.fromkeys(("required", READ_ONLY, "allOf"), _union),
    **dict.fromkeys(MAPS, _map),
    **dict.fromkeys(("items", "additionalProperties", "propertyNames", "contains"), _both),
    "not": lambda old, value: {"anyOf": [old, value]},
}
