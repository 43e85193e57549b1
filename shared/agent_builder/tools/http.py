"""Tools of the kind `http`: one call of somebody's API, made again where that is safe, and what a model sees of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Protocol

import httpx2

from agent_builder.errors import OutboundFailed, OutboundRefused, OutcomeUnknown, ToolError
from agent_builder.messages import Json, ToolSpec
from agent_builder.models.tools import HttpTool
from agent_builder.tools.answers import Content, content_of, excerpt, shaped
from agent_builder.tools.auth.masking import MASK, Masker
from agent_builder.tools.auth.material import Material
from agent_builder.tools.base import CallContext
from agent_builder.tools.egress import Answer, EgressLimits
from agent_builder.tools.http_request import HttpRequest, build_request
from agent_builder.tools.repetition import is_lost, pause, repeats_after_failure, repeats_after_status, retry_after
from agent_builder.tools.specs import spec_of

BODY_BYTES = 4 * 1024 * 1024
NOTED_BODY = 16 * 1024
# A pause that leaves less than this for the call behind it is not worth it.
_LEAST_SECONDS = 0.2
_OFF_THE_LOOP = 64 * 1024
_TOLD_HEADERS = ("location", "content-type", "content-length", "etag", "last-modified")
_UNTOLD_HEADERS = frozenset({"set-cookie", "www-authenticate", "proxy-authenticate", "authentication-info"})


class Send(Protocol):
    """Sends a request with the tool's credential, if it has one."""

    async def __call__(
        self, request: HttpRequest, limits: EgressLimits, tried: Callable[[], None]
    ) -> tuple[Answer, Material]:
        """The answer, and what was added to the request. `tried` is called for each time that it was sent."""
        ...


@dataclass(slots=True)
class _Try:
    """How far a call came. `sent` is how often it was sent, also with a renewed token within one attempt."""

    request: HttpRequest
    until: float
    attempts: int = 0
    sent: int = 0

    def tried(self) -> None:
        """Count one more."""
        self.sent += 1

    @property
    def left(self) -> float:
        return self.until - asyncio.get_running_loop().time()


@dataclass(slots=True)
class HttpCalls:
    """A tool of the kind `http`. It is called with arguments that were checked.

    Attributes:
        base_url: The integration's, for a tool that has none.
        sleep: Waits so many seconds.
    """

    tool: HttpTool
    send: Send
    base_url: str | None = None
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    spec: ToolSpec = field(init=False)

    def __post_init__(self) -> None:
        self.spec = spec_of(
            self.tool,
            input_schema=self.tool.input_schema,
            effect=self.tool.effect,
            timeout_seconds=self.tool.timeout_seconds,
        )

    async def call(self, arguments: Json, context: CallContext) -> Json:
        """Make the call, again where that is safe.

        Raises:
            OutcomeUnknown: It may have acted, and its answer was lost.
            ToolError: It was refused, failed, or answered with an error.
        """
        key = context.idempotency_key
        request = build_request(self.tool, arguments, base_url=self.base_url, idempotency_key=key)
        context.note({"request": _shown_request(request, Material())})
        turn = _Try(request, asyncio.get_running_loop().time() + self.tool.timeout_seconds)
        try:
            answer, material = await self._answered(turn)
        finally:
            context.note({"attempts": turn.sent})
        masker = Masker(material.secrets)
        if len(answer.body) > _OFF_THE_LOOP:
            content = await asyncio.to_thread(content_of, answer, masker)
        else:
            content = content_of(answer, masker)
        context.note(
            {
                "request": _shown_request(request, material),
                "response": _shown_response(answer, content, masker),
            }
        )
        if answer.status >= 300:
            raise self._error(answer, content)
        return await self._result(answer, content, masker, context)

    async def _answered(self, turn: _Try) -> tuple[Answer, Material]:
        """The first answer that stands."""
        while True:
            turn.attempts += 1
            limits = EgressLimits(max(turn.left, 0.05), wire_bytes=BODY_BYTES, body_bytes=BODY_BYTES)
            try:
                answer, material = await self.send(turn.request, limits, turn.tried)
            except OutboundRefused as refused:
                raise self._failed(refused) from refused
            except OutboundFailed as failure:
                again = repeats_after_failure(self.tool.effect, failure)
                if not (again and await self._waited(turn, pause(turn.attempts))):
                    raise self._failed(failure) from failure
                continue
            again = repeats_after_status(self.tool.effect, answer.status)
            if not (again and await self._waited(turn, pause(turn.attempts, answer.headers))):
                return answer, material

    async def _waited(self, turn: _Try, seconds: float) -> bool:
        """Wait before the next attempt; False where there is none, or no time for it."""
        if turn.attempts > self.tool.retries or seconds + _LEAST_SECONDS > turn.left:
            return False
        await self.sleep(seconds)
        return True

    def _failed(self, failure: OutboundFailed | OutboundRefused) -> ToolError:
        if failure.sent and self.tool.effect == "write":
            return OutcomeUnknown(f"The call was sent, and then: {failure.detail}")
        return failure

    def _error(self, answer: Answer, content: Content) -> ToolError:
        """What a model is told of an answer that is an error, so that it can correct itself."""
        told = f"The API answered with status {answer.status}{_phrase(answer.status)}"
        wait = retry_after(answer.headers)
        if wait is not None:
            told += f" and asks to wait {wait:.0f} seconds"
        said = excerpt(content)
        detail = f"{told}: {said}" if said else f"{told}."
        if is_lost(self.tool.effect, answer.status):
            return OutcomeUnknown(detail)
        return ToolError(detail, code="api_error")

    async def _result(self, answer: Answer, content: Content, masker: Masker, context: CallContext) -> Json:
        try:
            made = await shaped(content, answer.status, self.tool.response)
        except ToolError as error:
            detail = f"The call was made and answered with status {answer.status}, but: {error.detail}"
            raise ToolError(detail) from error
        if made.whole is not None:
            context.note({"whole": made.whole})
        if content.kind == "empty":
            told = {name: masker.text(answer.headers[name]) for name in _TOLD_HEADERS if name in answer.headers}
            return {**made.result, **({"headers": told} if told else {})}
        return made.result


def _phrase(status: int) -> str:
    try:
        return f" ({HTTPStatus(status).phrase})"
    except ValueError:
        return ""


def _shown_request(request: HttpRequest, material: Material) -> Json:
    """A request for people: what was sent, with the credential blotted out."""
    masker = Masker(material.secrets)
    url, headers = material.masked().applied(request.url, request.headers)
    body = None if request.body is None else masker.text(request.body.decode("utf-8", "replace"))
    return {
        "method": request.method,
        "url": masker.text(url),
        "headers": {name: masker.text(value) for name, value in headers},
        "body": body if body is None or len(body) <= NOTED_BODY else f"{body[:NOTED_BODY]}… [cut]",
    }


def _shown_response(answer: Answer, content: Content, masker: Masker) -> Json:
    return {
        "status": answer.status,
        "url": masker.text(answer.url),
        "headers": _shown_headers(answer.headers, masker),
        "bytes": len(answer.body),
        "body": excerpt(content, NOTED_BODY),
    }


def _shown_headers(headers: httpx2.Headers, masker: Masker) -> Json:
    shown = {name: MASK if name in _UNTOLD_HEADERS else masker.text(value)[:1_000] for name, value in headers.items()}
    return dict(list(shown.items())[:50])
