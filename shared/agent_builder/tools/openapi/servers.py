"""Where an API lives: servers with variables, relative ones against the document's own address."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urljoin, urlsplit

from pydantic import BaseModel, ConfigDict

from agent_builder.messages import Json
from agent_builder.models.tools import checked_base_url
from agent_builder.tools.egress_addresses import is_public, parsed
from agent_builder.tools.openapi.document import Dialect
from agent_builder.tools.openapi.keywords import names

_MAX_SERVERS = 50


class ServerVariable(BaseModel):
    """A part of a server's address that can be chosen."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    default: str | None
    allowed: tuple[str, ...] = ()
    description: str = ""


class Server(BaseModel):
    """One server. `url` is absolute and filled with the variables' defaults; None where something is missing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    template: str
    url: str | None
    description: str = ""
    variables: dict[str, ServerVariable] = {}


def servers_of(node: Json, dialect: Dialect, address: str | None) -> tuple[Server, ...]:
    """The servers that a document, path item or operation names, in its order; those of Swagger 2.0 as such."""
    if dialect == "2.0":
        return _swagger(node, address)
    said = node.get("servers")
    found = [_server(one, address) for one in said if isinstance(one, dict)] if isinstance(said, list) else []
    return tuple(found[:_MAX_SERVERS])


def chosen(servers: tuple[Server, ...], address: str | None) -> str | None:
    """The base URL to begin with: the first usable https one, else the first usable, else the document's own origin."""
    urls = [server.url for server in servers if server.url]
    if urls:
        return next((url for url in urls if url.startswith("https://")), urls[0])
    return None if servers else absolute("/", address)


def absolute(url: str, address: str | None) -> str | None:
    """The URL as an absolute one without a slash at the end; None where it is not usable."""
    try:
        whole = urljoin(address, url) if address else url
        if whole.startswith("//"):
            whole = f"https:{whole}"
        return checked_base_url(whole.split("?")[0].split("#")[0].rstrip("/"))
    except ValueError:
        return None


def names_inside(url: str) -> bool:
    """Whether an address is that of a machine or network of somebody's own, as it is written."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    address = parsed(host)
    if address is not None:
        return not is_public(address)
    return "." not in host or host.endswith((".localhost", ".local", ".internal"))


def _server(said: Json, address: str | None) -> Server:
    template = str(said.get("url", "/")).strip()
    described = said.get("variables")
    variables: dict[str, ServerVariable] = {}
    for name in re.findall(r"\{([^{}]*)\}", template):
        one = described.get(name) if isinstance(described, dict) else None
        one = one if isinstance(one, dict) else {}
        allowed = tuple(str(value) for value in one.get("enum") or () if isinstance(one.get("enum"), list))
        default = str(one["default"]) if one.get("default") not in (None, "") else (allowed[0] if allowed else None)
        if one.get("default") == "" and not allowed:
            default = ""
        variables[name] = ServerVariable(default=default, allowed=allowed, description=str(one.get("description", "")))
    filled: str | None = template
    for name, variable in variables.items():
        filled = None if filled is None or variable.default is None else filled.replace(f"{{{name}}}", variable.default)
    url = absolute(filled, address) if filled is not None else None
    return Server(template=template, url=url, description=str(said.get("description", ""))[:500], variables=variables)


def _swagger(node: Json, address: str | None) -> tuple[Server, ...]:
    own = urlsplit(address) if address else None
    host = node.get("host") or (own.netloc if own else "")
    base = str(node.get("basePath") or "")
    schemes = names(node.get("schemes"))
    schemes = [one for one in schemes or [own.scheme if own else "https"] if one in {"http", "https"}] or ["https"]
    if not isinstance(host, str) or not host:
        return ()
    found: list[Any] = []
    for scheme in sorted(dict.fromkeys(schemes), reverse=True):
        template = f"{scheme}://{host}/{base.lstrip('/')}".rstrip("/")
        found.append(Server(template=template, url=absolute(template, None)))
    return tuple(found)
