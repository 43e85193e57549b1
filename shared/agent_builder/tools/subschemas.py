"""Where a JSON Schema holds further schemas: known here once, for all that walk through one."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from agent_builder.messages import Json

MAPS = frozenset({"properties", "patternProperties", "dependentSchemas"})
LISTS = frozenset({"anyOf", "oneOf", "allOf", "prefixItems"})
SINGLE = frozenset(
    "items additionalProperties not if then else contains propertyNames unevaluatedProperties unevaluatedItems".split()
)
ALL = MAPS | LISTS | SINGLE


def mapped(node: Json, change: Callable[[Json], Json]) -> Json:
    """A copy of a schema, each schema directly in it (but not in `$defs`) replaced by what `change` makes of it."""
    out: Json = {}
    for word, value in node.items():
        if word in MAPS and isinstance(value, dict):
            out[word] = {key: change(one) if isinstance(one, dict) else one for key, one in value.items()}
        elif word in LISTS and isinstance(value, list):
            out[word] = [change(one) if isinstance(one, dict) else one for one in value]
        elif word in SINGLE and isinstance(value, dict):
            out[word] = change(value)
        else:
            out[word] = value
    return out


def children(node: Json) -> Iterator[tuple[str, str | None, Json]]:
    """Each schema directly in a schema: the keyword, the key where that is a map, the schema."""
    for word, value in node.items():
        if word in MAPS and isinstance(value, dict):
            yield from ((word, key, one) for key, one in value.items() if isinstance(one, dict))
        elif word in LISTS and isinstance(value, list):
            yield from ((word, None, one) for one in value if isinstance(one, dict))
        elif word in SINGLE and isinstance(value, dict):
            yield word, None, value
