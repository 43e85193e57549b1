"""Which names the objects among arguments may bring into a query, cookies, a path or a form."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

from agent_builder.messages import Json
from agent_builder.models.tools import Body, HttpTool, Location, Parameter, Serialization
from agent_builder.tools.schemas import candidates
from agent_builder.tools.serialization import query_pairs
from agent_builder.tools.written_names import WrittenNames

_PLACES: tuple[Location, ...] = ("query", "cookie", "path")


def spreads(how: Serialization, location: Location = "query") -> bool:
    """Whether the properties of an object stand as parameters of their own."""
    if how.content_type or how.style == "deepObject":
        return False
    if location in ("query", "cookie"):
        return how.style in (None, "form") if how.explode is None else how.explode
    return location == "path" and how.style == "matrix" and how.explode is True


def nests(how: Serialization) -> bool:
    """Whether the properties of an object stand as `name[property]`."""
    return how.style == "deepObject" and not how.content_type


def property_names(schema: Any, definitions: Json) -> set[str]:
    """What a schema calls the properties of an object, in any of its alternatives."""
    if not isinstance(schema, dict):
        return set()
    return {name for one in candidates(schema, definitions) for name in one.get("properties", ())}


def check_parameters(tool: HttpTool, arguments: Json, base_url: str) -> None:
    """Refuse arguments whose objects bring a name that belongs to another parameter, fixed or not.

    Raises:
        ToolError: Names it.
    """
    for place in _PLACES:
        listed = [one for one in tool.parameters if one.location == place]
        objects = [one for one in listed if isinstance(_argument(one, arguments), dict)]
        if not any(spreads(one, place) or nests(one) for one in objects):
            continue
        names = WrittenNames()
        if place == "path":
            names.hold("the path", re.findall(r";([^;/={}]+)", base_url + tool.path))
        for one in listed:
            _claim(names, one, arguments, tool.input_schema)
        names.check()


def _claim(names: WrittenNames, parameter: Parameter, arguments: Json, schema: Json) -> None:
    if parameter.argument is None:
        names.hold(f"the fixed {parameter.name}", [parameter.name, *_written(parameter, parameter.value)])
        return
    owner, value = parameter.argument, arguments.get(parameter.argument)
    names.hold(owner, [parameter.name])
    if not (spreads(parameter, parameter.location) or nests(parameter)):
        return
    described = schema.get("properties", {}).get(owner)
    known = property_names(described, schema.get("$defs", {})) | {parameter.name}
    names.hold(owner, _written(parameter, dict.fromkeys(known - {parameter.name}, "")), "known")
    if isinstance(value, dict):
        names.bring(owner, _written(parameter, {k: v for k, v in value.items() if k in known}), "known")
        names.bring(owner, _written(parameter, {k: v for k, v in value.items() if k not in known}), "unknown")


def _argument(parameter: Parameter, arguments: Json) -> Any:
    return None if parameter.argument is None else arguments.get(parameter.argument)


def _written(parameter: Parameter, value: Any) -> list[str]:
    """The names under which an object's properties are written."""
    if not isinstance(value, dict):
        return []
    if nests(parameter):
        return [unquote(name) for name, _ in query_pairs(parameter.name, value, parameter)]
    return [key for key, item in value.items() if item is not None] if spreads(parameter, parameter.location) else []


def check_fields(tool: HttpTool, body: Body, value: Json) -> None:
    """Refuse a form's fields that bring a name twice, or one that belongs to a field that is described.

    Raises:
        ToolError: Names it.
    """
    schema = tool.input_schema
    described = schema.get("properties", {}).get(body.argument)
    known = property_names(described, schema.get("$defs", {})) | set(body.parts)
    names = WrittenNames()
    for name in known:
        names.hold(name, [name])
    for name, one in value.items():
        if name not in known and one is not None:
            names.bring(name, [name])
        how = body.parts.get(name)
        if body.kind == "form" and how and how.style and isinstance(one, dict):
            names.bring(name, [unquote(key) for key, _ in query_pairs(name, one, how)])
    names.check()
