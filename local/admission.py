"""Who may use a route: everybody, as one fixed person, or whom the template's authorizers let in.

The second asks them as API Gateway does: not at all without the headers they need (401), with an event of its own, and
keeps their answer as long as the template says. A refusal is a 403, an authorizer that fails a 500.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from local.environment import Result
from local.events import connect_authorizer_event, http_authorizer_event
from local.lambda_service import LambdaService
from local.template import Authorizer

Identity = Mapping[str, Any]
_KEPT = 10_000
_TIMEOUT_SECONDS = 10.0


@dataclass
class Refused(Exception):
    """A request may not pass. The status and message are API Gateway's own."""

    status: int
    message: str


class Admission(Protocol):
    """Decides about requests; an answer is the context for the route's function, None where nobody is asked."""

    async def request(self, authorizer: Authorizer | None, event: dict[str, Any]) -> Identity | None:
        """Decide about an event of the HTTP API. Raises Refused."""

    async def connect(
        self, authorizer: Authorizer | None, event: dict[str, Any], parameters: Mapping[str, str]
    ) -> Identity | None:
        """Decide about a $connect; `parameters` are those of the public path. Raises Refused."""


@dataclass(frozen=True)
class Everybody:
    """Lets everybody in, as one person. On a WebSocket, the public path's parameters are known as well."""

    identity: Identity

    async def request(self, authorizer: Authorizer | None, event: dict[str, Any]) -> Identity | None:
        """Let it in."""
        return self.identity

    async def connect(
        self, authorizer: Authorizer | None, event: dict[str, Any], parameters: Mapping[str, str]
    ) -> Identity | None:
        """Let it in."""
        return {**self.identity, **parameters}


class Authorizers:
    """Lets in whom the authorizer functions let in."""

    def __init__(self, functions: LambdaService, clock: Callable[[], float] = time.monotonic) -> None:
        self._functions = functions
        self._clock = clock
        self._kept: dict[tuple[str, ...], tuple[float, Identity | None]] = {}

    async def request(self, authorizer: Authorizer | None, event: dict[str, Any]) -> Identity | None:
        """Ask the authorizer, or remember what it said of the same headers."""
        if authorizer is None:
            return None
        if not all(event["headers"].get(name) for name in authorizer.headers):
            raise Refused(401, "Unauthorized")
        question = http_authorizer_event(event, authorizer.headers)
        name = (authorizer.function, *question["identitySource"])
        until, identity = self._kept.get(name, (0.0, None))
        if self._clock() >= until:
            identity = _simple(await self._ask(authorizer, question))
            if len(self._kept) > _KEPT:
                self._kept.clear()
            self._kept[name] = (self._clock() + authorizer.ttl, identity)
        if identity is None:
            raise Refused(403, "Forbidden")
        return identity

    async def connect(
        self, authorizer: Authorizer | None, event: dict[str, Any], parameters: Mapping[str, str]
    ) -> Identity | None:
        """Ask the authorizer; of a handshake nothing is remembered."""
        if authorizer is None:
            return None
        answer = await self._ask(authorizer, connect_authorizer_event(event))
        statements = answer.get("policyDocument", {}).get("Statement", [])
        if not statements or any(statement.get("Effect") != "Allow" for statement in statements):
            raise Refused(403, "Forbidden")
        return {**answer.get("context", {}), "principalId": answer.get("principalId", "")}

    async def _ask(self, authorizer: Authorizer, question: dict[str, Any]) -> dict[str, Any]:
        function = self._functions.find(authorizer.function)
        invocation = self._functions.submit(function, json.dumps(question).encode())
        try:
            result = await asyncio.wait_for(asyncio.shield(invocation.result), _TIMEOUT_SECONDS)
        except TimeoutError:
            raise Refused(500, "Internal Server Error") from None
        return _decided(result)


def _decided(result: Result) -> dict[str, Any]:
    try:
        answer = json.loads(result.payload)
    except ValueError:
        answer = None
    if result.error is not None or not isinstance(answer, dict):
        unauthorized = isinstance(answer, dict) and answer.get("errorMessage") == "Unauthorized"
        raise Refused(401, "Unauthorized") if unauthorized else Refused(500, "Internal Server Error")
    return answer


def _simple(answer: dict[str, Any]) -> Identity | None:
    if answer.get("isAuthorized") is not True:
        return None
    return dict(answer.get("context") or {})
