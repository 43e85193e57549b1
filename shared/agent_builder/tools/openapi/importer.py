"""A description becomes a preview: operations, tools, servers, credentials, and everything that had to be said."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

import jsonschema_rs
from pydantic import ValidationError

from agent_builder.messages import Json
from agent_builder.models.tools import DESCRIPTION_LIMIT, READ_METHODS, Body, HttpTool, Parameter
from agent_builder.tools.openapi.assembly import Assembly, shortened
from agent_builder.tools.openapi.bodies import BodyReader
from agent_builder.tools.openapi.document import Document, load
from agent_builder.tools.openapi.keywords import clean
from agent_builder.tools.openapi.listing import Found, listed
from agent_builder.tools.openapi.merging import Merger
from agent_builder.tools.openapi.naming import tool_name
from agent_builder.tools.openapi.notes import Note, Skip, changed, distinct, info, skipped
from agent_builder.tools.openapi.parameters import Arguments, ParameterReader, gather
from agent_builder.tools.openapi.preview import ImportedOperation, ImportPreview
from agent_builder.tools.openapi.references import BrokenReference, References
from agent_builder.tools.openapi.schema_reader import SchemaReader
from agent_builder.tools.openapi.security import check_usable, options, schemes_of, sent_by_credentials
from agent_builder.tools.openapi.servers import chosen, names_inside, servers_of
from agent_builder.tools.openapi.spreading import spreading
from agent_builder.tools.openapi.yaml_text import refused


def preview(data: bytes, *, address: str | None = None, seconds: float = math.inf) -> ImportPreview:
    """Read a description and say what each of its operations becomes.

    Args:
        data: The description as JSON or YAML.
        address: Where it was found: relative servers are relative to it.
        seconds: How long that may take; looked at between operations.

    Raises:
        PayloadTooLarge, Unprocessable: It cannot be read at all, or not in time; the text says why.
    """
    until = time.monotonic() + seconds
    return Importer(load(data), address, until=until).preview()


class Importer:
    """One description on its way to a preview."""

    def __init__(self, document: Document, address: str | None = None, *, until: float = math.inf) -> None:
        self._until = until
        self._document = document
        self._root = document.root
        self._address = address
        self._notes: list[Note] = []
        self._references = References(self._root, address)
        reader = SchemaReader(self._references, document.dialect, self._root)
        merger = Merger(reader)
        self._swagger = document.dialect == "2.0"
        self._assembly = Assembly(merger)
        self._parameters = ParameterReader(reader, swagger=self._swagger)
        self._bodies = BodyReader(self._references, reader, merger)
        self._schemes = schemes_of(self._root, self._references, self._notes)
        self._servers = servers_of(self._root, document.dialect, address)
        self._names: set[str] = set()

    def preview(self) -> ImportPreview:
        """The whole description."""
        operations = tuple(self._operations())
        base_url = chosen(self._servers, self._address)
        if base_url is None:
            text = "The description does not say where the API is: give the integration its base URL."
            self._notes.append(info("no_server", text))
        self._describe_rest(operations)
        said = self._root.get("info")
        about = said if isinstance(said, dict) else {}
        return ImportPreview(
            title=clean(about.get("title"))[:200] or "Untitled API",
            version=str(about.get("version", ""))[:100],
            openapi=self._document.version[:20],
            format=self._document.format,
            base_url=base_url,
            servers=self._servers,
            credentials=tuple(self._schemes.values()),
            operations=operations,
            notes=distinct(self._notes),
        )

    def _describe_rest(self, operations: tuple[ImportedOperation, ...]) -> None:
        """What the description has besides operations, and what it lost."""
        hooks = self._root.get("webhooks", self._root.get("x-webhooks"))
        if isinstance(hooks, dict) and hooks:
            text = f"{len(hooks)} webhooks are calls that the API makes; they are no tools."
            self._notes.append(info("webhooks", text))
        if lost := self._document.lost:
            keys = ", ".join(dict.fromkeys(one.key for one in lost))
            text = f"Keys stand twice in one object, of which the later counts: {keys[:300]}."
            self._notes.append(changed("duplicate_keys", text))
        if not operations:
            self._notes.append(info("no_operations", "The description has no operations."))

    def _operations(self) -> Iterator[ImportedOperation]:
        for found in listed(self._document, self._references):
            if time.monotonic() > self._until:
                raise refused("Reading this description takes too long; give a smaller part of it.")
            yield found if isinstance(found, ImportedOperation) else self._operation(found)

    def _operation(self, found: Found) -> ImportedOperation:
        notes: list[Note] = []
        said = found.said
        wanted = options(said.get("security", self._root.get("security")), self._schemes, notes)
        check_usable(wanted, self._schemes, notes)
        tool: HttpTool | None = None
        try:
            given = sent_by_credentials(wanted, self._schemes)
            tool = self._tool(found, given, notes)
        except Skip as reason:
            notes.append(reason.note)
        except RecursionError:
            notes.append(skipped("too_deep", "Its schemas are nested too deeply."))
        except ValidationError as error:
            fault = error.errors()[0]
            where = ".".join(str(step) for step in fault["loc"])
            notes.append(skipped("invalid_tool", f"No valid tool can be made: {where}: {fault['msg']}."[:300]))
        tags = said.get("tags")
        return ImportedOperation(
            key=found.key,
            method=found.method,
            path=found.path,
            operation_id=_text(said.get("operationId")) or None,
            summary=clean(said.get("summary"))[:300],
            tags=tuple(str(tag)[:100] for tag in tags[:20]) if isinstance(tags, list) else (),
            deprecated=said.get("deprecated") is True,
            notes=distinct(notes),
            security=wanted,
            tool=tool,
        )

    def _tool(self, found: Found, given: set[tuple[str, str]], notes: list[Note]) -> HttpTool:
        said, item, method = found.said, found.item, found.method
        plain_path, fixed = _plain_path(found.path, notes)
        parameters = gather(self._references, item.get("parameters"), said.get("parameters"), notes=notes)
        arguments = Arguments(parameters=fixed)
        self._parameters.add_all(parameters, plain_path, arguments, given, notes)
        body = self._body(said, parameters, arguments, notes)
        schema = self._assembly.assemble(arguments.schema(), notes)
        _check(schema)
        notes += spreading(arguments.parameters, body, schema)
        operation_id = _text(said.get("operationId"))
        name = tool_name(operation_id, method, found.path, self._names)
        if operation_id and name != operation_id:
            notes.append(info("name", f"The tool is called {name}: not every vendor takes {operation_id[:100]!r}."))
        return HttpTool(
            name=name,
            description=_description(said, item, method, found.path),
            method=method,  # type: ignore[arg-type]
            base_url=self._base_url(said, item, notes),
            path=plain_path,
            parameters=tuple(arguments.parameters),
            body=body,
            input_schema=schema,
            effect="read" if method in READ_METHODS else "write",
            accept=arguments.accept or self._accept(said),
            idempotency_header=arguments.idempotency_header,
        )

    def _body(self, said: Json, listed: list[Json], arguments: Arguments, notes: list[Note]) -> Body | None:
        if self._swagger:
            consumes = said.get("consumes", self._root.get("consumes"))
            return self._bodies.add_swagger(listed, consumes, arguments, notes)
        return self._bodies.add(said["requestBody"], arguments, notes) if "requestBody" in said else None

    def _accept(self, said: Json) -> str:
        """What to ask for: the JSON type of a successful answer, else its first types, else JSON."""
        produces = said.get("produces", self._root.get("produces")) if self._swagger else None
        types: list[Any] = list(produces) if isinstance(produces, list) else []
        responses = said.get("responses")
        for code, one in responses.items() if isinstance(responses, dict) else ():
            if str(code).startswith("2") or code == "default":
                try:
                    response = self._references.follow(one)
                except BrokenReference:
                    continue
                content = response.get("content") if isinstance(response, dict) else None
                types += list(content) if isinstance(content, dict) else []
        plain = [one for one in types if isinstance(one, str) and re.fullmatch(r"[a-zA-Z0-9!#$&^_.+/;= -]{3,80}", one)]
        wanted = [one for one in plain if "json" in one][:1] or plain[:2] or ["application/json"]
        return ", ".join([*dict.fromkeys(wanted), "*/*;q=0.5"])

    def _base_url(self, said: Json, item: Json, notes: list[Note]) -> str | None:
        """The base URL of a tool that is not called at the integration's; notes an address that no call reaches."""
        own = self._own_server(said, item, notes)
        used = own or chosen(self._servers, self._address)
        if used and names_inside(used):
            text = f"{used[:200]} is no public address, so calls are refused: give another base URL."
            notes.append(info("inner_server", text))
        return own

    def _own_server(self, said: Json, item: Json, notes: list[Note]) -> str | None:
        """The base URL of an operation or path item that has servers of its own."""
        if self._swagger:
            return None
        for node in (said, item):
            servers = servers_of(node, self._document.dialect, self._address)
            if servers:
                url = chosen(servers, self._address)
                if url is None:
                    notes.append(changed("own_server", "Its own server cannot be used; the integration's is."))
                return url if url != chosen(self._servers, self._address) else None
        return None


