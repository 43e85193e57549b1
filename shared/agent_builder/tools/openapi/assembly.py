"""One self-contained schema for one tool: what it reaches goes into its `$defs`, small or single parts in their place.

A schema that is too large for a model is made smaller in steps: shorter descriptions, then shorter lists of allowed
values, then parts that only optional values need. Each step that was taken is noted.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from agent_builder.jsontext import encode
from agent_builder.messages import Json
from agent_builder.tools.openapi.merging import ANNOTATIONS, Merger
from agent_builder.tools.openapi.notes import Note, Skip, changed
from agent_builder.tools.openapi.schema_reader import DEFINITIONS
from agent_builder.tools.subschemas import ALL, children, mapped

SCHEMA_BYTES = 32 * 1024
# How a value is described whose details are left out.
PRUNED = "Any value of this kind; see the API's documentation."
_INLINE_BYTES = 160
_INLINE_LEVELS = 20
_MAX_DEFINITIONS = 300
_ENUM_SHOWN = 60


@dataclass(frozen=True, slots=True)
class _Limits:
    """How far a schema is cut: characters of a description, allowed values shown, bytes of definitions."""

    description: int
    values: int
    definitions: int


_STEPS = (
    _Limits(1_000, 1_000, 4 * SCHEMA_BYTES),
    _Limits(240, 250, 3 * SCHEMA_BYTES),
    _Limits(100, 100, 2 * SCHEMA_BYTES),
    _Limits(60, 60, SCHEMA_BYTES),
    _Limits(60, 40, SCHEMA_BYTES // 2),
    _Limits(40, 30, SCHEMA_BYTES // 5),
)


class Assembly:
    """Makes schemas self-contained. Knows sizes and references of definitions, which all operations share."""

    def __init__(self, merger: Merger, *, limit: int = SCHEMA_BYTES) -> None:
        self._merger = merger
        self._limit = limit
        self._edges: dict[str, list[tuple[str, int]]] = {}
        self._sizes: dict[str, int] = {}
        self._recursive: dict[str, bool] = {}

    def assemble(self, root: Json, notes: list[Note]) -> Json:
        """The schema with all that it needs, in at most `limit` bytes.

        Raises:
            Skip: It stays too large whatever is cut.
        """
        root = self._merger.settle(root, notes)
        for number, limits in enumerate(_STEPS):
            kept, left_out = self._reachable(root, limits.definitions)
            schema = self._inlined(root, kept, limits)
            size = len(encode(schema).encode())
            if size <= self._limit:
                for name in kept:
                    notes += self._merger.definition(name).notes
                self._explain(notes, number, limits, left_out)
                return schema
        raise Skip("schema_too_large", f"The input needs {size:,} bytes of schema; at most {self._limit:,} are useful.")

    def _explain(self, notes: list[Note], number: int, limits: _Limits, left_out: bool) -> None:
        if number:
            text = f"The schema is large: descriptions are cut to {limits.description} characters"
            notes.append(changed("schema_shortened", f"{text}, lists of allowed values to {limits.values}."))
        if left_out:
            text = "Details of deeply nested values are left out of the schema; any object is taken there."
            notes.append(changed("schema_pruned", text))

    def _reachable(self, root: Json, budget: int) -> tuple[dict[str, None], bool]:
        """Definitions by the optional steps to them, until the budget is spent; and whether any is missing."""
        order = count()
        heap = [(steps, next(order), name) for name, steps in references(root)]
        heapq.heapify(heap)
        kept: dict[str, None] = {}
        while heap:
            steps, _, name = heapq.heappop(heap)
            if name in kept:
                continue
            budget -= self._size(name)
            if kept and (budget < 0 or len(kept) >= _MAX_DEFINITIONS):
                return kept, True
            kept[name] = None
            for further, more in self._edges[name]:
                heapq.heappush(heap, (steps + more, next(order), further))
        return kept, False

    def _size(self, name: str) -> int:
        if name not in self._sizes:
            schema = self._merger.definition(name).schema
            self._edges[name] = list(references(schema))
            self._sizes[name] = len(encode(schema))
        return self._sizes[name]

    def _is_recursive(self, name: str) -> bool:
        if name not in self._recursive:
            seen: set[str] = set()
            waiting = [name]
            while waiting and len(seen) < _MAX_DEFINITIONS:
                one = waiting.pop()
                self._size(one)
                for further, _ in self._edges[one]:
                    if further not in seen:
                        seen.add(further)
                        waiting.append(further)
            self._recursive[name] = name in seen or bool(waiting)
        return self._recursive[name]

    def _inlined(self, root: Json, kept: dict[str, None], limits: _Limits) -> Json:
        uses: dict[str, int] = {}
        for name, _ in references(root):
            uses[name] = uses.get(name, 0) + 1
        for owner in kept:
            for name, _ in self._edges[owner]:
                uses[name] = uses.get(name, 0) + 1
        return _Inliner(self, kept, uses, limits).whole(root)

    def small_or_single(self, name: str, uses: int) -> bool:
        """Whether a definition is written where it is used.

        Of those used more than once only such that refer to nothing: else what is small here doubles at each step.
        """
        small = self._size(name) <= _INLINE_BYTES and not self._edges[name]
        return (small or uses == 1) and not self._is_recursive(name)

    def schema(self, name: str) -> Json:
        """The settled schema of a definition."""
        return self._merger.definition(name).schema

    def behind(self, name: str) -> Json:
        """The same, where that is only another name, of what it stands for."""
        schema = self.schema(name)
        for _ in range(_INLINE_LEVELS):
            if schema.keys() - ANNOTATIONS != {"$ref"}:
                break
            schema = self.schema(schema["$ref"].removeprefix(DEFINITIONS))
        return schema


class _Inliner:
    def __init__(self, assembly: Assembly, kept: dict[str, None], uses: dict[str, int], limits: _Limits) -> None:
        self._assembly = assembly
        self._kept = kept
        self._uses = uses
        self._limits = limits
        self._needed: dict[str, None] = {}

    def whole(self, root: Json) -> Json:
        """The root with its `$defs`."""
        out = self._copy(root, 0)
        definitions: Json = {}
        while missing := [name for name in self._needed if name not in definitions]:
            for name in missing:
                definitions[name] = self._copy(self._assembly.schema(name), 0)
        return {**out, "$defs": definitions} if definitions else out

    def _copy(self, node: Json, level: int) -> Json:
        reference = node.get("$ref")
        if isinstance(reference, str):
            return self._referred(reference.removeprefix(DEFINITIONS), node, level)
        return self._cut(mapped(node, lambda one: self._copy(one, level + 1)))

    def _referred(self, name: str, node: Json, level: int) -> Json:
        words = {word: value for word, value in node.items() if word in ANNOTATIONS}
        if name not in self._kept:
            return self._outlined(self._assembly.behind(name), words)
        if level <= _INLINE_LEVELS and self._assembly.small_or_single(name, self._uses.get(name, 1)):
            return self._cut({**self._copy(self._assembly.schema(name), level + 1), **words})
        self._needed[name] = None
        return self._cut({"$ref": DEFINITIONS + name, **words})

    def _outlined(self, schema: Json, words: Json) -> Json:
        """A value of this kind, without saying what is in it; a plain value as it is."""
        kinds = schema.get("type", [])
        if not set([kinds] if isinstance(kinds, str) else kinds) & {"object", "array"}:
            gone = {*ALL, "$ref", "required"}
            return self._cut({**{word: value for word, value in schema.items() if word not in gone}, **words})
        out: Json = {word: schema[word] for word in ("type", "description") if word in schema}
        if "array" in kinds:
            out["items"] = {}
        out = self._cut({**out, **words})
        return {**out, "description": f"{out.get('description', '')} {PRUNED}".strip()}

    def _cut(self, node: Json) -> Json:
        text = node.get("description")
        if isinstance(text, str) and len(text) > self._limits.description:
            node["description"] = shortened(text, self._limits.description)
        values = node.get("enum")
        if isinstance(values, list) and len(values) > self._limits.values:
            shown = ", ".join(str(value) for value in values[: _ENUM_SHOWN // 3])
            said = node.get("description", "")
            node["description"] = f"{said} One of {len(values)} values, such as {shown[:200]}.".strip()
            del node["enum"]
        return node


def references(node: Json, steps: int = 0) -> Iterator[tuple[str, int]]:
    """Names that a schema refers to, each with the number of optional steps to it."""
    reference = node.get("$ref")
    if isinstance(reference, str):
        yield reference.removeprefix(DEFINITIONS), steps
    required = node.get("required", ())
    for word, key, one in children(node):
        yield from references(one, steps + 1 if word == "properties" and key not in required else steps)


def shortened(text: str, length: int) -> str:
    """At most `length` characters, cut at the end of a sentence or word."""
    if len(text) <= length:
        return text
    head = text[: length - 1]
    sentence = max(head.rfind(". "), head.rfind("! "), head.rfind("? "))
    if sentence >= length // 2:
        return head[: sentence + 1]
    return head[: head.rfind(" ")].rstrip(" ,;:") + "…" if " " in head[length // 2 :] else head + "…"
