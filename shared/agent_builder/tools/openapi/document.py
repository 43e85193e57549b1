"""From bytes to a checked tree: JSON or YAML, with limits, and which version of OpenAPI it says it is."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any, Literal

from agent_builder.errors import PayloadTooLarge, Unprocessable
from agent_builder.messages import Json
from agent_builder.tools.openapi import yaml_text
from agent_builder.tools.openapi.yaml_text import Lost, refused

MAX_BYTES = 16 * 1024 * 1024
MAX_NODES = 2_000_000
MAX_DEPTH = 100
Dialect = Literal["2.0", "3.0", "3.1"]


@dataclass(slots=True)
class Document:
    """A description as it was read.

    Attributes:
        root: The tree; every key is a string. Parts of it may be shared, so it is never changed.
        dialect: Whose rules hold: Swagger 2.0, OpenAPI 3.0, or OpenAPI 3.1 and later.
        version: As the document says it.
        lost: Values that a later duplicate key replaced.
    """

    root: Json
    dialect: Dialect
    version: str
    format: Literal["json", "yaml"]
    lost: list[Lost] = field(default_factory=list)


def load(data: bytes, *, max_bytes: int = MAX_BYTES) -> Document:
    """Read a description.

    Raises:
        PayloadTooLarge: It has more than `max_bytes`.
        Unprocessable: It cannot be read, or is no OpenAPI description; the text says which.
    """
    if len(data) > max_bytes:
        raise PayloadTooLarge(f"The description has {len(data):,} bytes; at most {max_bytes:,} are accepted.")
    text = _text(data)
    root, lost, kind = _parse(text)
    _inspect(root)
    if not isinstance(root, dict):
        raise refused("An OpenAPI description is an object; this is not.")
    dialect, version = _version(root)
    return Document(root=root, dialect=dialect, version=version, format=kind, lost=lost)


def _text(data: bytes) -> str:
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        text = data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise refused(f"Not UTF-8: byte {error.start} cannot be decoded.") from None
    text = text.strip()
    if not text:
        raise refused("The description is empty.")
    if re.match(r"<(!doctype|html|\?xml|[a-z]+[ >])", text[:100], re.IGNORECASE):
        raise refused("This is a web page or XML, not an OpenAPI description in JSON or YAML.")
    return text


def _parse(text: str) -> tuple[Any, list[Lost], Literal["json", "yaml"]]:
    if text[0] in "{[":
        try:
            root, lost = _json(text)
            return root, lost, "json"
        except json.JSONDecodeError as error:
            try:  # YAML in flow style looks alike
                return *yaml_text.load(text, max_nodes=MAX_NODES, max_depth=MAX_DEPTH), "yaml"
            except Unprocessable:
                where = f"line {error.lineno}, column {error.colno}"
                raise refused(f"Not JSON: {error.msg} at {where}.") from None
    return *yaml_text.load(text, max_nodes=MAX_NODES, max_depth=MAX_DEPTH), "yaml"


def _json(text: str) -> tuple[Any, list[Lost]]:
    lost: list[Lost] = []

    def build(pairs: list[tuple[str, Any]]) -> Json:
        owner = dict(pairs)
        if len(owner) != len(pairs):
            seen: Json = {}
            for key, value in pairs:
                if key in seen:
                    lost.append(Lost(owner, key, seen[key]))
                seen[key] = value
        return owner

    def whole(digits: str) -> int:
        if len(digits) > 4000:
            raise refused("A number has too many digits.")
        return int(digits)

    def constant(name: str) -> Any:
        raise refused(f"{name} is not JSON.")

    try:
        root = json.loads(
            text, object_pairs_hook=build, parse_int=whole, parse_float=yaml_text.real, parse_constant=constant
        )
        return root, lost
    except RecursionError:
        raise refused(f"Nested deeper than {MAX_DEPTH} levels.") from None


def _inspect(root: Any) -> None:
    """Depth, number of values, and text that no other reader would keep. Shared parts are looked at each time."""
    nodes = 0
    level = [root]
    depth = 0
    while level:
        depth += 1
        if depth > MAX_DEPTH + 1:
            raise refused(f"Nested deeper than {MAX_DEPTH} levels.")
        below: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                nodes += len(value)
                _check_text("".join(value))
                below += value.values()
            elif isinstance(value, list):
                nodes += len(value)
                below += value
            elif isinstance(value, str):
                _check_text(value)
        if nodes > MAX_NODES:
            raise refused(f"The document has more than {MAX_NODES:,} values.")
        level = below


def _check_text(text: str) -> None:
    if text.isascii():
        if "\x00" in text:
            raise refused("A text contains the NUL character.")
        return
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise refused("A text contains half of a surrogate pair.") from None


def _version(root: Json) -> tuple[Dialect, str]:
    said = root.get("openapi", root.get("swagger", root.get("swaggerVersion")))
    if said is None:
        raise refused(_no_version(root))
    version = str(said).strip()
    if version.startswith("2"):
        return "2.0", version
    if version.startswith("3.0") or version == "3":
        return "3.0", version
    if version.startswith("3."):
        return "3.1", version
    raise refused(f"Version {version[:20]} of OpenAPI is not known; 2.0, 3.0 and 3.1 are.")


def _no_version(root: Json) -> str:
    if "asyncapi" in root:
        return "This is an AsyncAPI description; it has no HTTP operations."
    if isinstance(root.get("info"), dict) and "_postman_id" in root["info"]:
        return "This is a Postman collection; export it as OpenAPI first."
    if "discoveryVersion" in root:
        return "This is a Google discovery document; convert it to OpenAPI first."
    return 'No OpenAPI description: it has neither "openapi" nor "swagger" with a version.'
