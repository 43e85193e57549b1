"""What an import says of objects whose properties stand beside other parameters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agent_builder.messages import Json
from agent_builder.models.tools import Body, Parameter
from agent_builder.tools.openapi.notes import Note, changed, info
from agent_builder.tools.request_names import property_names, spreads
from agent_builder.tools.schemas import candidates
from agent_builder.tools.written_names import same_place


def spreading(parameters: Sequence[Parameter], body: Body | None, schema: Json) -> Iterator[Note]:
    """A note for each object that is spread beside others: a call refuses names in it that belong to one of those."""
    properties, definitions = schema["properties"], schema.get("$defs", {})
    for one in parameters:
        others = [other for other in parameters if other.location == one.location and other is not one]
        if one.argument and spreads(one, one.location):
            taken = {other.name for other in others}
            yield from _notes(one.argument, properties[one.argument], taken, definitions)
    for name, part in body.parts.items() if body and body.kind == "form" else ():
        assert body is not None
        if part.style and spreads(part):
            views = candidates(properties[body.argument], definitions)
            fields: Json = {key: value for view in views for key, value in view.get("properties", {}).items()}
            yield from _notes(name, fields.get(name, {}), set(fields) - {name}, definitions)


def _notes(name: str, schema: Json, taken: set[str], definitions: Json) -> Iterator[Note]:
    views = [one for one in candidates(schema, definitions) if _is_object(one)]
    own = property_names(schema, definitions) - {name}
    clashing = sorted(key for key in own if any(same_place(key, other) or same_place(other, key) for other in taken))
    if clashing:
        text = f"{name} must not contain {', '.join(clashing)[:200]}: these are names of other parameters."
        yield changed("shared_names", text)
    elif taken and any(one.get("additionalProperties") is not False for one in views):
        yield info(
            "spread_object", f"{name} may have properties of any name; names of other parameters are refused in it."
        )


def _is_object(schema: Json) -> bool:
    kinds = schema.get("type")
    return kinds == "object" or (isinstance(kinds, list) and "object" in kinds) or "properties" in schema
