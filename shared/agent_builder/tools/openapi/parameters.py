"""The parameters of an operation: each becomes an argument, with OpenAPI's way of writing it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, cast

from agent_builder.messages import Json
from agent_builder.models.tools import STYLES, Location, Parameter, Style, managed_header, template_names
from agent_builder.tools.openapi.keywords import clean
from agent_builder.tools.openapi.naming import argument_name
from agent_builder.tools.openapi.notes import Note, changed, info
from agent_builder.tools.openapi.references import BrokenReference, References
from agent_builder.tools.openapi.schema_reader import SchemaReader

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}")
_DESCRIBED_ELSEWHERE = frozenset({"accept", "content-type", "authorization"})
_COLLECTIONS: dict[str, tuple[Style, bool]] = {
    "csv": ("form", False),
    "ssv": ("spaceDelimited", False),
    "tsv": ("tabDelimited", False),
    "pipes": ("pipeDelimited", False),
    "multi": ("form", True),
}


@dataclass(slots=True)
class Arguments:
    """What an operation takes, as it is gathered."""

    properties: Json = field(default_factory=dict)
    required: list[str] = field(default_factory=list)
    parameters: list[Parameter] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)
    idempotency_header: str = "Idempotency-Key"
    accept: str | None = None

    def add(self, name: str, schema: Json, *, required: bool, prefix: str = "") -> str:
        """One more argument; answers the name that it got."""
        argument = argument_name(name, self.taken, prefix=prefix)
        self.properties[argument] = schema
        if required:
            self.required.append(argument)
        return argument

    def schema(self) -> Json:
        """The input: an object of all arguments and nothing else."""
        out: Json = {"type": "object", "properties": self.properties}
        if self.required:
            out["required"] = self.required
        return {**out, "additionalProperties": False}


def gather(references: References, *lists: Any, notes: list[Note]) -> list[Json]:
    """The parameters of path item and operation, resolved; a later one replaces an earlier one of the same place."""
    found: dict[tuple[str, str], Json] = {}
    for one in (one for said in lists if isinstance(said, list) for one in said):
        try:
            parameter = references.follow(one)
        except BrokenReference as error:
            notes.append(changed("broken_parameter", f"A parameter is left out: {error}."))
            continue
        if not isinstance(parameter, dict) or not isinstance(parameter.get("in"), str):
            notes.append(changed("invalid_parameter", 'A parameter is left out: it does not say where it is ("in").'))
            continue
        name = parameter.get("name", "body" if parameter["in"] == "body" else None)
        if not isinstance(name, str) or not name:
            notes.append(changed("invalid_parameter", "A parameter is left out: it has no name."))
            continue
        place = parameter["in"]
        found[place, name.lower() if place == "header" else name] = {**parameter, "name": name}
    return list(found.values())


class ParameterReader:
    """Turns parameters into arguments and bindings."""

    def __init__(self, reader: SchemaReader, *, swagger: bool) -> None:
        self._reader = reader
        self._swagger = swagger

    def add_all(
        self, said: Iterable[Json], path: str, arguments: Arguments, given: set[tuple[str, str]], notes: list[Note]
    ) -> None:
        """Add the parameters, those of the path that nobody described included.

        Args:
            given: Place and lower-case name of what a credential sends: no model has to know it.
        """
        wanted = template_names(path)
        described = [one for one in said if one["in"] in STYLES]
        for one in said:
            if one["in"] not in STYLES and one["in"] not in {"body", "formData"}:
                text = f"The parameter {one['name']!r} is left out: there is no place called {one['in']!r}."
                notes.append(changed("unknown_place", text))
        for one in sorted(described, key=lambda one: one["in"] != "path"):
            if reason := _left_out(one, wanted, given):
                notes.append(reason)
                if one["in"] == "header" and one["name"].lower() == "accept":
                    arguments.accept = _accept(one)
            else:
                self._add(one, arguments, notes)
        known = {parameter.name for parameter in arguments.parameters if parameter.location == "path"}
        for name in dict.fromkeys(wanted):
            if name not in known:
                notes.append(
                    changed("undescribed_path_parameter", f"{{{name}}} is not described; it is taken as text.")
                )
                argument = arguments.add(name, {"type": "string"}, required=True)
                arguments.parameters.append(Parameter(name=name, location="path", argument=argument))

    def _add(self, said: Json, arguments: Arguments, notes: list[Note]) -> None:
        place = cast(Location, said["in"])
        if place == "header" and re.fullmatch(r"(x-)?idempotency-key", said["name"], re.IGNORECASE):
            arguments.idempotency_header = said["name"]
            notes.append(info("idempotency", f"{said['name']} is sent by the platform, the same for each repetition."))
            return
        content = said.get("content")
        media_type, schema = None, said.get("schema")
        if isinstance(content, dict) and content and not self._swagger:
            media_type, described = next(iter(content.items()))
            schema = described.get("schema") if isinstance(described, dict) else None
        read = self._schema(said, said if self._swagger and schema is None else schema, notes)
        required = said.get("required") is True or place == "path"
        argument = arguments.add(said["name"], read, required=required, prefix=place)
        written = {} if media_type else _style(said, place, notes)
        arguments.parameters.append(
            Parameter(
                name=said["name"],
                location=place,
                argument=argument,
                content_type=media_type,
                allow_reserved=said.get("allowReserved") is True,
                **written,
            )
        )

    def _schema(self, said: Json, schema: Any, notes: list[Note]) -> Json:
        if schema is None:
            notes.append(changed("no_schema", f"The parameter {said['name']!r} has no schema; it is taken as text."))
            schema = {"type": "string"}
        if schema is said:  # Swagger 2.0 says the type beside the name
            schema = {w: v for w, v in said.items() if w not in {"required", "description", "name", "in", "$ref"}}
        elif isinstance(schema, dict) and "example" not in schema and "example" in said and "$ref" not in schema:
            schema = {**schema, "example": said["example"]}
        read = self._reader.read(schema, notes)
        text = clean(said.get("description"))
        if said.get("deprecated") is True:
            text = f"Deprecated. {text}".strip()
        own = read.get("description", "")
        if text and own and own.startswith("Example: "):
            text = f"{text} {own}"
        return {**read, "description": text[:1_000]} if text else read


def _left_out(said: Json, wanted: list[str], given: set[tuple[str, str]]) -> Note | None:
    """Why a parameter is no argument; None where it is one."""
    place, name = said["in"], said["name"]
    if place == "path" and name not in wanted:
        return changed("not_in_path", f"The path parameter {name!r} is left out: the path does not have it.")
    if (place, name.lower()) in given or (place == "header" and name.lower() in _DESCRIBED_ELSEWHERE):
        return info("sent_anyway", f"{name} is not asked of the model: the credential or the platform sends it.")
    if place == "header" and managed_header(name):
        return changed("managed_header", f"The header {name} is left out: the HTTP client sets it.")
    if place in {"header", "cookie"} and not _TOKEN.fullmatch(name):
        return changed("invalid_name", f"The {place} {name[:60]!r} is left out: that is no valid name.")
    return None


def _accept(said: Json) -> str | None:
    """The value for a described Accept header: JSON where it may be, else the first that is allowed."""
    schema = said.get("schema", said)
    schema = schema if isinstance(schema, dict) else {}
    allowed = schema.get("enum")
    values = [schema.get("const"), schema.get("default"), *(allowed if isinstance(allowed, list) else ())]
    texts = [value for value in values if isinstance(value, str) and re.fullmatch(r"[!-~ ]{1,200}", value)]
    return next((text for text in texts if "json" in text), texts[0] if texts else None)


def _style(said: Json, place: Location, notes: list[Note]) -> Json:
    """`style` and `explode` where they differ from OpenAPI's defaults for the place."""
    if "collectionFormat" in said or ("style" not in said and "schema" not in said and said.get("type") == "array"):
        known, explode = _COLLECTIONS.get(str(said.get("collectionFormat")), ("form", False))
        return {"explode": explode, "style": known} if place == "query" else {"explode": False}
    out: Json = {}
    style = said.get("style")
    if isinstance(style, str):
        if style in STYLES[place]:
            out["style"] = style
        else:
            notes.append(changed("unknown_style", f"{said['name']!r} has a style {style!r} that its place has not."))
    if isinstance(said.get("explode"), bool):
        out["explode"] = said["explode"]
    return out
