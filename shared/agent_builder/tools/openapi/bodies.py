"""Request bodies: which of the offered media types is used, and how it is filled."""

from __future__ import annotations

import re
from typing import Any

from agent_builder.messages import Json
from agent_builder.models.tools import STYLES, Body, BodyKind, Part
from agent_builder.tools.openapi.keywords import clean
from agent_builder.tools.openapi.merging import Merger
from agent_builder.tools.openapi.notes import Note, changed, info
from agent_builder.tools.openapi.parameters import Arguments
from agent_builder.tools.openapi.references import BrokenReference, References
from agent_builder.tools.openapi.schema_reader import DEFINITIONS, SchemaReader

JSON_TYPE = "application/json"
FORM_TYPE = "application/x-www-form-urlencoded"
MULTIPART_TYPE = "multipart/form-data"
_ENCODING = {
    "type": "string",
    "enum": ["text", "base64"],
    "default": "text",
    "description": "How content is given: text as it is, or base64 for binary files.",
}
_CONTENT = {"type": "string", "description": "The file's content."}
_DATA: Json = {
    "type": "object",
    "properties": {"content": _CONTENT, "encoding": _ENCODING},
    "required": ["content"],
    "additionalProperties": False,
}
_FILE_DEPTH = 2
_FILE: Json = {
    **_DATA,
    "properties": {"filename": {"type": "string", "minLength": 1}, **_DATA["properties"]},
    "required": ["filename", "content"],
}


