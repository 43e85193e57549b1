"""What a tenant lets its tools call, and what was refused."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from agent_builder.models.agents import Strict

DEFAULT_PORTS = (80, 443)
_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"(\*\.)?({_LABEL}\.)*{_LABEL}")
_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")


def checked_rule(text: str) -> str:
    """An entry of a list in its one writing.

    Raises:
        ValueError: It is neither a host, `*.` and a host, an address, nor a network.
    """
    text = text.lower().rstrip(".")
    try:
        return str(ip_network(text, strict=False))
    except ValueError:
        pass
    if len(text) > 253 or not _HOST.fullmatch(text) or _NUMBER.fullmatch(text.rpartition(".")[2]):
        raise ValueError("must be a host like api.example.com, *.example.com for all below, or a network")
    return text


Rule = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=260),
    AfterValidator(checked_rule),
    Field(examples=["*.example.com", "198.41.0.0/24"]),
]


class EgressSettings(Strict):
    """What tools may call: `allow`, where it is not empty, and never `deny`. Neither opens what is not public."""

    allow: list[Rule] = Field(default_factory=list, max_length=200)
    deny: list[Rule] = Field(default_factory=list, max_length=200)
    ports: list[Annotated[int, Field(ge=1, le=65_535)]] = Field(
        default_factory=lambda: list(DEFAULT_PORTS), min_length=1, max_length=20
    )


@dataclass(frozen=True, slots=True)
class RefusedCall:
    """A call that was not made. `at` is in milliseconds; `host` is empty where the address could not be read."""

    id: str
    at: int
    reason: str
    purpose: str
    host: str
    port: int
