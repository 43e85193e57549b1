"""From a tool and checked arguments to the request: method, address, headers, bytes. No I/O, no credentials.

The same tool, arguments and key give the same bytes, so that a repetition is the same request.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from agent_builder.errors import ToolError
from agent_builder.jsontext import encode
from agent_builder.messages import Json
from agent_builder.models.tools import Body, HttpTool, Parameter, Part, unsafe_segments
from agent_builder.tools.outcomes import InvalidArguments
from agent_builder.tools.request_names import check_fields, check_parameters
from agent_builder.tools.serialization import escaped, header_text, path_text, query_pairs, text

_UNPRINTABLE = re.compile(r"[^\t\x20-\x7e]")


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request that is ready to send. `headers` has each name once; no `Host`, no `Content-Length`."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes | None = None


def build_request(
    tool: HttpTool, arguments: Json, *, base_url: str | None = None, idempotency_key: str | None = None
) -> HttpRequest:
    """The request of one call.

    Args:
        arguments: Checked against `tool.input_schema` before.
        base_url: The integration's, for a tool that has none.
        idempotency_key: Sent by tools that write; stable over repetitions.

    Raises:
        ToolError: A value cannot be written where it belongs, as `..` in a path or a line break in a header, or brings
            names that belong to other parameters.
    """
    base = tool.base_url or base_url
    if not base:
        raise ToolError("The tool has no base URL: its integration must give one.")
    values = {id(parameter): _value(parameter, arguments) for parameter in tool.parameters}
    check_parameters(tool, arguments, base)
    headers = {"Accept": tool.accept}
    if idempotency_key and tool.effect == "write":
        headers[tool.idempotency_header] = _header_value(tool.idempotency_header, idempotency_key)
    query: list[str] = []
    cookies: list[str] = []
    for parameter in tool.parameters:
        value = values[id(parameter)]
        if value is None or parameter.location == "path":
            continue
        if parameter.location == "header":
            _set_header(headers, parameter.name, _header_value(parameter.name, header_text(value, parameter)))
        else:
            pairs = [f"{name}={one}" for name, one in query_pairs(parameter.name, value, parameter)]
            (query if parameter.location == "query" else cookies).extend(pairs)
    if cookies:
        headers["Cookie"] = "; ".join(cookies)
    body = _body(tool, tool.body, arguments, headers) if tool.body else None
    url = base.rstrip("/") + _path(tool, values) + ("?" + "&".join(query) if query else "")
    return HttpRequest(method=tool.method, url=url, headers=tuple(headers.items()), body=body)


def _value(parameter: Parameter, arguments: Json) -> Any:
    return parameter.value if parameter.argument is None else arguments.get(parameter.argument)


def _set_header(headers: dict[str, str], name: str, value: str) -> None:
    for known in [known for known in headers if known.lower() == name.lower()]:
        del headers[known]
    headers[name] = value


def _header_value(name: str, value: str) -> str:
    if _UNPRINTABLE.search(value):
        raise ToolError(f"The header {name} takes printable ASCII characters only, on one line.")
    return value.strip()


# ---------------------------------------------------------------- path


def _path(tool: HttpTool, values: Mapping[int, Any]) -> str:
    path = tool.path
    for parameter in tool.parameters:
        if parameter.location == "path":
            written = _path_value(parameter, values[id(parameter)])
            path = path.replace(f"{{{parameter.name}}}", written.replace("{", "%7B"))
    path = "/".join(_escaped_literal(segment) for segment in path.split("/"))
    if unsafe_segments(path):
        raise InvalidArguments("The arguments would lead to another path; use other values for its parts.")
    return path


def _path_value(parameter: Parameter, value: Any) -> str:
    """What stands in the path; never empty, and never a step up in it, even for servers that unescape too much."""
    written = path_text(parameter.name, value, parameter) if value is not None else ""
    name = parameter.argument or parameter.name
    shown = unquote(written)
    if not shown.strip():
        raise InvalidArguments(f"{name} must not be empty: it is part of the path.")
    for _ in range(3):
        if any(step in {".", ".."} for step in re.split(r"[/\\]", shown)):
            raise InvalidArguments(f"{name} must not contain '.' or '..' as a step of a path.")
        shown = unquote(shown)
    return written


def _escaped_literal(segment: str) -> str:
    """A segment with what no address may contain escaped; what is escaped already stays."""
    return re.sub(r"[^A-Za-z0-9%._~!$&'()*+,;=:@-]", lambda match: escaped(match[0]), segment)


# ---------------------------------------------------------------- bodies


def _body(tool: HttpTool, body: Body, arguments: Json, headers: dict[str, str]) -> bytes | None:
    value = arguments.get(body.argument)
    if value is None:
        return None
    _set_header(headers, "Content-Type", body.content_type)
    if body.kind == "json":
        return encode(value).encode()
    if body.kind == "raw":
        return _file(value, body.argument) if body.file else text(value).encode()
    if not isinstance(value, dict):
        raise InvalidArguments(f"{body.argument} must be an object.")
    check_fields(tool, body, value)
    if body.kind == "form":
        return _form(value, body.parts)
    content, boundary = _multipart(value, body.parts)
    _set_header(headers, "Content-Type", f"{body.content_type}; boundary={boundary}")
    return content


def _form(value: Json, parts: Mapping[str, Part]) -> bytes:
    pairs: list[str] = []
    for name, one in value.items():
        how = parts.get(name, _PLAIN)
        items = one if isinstance(one, list) and how is _PLAIN else [one]
        for item in items:
            if item is not None and how.style is None:  # text, or JSON for what has no form of its own
                pairs.append(f"{escaped(name)}={escaped(item)}")
            else:
                pairs += [f"{key}={word}" for key, word in query_pairs(name, item, how)]
    return "&".join(pairs).encode()


def _multipart(value: Json, parts: Mapping[str, Part]) -> tuple[bytes, str]:
    """Body and boundary. The boundary comes from the content, so that the same call gives the same bytes."""
    written: list[bytes] = []
    for name, one in value.items():
        how = parts.get(name, _PLAIN)
        single = how.content_type is not None and not how.file
        items = one if isinstance(one, list) and not single else [one]
        written += [_part(name, item, how) for item in items if item is not None]
    digest = hashlib.sha256(b"\0".join(written)).hexdigest()[:40]
    lines = b"".join(b"--" + digest.encode() + b"\r\n" + part + b"\r\n" for part in written)
    return lines + b"--" + digest.encode() + b"--\r\n", digest


def _part(name: str, value: Any, how: Part) -> bytes:
    head = f'Content-Disposition: form-data; name="{_quoted(name)}"'
    content_type = how.content_type
    if how.file:
        filename = value.get("filename", "file") if isinstance(value, dict) else "file"
        head += f'; filename="{_quoted(text(filename))}"'
        content = _file(value, name)
        content_type = content_type or "application/octet-stream"
    else:
        content = text(value).encode()
        content_type = content_type or ("application/json" if isinstance(value, dict | list) else None)
    if content_type:
        head += f"\r\nContent-Type: {_header_value('Content-Type', content_type)}"
    return head.encode() + b"\r\n\r\n" + content


def _quoted(name: str) -> str:
    """A name or filename as browsers write it."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A").replace("\0", "")


def _file(value: Any, name: str) -> bytes:
    if not isinstance(value, dict) or not isinstance(value.get("content"), str):
        raise InvalidArguments(f'{name} must be a file: {{"content": "…", "encoding": "text" or "base64"}}.')
    content: str = value["content"]
    encoding = value.get("encoding", "text")
    if encoding not in ("text", "base64"):
        raise InvalidArguments(f"The encoding of {name} must be text or base64.")
    if encoding == "text":
        return content.encode()
    try:
        return base64.b64decode("".join(content.split()), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidArguments(f"The content of {name} is not valid base64.") from None


_PLAIN = Part()