def _plain_path(path: str, notes: list[Note]) -> tuple[str, list[Parameter]]:
    """The path with plain `{names}`, and what its query always has."""
    rest, _, fragment = path.partition("#")
    rest, _, query = rest.partition("?")
    if fragment:
        notes.append(changed("fragment", "What follows # in the path is left out: servers never see it."))
    fixed: list[Parameter] = []
    for name, value in parse_qsl(query, keep_blank_values=True):
        if "{" not in value:
            fixed.append(Parameter(name=name, location="query", value=value))
    if query:
        notes.append(changed("query_in_path", "The path has a query; its fixed parameters are always sent."))
    plain = re.sub(r"\{[+/;.?&]?([^{}:=*]+)[^{}]*\}", lambda match: f"{{{match[1].strip()}}}", rest.strip())
    plain = re.sub(r"/:([A-Za-z_]\w*)", r"/{\1}", plain)
    plain = plain if plain.startswith("/") else f"/{plain}"
    if plain != rest:
        notes.append(info("path_template", f"The path is read as {plain[:200]}."))
    return plain, fixed


def _description(said: Json, item: Json, method: str, path: str) -> str:
    summary = clean(said.get("summary")) or clean(item.get("summary"))
    text = clean(said.get("description")) or clean(item.get("description"))
    if summary and not text.lower().startswith(summary.lower().rstrip(".")):
        text = f"{summary.rstrip('.')}. {text}".strip()
    text = text or f"{method} {path}"
    if said.get("deprecated") is True:
        text = f"Deprecated. {text}"
    return shortened(text, DESCRIPTION_LIMIT)


def _check(schema: Json) -> None:
    """The last net: what is stored must be a valid schema."""
    try:
        jsonschema_rs.Draft202012Validator(schema, retriever=_never)
    except (ValueError, jsonschema_rs.ValidationError) as error:
        raise Skip("unusable_schema", f"Its input has no valid schema: {str(error).splitlines()[0][:200]}") from None


def _never(uri: str) -> Any:
    raise ValueError(f"{uri} is never fetched")


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""
