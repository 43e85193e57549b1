"""What a vendor's error answer means: one table of kinds for all vendors.

Vendors' texts are read here to tell kinds apart, and go no further: they can hold what the user wrote.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from agent_builder.errors import ProviderError, ProviderErrorKind
from agent_builder.messages import ModelEvent

MAX_RETRY_AFTER = 300.0

# Anthropic, OpenAI, Google, llama.cpp, vLLM, Ollama, Mistral, in this order.
_TOO_LONG = re.compile(
    r"prompt is too long|exceed context limit|maximum context length|context window|context_length"
    r"|input token count.{0,60}exceeds|exceeds the available context|exceed_context_size|longer than the maximum model"
    r"|input length exceeds|too large for model with|request_too_large",
    re.IGNORECASE,
)
_NO_MONEY = re.compile(
    r"spend_limit|insufficient_quota|billing|credit balance|hard_limit|payment"
    r"|exceeded your current quota, please check",
    re.IGNORECASE,
)
_FILTERED = re.compile(
    r"content_?filter|content_policy|ResponsibleAIPolicy|content management policy|data_inspection", re.IGNORECASE
)
_BAD_KEY = re.compile(
    r"API_KEY_INVALID|api key not valid|invalid_api_key|incorrect api key|authentication_error|permission_error",
    re.IGNORECASE,
)
_NO_MODEL = re.compile(r"model_not_found|not_found_error|model .{0,80}does not exist", re.IGNORECASE)
_OVERLOADED = re.compile(r"overloaded|slow_down|UNAVAILABLE|at capacity", re.IGNORECASE)
_RATE = re.compile(r"rate_limit|RESOURCE_EXHAUSTED|too many requests", re.IGNORECASE)
_OURS = re.compile(
    r"invalid_request|invalid_prompt|unsupported_|INVALID_ARGUMENT|FAILED_PRECONDITION|tool_use_failed", re.IGNORECASE
)
_WORD = re.compile(r"[a-z][a-z_]+")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.\[\]-]{0,63}")

_BY_STATUS: dict[int, ProviderErrorKind] = {
    401: "auth", 402: "rate_limit", 403: "auth", 404: "model_not_found", 408: "timeout", 413: "context_too_long",
    429: "rate_limit", 503: "overloaded", 529: "overloaded",
}  # fmt: skip

_DETAIL: dict[ProviderErrorKind, str] = {
    "auth": "{vendor} refused the API key, or the key may not use this model.",
    "rate_limit": "{vendor} is limiting the rate of requests.",
    "overloaded": "{vendor} is overloaded at the moment.",
    "context_too_long": "The conversation is longer than the model's context window.",
    "content_filter": "{vendor} blocked the request by its content rules.",
    "invalid_request": "{vendor} did not accept the request{hint}. Check the agent's model settings and tools.",
    "model_not_found": "{vendor} does not know this model, or the key has no access to it.",
    "broken_stream": "{vendor}'s answer broke off.",
    "timeout": "{vendor} did not answer in time.",
    "unavailable": "{vendor} failed to answer.",
}


# Parameters that a request works without, and what to send in place of them.
_OPTIONAL: dict[str, str | None] = {
    "temperature": None, "top_p": None, "reasoning_effort": None, "reasoning": None, "include": None,
    "prompt_cache_key": None, "stream_options": None, "thinking": None, "output_config": None,
    "max_tokens": "max_completion_tokens",
}  # fmt: skip


class Refused(ProviderError):
    """An `invalid_request` whose answer names optional parameters of the request: `names`."""

    names: frozenset[str] = frozenset()

    def mended(self, body: Mapping[str, Any], fixed: Collection[str] = ()) -> dict[str, Any]:
        """The body without those parameters; those in `fixed` stay."""
        mended = dict(body)
        for name in self.names & _OPTIONAL.keys() & body.keys() - set(fixed):
            other = _OPTIONAL[name]
            if other is None:
                del mended[name]
            elif other in self.names:
                mended[other] = mended.pop(name)
        return mended


@dataclass(frozen=True, slots=True)
class Answer:
    """An error as a vendor tells it.

    Attributes:
        vendor: The name to show.
        status: HTTP status, None for an error inside a stream.
        body: The error's JSON (or text), with or without the `error` envelope.
        headers: Of the HTTP answer.
    """

    vendor: str
    status: int | None
    body: Any = None
    headers: Mapping[str, str] | None = None

    @property
    def error(self) -> dict[str, Any]:
        """The innermost error object, `{}` if there is none."""
        body = self.body[0] if isinstance(self.body, list) and self.body else self.body
        inner = body.get("error", body) if isinstance(body, dict) else None
        return inner if isinstance(inner, dict) else {}

    @property
    def text(self) -> str:
        """All of the error as text, to look for words in."""
        return self.body if isinstance(self.body, str) else json.dumps(self.body, default=str)[:20_000]

    @property
    def parameter(self) -> str | None:
        """The request parameter that the vendor names as the fault."""
        name = self.error.get("param")
        return name if isinstance(name, str) and _NAME.fullmatch(name) else None

    def failure(self) -> ProviderError:
        """The error that callers see."""
        kind = _kind(self.status, self.text)
        no_money = self.status == 402 or (kind == "rate_limit" and _NO_MONEY.search(self.text) is not None)
        if no_money:
            detail = f"The account at {self.vendor} has no budget left (spend limit or credit)."
        else:
            detail = _DETAIL[kind].format(vendor=self.vendor, hint=self._hint())
        named = frozenset(_WORD.findall(self.text)) & (_OPTIONAL.keys() | {"max_completion_tokens"})
        error_class = Refused if kind == "invalid_request" and named else ProviderError
        error = error_class(
            kind,
            detail,
            retry_after=None if no_money else _retry_after(self),
            vendor_status=self.status,
            retryable=False if no_money else None,
        )
        if isinstance(error, Refused):
            error.names = named
        return error

    def _hint(self) -> str:
        words = [self.error.get("code"), self.error.get("type"), self.error.get("status")]
        code = next((w for w in words if isinstance(w, str) and _NAME.fullmatch(w)), None)
        named = [f"`{self.parameter}`" if self.parameter else "", code or ""]
        return f" ({', '.join(n for n in named if n)})" if any(named) else ""


async def only_provider_errors(
    vendor: str, events: AsyncGenerator[ModelEvent, None]
) -> AsyncGenerator[ModelEvent, None]:
    """The same events; an answer of a shape that nobody expects becomes `broken_stream`."""
    async with aclosing(events):
        try:
            async for event in events:
                yield event
        except (LookupError, TypeError, AttributeError, ValueError, ArithmeticError) as error:
            detail = f"{vendor} sent something that is not its protocol."
            raise ProviderError("broken_stream", detail) from error


def _kind(status: int | None, text: str) -> ProviderErrorKind:
    if status is None:
        return _kind_in_stream(text)
    # Ugly servers say 500 for a prompt that is too long.
    if status in (400, 413, 422, 500) and _TOO_LONG.search(text):
        return "context_too_long"
    if status in (400, 422):
        return _kind_of_bad_request(text)
    if status == 429 and _TOO_LONG.search(text) and not _RATE.search(text):
        return "context_too_long"
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return "unavailable" if status >= 500 or status in (409, 425) else "invalid_request"


def _kind_of_bad_request(text: str) -> ProviderErrorKind:
    if _FILTERED.search(text):
        return "content_filter"
    if _BAD_KEY.search(text):
        return "auth"
    if _NO_MONEY.search(text):
        return "rate_limit"
    return "model_not_found" if _NO_MODEL.search(text) else "invalid_request"


def _kind_in_stream(text: str) -> ProviderErrorKind:
    """Inside a stream there is no status: the words decide; what says nothing is the vendor's failure."""
    rules: tuple[tuple[re.Pattern[str], ProviderErrorKind], ...] = (
        (_TOO_LONG, "context_too_long"),
        (_OVERLOADED, "overloaded"),
        (_NO_MONEY, "rate_limit"),
        (_RATE, "rate_limit"),
        (_FILTERED, "content_filter"),
        (_BAD_KEY, "auth"),
        (_NO_MODEL, "model_not_found"),
        (_OURS, "invalid_request"),
    )
    return next((kind for words, kind in rules if words.search(text)), "unavailable")


def _retry_after(answer: Answer) -> float | None:
    headers = {name.lower(): value for name, value in (answer.headers or {}).items()}
    seconds = _number(headers.get("retry-after-ms"), 0.001)
    if seconds is None:
        seconds = _number(headers.get("retry-after")) or _until(headers.get("retry-after"))
    if seconds is None:
        # google.rpc.RetryInfo in the details of Google's errors
        found = re.search(r'"retryDelay":\s*"(\d+(?:\.\d+)?)s"', answer.text)
        seconds = float(found[1]) if found else None
    return None if seconds is None else min(max(seconds, 0.0), MAX_RETRY_AFTER)


def _number(value: str | None, unit: float = 1.0) -> float | None:
    try:
        seconds = float(value) * unit if value else None
    except ValueError:
        return None
    return seconds if seconds is not None and seconds == seconds else None


def _until(date: str | None) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp() - time.time() if date else None
    except (ValueError, TypeError):
        return None