class BodyReader:
    """Turns request bodies into one argument and a binding."""

    def __init__(self, references: References, reader: SchemaReader, merger: Merger) -> None:
        self._references = references
        self._reader = reader
        self._merger = merger

    def add(self, said: Any, arguments: Arguments, notes: list[Note]) -> Body | None:
        """The `requestBody` of OpenAPI 3."""
        try:
            body = self._references.follow(said)
        except BrokenReference as error:
            notes.append(changed("broken_body", f"The body may be any JSON value: {error}."))
            body = {"content": {JSON_TYPE: {}}}
        if not isinstance(body, dict) or not isinstance(body.get("content"), dict) or not body["content"]:
            return None
        media_type, kind = self._choose(list(body["content"]), notes)
        described = body["content"][media_type]
        described = described if isinstance(described, dict) else {}
        return self._bind(kind, _concrete(media_type, kind), described, arguments, body, notes)

    def add_swagger(
        self, parameters: list[Json], consumes: Any, arguments: Arguments, notes: list[Note]
    ) -> Body | None:
        """Parameters in `body` and `formData` of Swagger 2.0; `consumes` are the media types of the operation."""
        types = [one for one in consumes if isinstance(one, str)] if isinstance(consumes, list) else []
        form = [one for one in parameters if one["in"] == "formData"]
        whole = [one for one in parameters if one["in"] == "body"]
        if form:
            files = any(one.get("type") == "file" for one in form)
            multipart = files or (MULTIPART_TYPE in types and FORM_TYPE not in types)
            kind: BodyKind = "multipart" if multipart else "form"
            schema, encoding = _form_schema(form)
            described: Json = {"schema": schema, "encoding": encoding}
            body: Json = {"required": any(one.get("required") is True for one in form)}
            return self._bind(kind, MULTIPART_TYPE if multipart else FORM_TYPE, described, arguments, body, notes)
        if whole:
            media_type, kind = self._choose(types or [JSON_TYPE], notes)
            return self._bind(kind, _concrete(media_type, kind), whole[-1], arguments, whole[-1], notes)
        return None

    def _choose(self, offered: list[str], notes: list[Note]) -> tuple[str, BodyKind]:
        best = min(offered, key=lambda one: (_rank(one), offered.index(one)))
        if len(offered) > 1:
            others = ", ".join(one for one in offered if one != best)
            notes.append(info("other_bodies", f"The body is sent as {best}; the API also takes {others[:200]}."))
        return best, _kind(best)

    def _bind(
        self, kind: BodyKind, media_type: str, described: Json, arguments: Arguments, body: Json, notes: list[Note]
    ) -> Body:
        schema = self._reader.read(described["schema"], notes) if "schema" in described else {}
        parts: dict[str, Part] = {}
        file = False
        if kind in {"form", "multipart"}:
            encoding = described.get("encoding")
            schema = self._form(schema, kind, encoding if isinstance(encoding, dict) else {}, parts, notes)
        elif kind == "raw":
            schema, file = self._raw(schema, media_type, notes)
        elif "schema" not in described:
            notes.append(info("no_body_schema", "The body is not described: any JSON value is taken."))
        text = clean(body.get("description"))
        if text and "description" not in schema:
            schema = {**schema, "description": text[:1_000]}
        argument = arguments.add("body", schema, required=body.get("required") is True, prefix="request")
        return Body(kind=kind, argument=argument, content_type=media_type, parts=parts, file=file)

    def _raw(self, schema: Json, media_type: str, notes: list[Note]) -> tuple[Json, bool]:
        """Text as a string, everything else as a file."""
        view = self._shallow(schema, notes)
        words = {word: schema[word] for word in ("description",) if word in schema}
        if not _textual(media_type):
            return {**_DATA, **words}, True
        if _kinds(view) & {"string", "integer", "number", "boolean"} and view.get("format") != "binary":
            return schema, False
        if _kinds(view) & {"object", "array"}:
            text = f"The body is {media_type}: the model writes it as text, without a schema."
            notes.append(changed("text_body", text))
        return {"type": "string", "description": f"The body as {media_type}.", **words}, False

    def _form(self, schema: Json, kind: BodyKind, encoding: Json, parts: dict[str, Part], notes: list[Note]) -> Json:
        """The schema of a form with its files as objects; fills `parts`."""
        view = self._shallow(schema, notes)
        out = dict(view)
        properties: Json = {}
        for name, value in view.get("properties", {}).items():
            said = encoding.get(name)
            said = said if isinstance(said, dict) else {}
            filed = self._with_files(value, said, notes) if kind == "multipart" else None
            properties[name] = filed or value
            part = _part(said, file=filed is not None, multipart=kind == "multipart")
            if part != Part():
                parts[name] = part
        if properties:
            out["properties"] = properties
        for word in ("anyOf", "oneOf"):
            if word in view:
                out[word] = [self._form(branch, kind, encoding, parts, notes) for branch in view[word]]
        if not out.keys() & {"anyOf", "oneOf"} and "object" not in _kinds(out):
            out = {"type": "object", **({"description": out["description"]} if "description" in out else {})}
            notes.append(info("free_form", "The form's fields are not described: any are taken."))
        return out

    def _with_files(self, schema: Json, encoding: Json, notes: list[Note], depth: int = 0) -> Json | None:
        """The schema of a field with its files as objects; None where it holds none."""
        view = self._shallow(schema, notes)
        words = {word: view[word] for word in ("description",) if word in view}
        branches = [*view.get("anyOf", ()), *view.get("oneOf", ())]
        if depth > _FILE_DEPTH or _is_file(view, encoding):
            return {**_FILE, **words} if depth <= _FILE_DEPTH else None
        if "array" in _kinds(view):
            items = self._with_files(view.get("items", {}), encoding, notes, depth + 1)
            sizes: Json = {word: view[word] for word in ("minItems", "maxItems") if word in view}
            return {"type": "array", "items": items, **sizes, **words} if items else None
        if branches:
            found = [self._with_files(one, {}, notes, depth + 1) for one in branches]
            if not any(found):
                return None
            # A form leaves out what is null.
            kept = [new or old for old, new in zip(branches, found, strict=True) if old != {"type": "null"}]
            return {**kept[0], **words} if len(kept) == 1 else {"anyOf": kept, **words}
        return None

    def _shallow(self, schema: Json, notes: list[Note]) -> Json:
        """The schema itself, behind any reference, its `allOf` merged."""
        view = self._merger.settle(schema, notes)
        seen: set[str] = set()
        while isinstance(view.get("$ref"), str) and view["$ref"] not in seen:
            seen.add(view["$ref"])
            words = {word: value for word, value in view.items() if word != "$ref"}
            view = {**self._merger.definition(view["$ref"].removeprefix(DEFINITIONS)).schema, **words}
        return view


def _kinds(view: Json) -> set[str]:
    kinds = view.get("type", [])
    return {kinds} if isinstance(kinds, str) else set(kinds)


def _is_file(view: Json, encoding: Json) -> bool:
    if _kinds(view) and "string" not in _kinds(view):
        return False
    media_type = view.get("contentMediaType") or encoding.get("contentType")
    binary = isinstance(media_type, str) and not _textual(media_type) and "contentEncoding" not in view
    return view.get("format") == "binary" or view.get("contentEncoding") == "binary" or binary


def _rank(media_type: str) -> int:
    kind, plain = _kind(media_type), _plain(media_type)
    if kind == "json":
        return 0 if plain == JSON_TYPE else 1
    if kind != "raw":
        return 2 if kind == "form" else 3
    return 4 if _textual(media_type) and "xml" not in plain else 5 if _textual(media_type) else 6


def _kind(media_type: str) -> BodyKind:
    plain = _plain(media_type)
    if plain in {JSON_TYPE, "text/json", "*/*", "application/*", ""} or plain.endswith("+json"):
        return "json"
    if plain == FORM_TYPE:
        return "form"
    return "multipart" if plain.startswith("multipart/") else "raw"


def _plain(media_type: str) -> str:
    return media_type.split(";")[0].strip().lower()


def _concrete(media_type: str, kind: BodyKind) -> str:
    """A media type that can be sent."""
    plain = _plain(media_type)
    if kind == "multipart":
        return MULTIPART_TYPE if plain == "multipart/*" else plain
    if (kind == "json" and "*" in plain) or not plain:
        return JSON_TYPE
    if "*" in plain or not re.fullmatch(r"[!-~ ]{3,200}", media_type.strip()):
        return "text/plain" if plain.startswith("text/") else "application/octet-stream"
    return media_type.strip()


def _textual(media_type: str) -> bool:
    plain = _plain(media_type)
    words = ("xml", "json", "yaml", "csv", "graphql", "javascript", "sql", "ndjson", "html")
    return plain.startswith("text/") or any(word in plain.rsplit("/", 1)[-1] for word in words)


def _part(said: Json, *, file: bool, multipart: bool) -> Part:
    content_type = said.get("contentType")
    if not isinstance(content_type, str) or "," in content_type or "*" in content_type or not content_type.isascii():
        content_type = None
    if file:
        return Part(file=True, content_type=content_type)
    style = said.get("style")
    explicit = {"style", "explode", "allowReserved"} & said.keys()
    if explicit and not multipart:
        return Part(
            style=style if style in STYLES["query"] else "form",
            explode=said["explode"] if isinstance(said.get("explode"), bool) else None,
            allow_reserved=said.get("allowReserved") is True,
        )
    return Part(content_type=content_type)


def _form_schema(form: list[Json]) -> tuple[Json, Json]:
    """Schema and encodings of the form that single parameters describe."""
    properties: Json = {}
    encoding: Json = {}
    for one in form:
        properties[one["name"]] = {word: value for word, value in one.items() if word not in {"required", "name", "in"}}
        if one.get("type") == "array":
            separated = {"ssv": "spaceDelimited", "tsv": "tabDelimited", "pipes": "pipeDelimited"}
            collection = str(one.get("collectionFormat"))
            encoding[one["name"]] = {"style": separated.get(collection, "form"), "explode": collection == "multi"}
    required = [one["name"] for one in form if one.get("required") is True]
    return {"type": "object", "properties": properties, "required": required}, encoding
