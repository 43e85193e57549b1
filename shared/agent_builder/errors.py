"""Every error of the product.

An error has one audience. Callers see `code` and `detail` (REST as problem+json, WebSocket as an `error`
frame); models see `ToolError.detail`; operators see the log. `detail` is always our own words: no text of a
vendor, no secret, no content.

    AgentBuilderError
    ├── CallerError                    somebody asked for something that cannot be done
    │   ├── MalformedRequest       400 bytes that are not the JSON we accept
    │   ├── Unauthenticated        401
    │   ├── Forbidden              403
    │   ├── NotFound               404 unknown, foreign or deleted: one answer
    │   ├── MethodNotAllowed       405
    │   ├── Conflict               409 the state does not allow it
    │   ├── PreconditionFailed     412 If-Match names an old revision
    │   ├── PayloadTooLarge        413
    │   ├── UnsupportedMediaType   415
    │   ├── Unprocessable          422 well-formed, but not valid; names each fault
    │   │   └── IdempotencyMismatch    same key, other content
    │   └── TooManyRequests        429
    ├── ProviderError                  a model vendor failed, by kind
    ├── BudgetExceeded                 a model was not asked: its answer might cost more than is allowed
    ├── ToolError                      a tool failed; `detail` is told to the model
    │   ├── OutcomeUnknown             it may have acted; never repeated by itself
    │   ├── ReconnectNeeded            a person must connect its credential (again)
    │   ├── OutboundRefused            a call to the outside may not be made, and was not
    │   ├── OutboundFailed             a call to the outside failed, perhaps after it had an effect
    │   ├── GrantRefused               an authorization server says no: a person must connect again
    │   └── TokenEndpointFailed        an authorization server did not answer as it should
    ├── StoreError                 503 the table did not answer as it should
    │   ├── StoreRefused               the write itself is not acceptable; again will not help
    │   ├── RaceLost                   a condition no longer held; the caller decides what that means
    │   └── FenceLost                  another runner owns the conversation now; stop writing
    ├── SecretsUnavailable         503 the key that protects secrets cannot be used now
    ├── SecretUnreadable           500 a stored secret is not what was sealed for its place (operators)
    ├── IssuerUnavailable          503 the issuer's signing keys cannot be had (operators)
    └── ConfigurationError         500 the deployment is wrong (operators)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

ProviderErrorKind = Literal[
    "auth",
    "rate_limit",
    "overloaded",
    "context_too_long",
    "content_filter",
    "invalid_request",
    "model_not_found",
    "broken_stream",
    "timeout",
    "unavailable",
]

RefusalReason = Literal[
    "address",  # not public, or a name that has no address
    "denied",  # on the tenant's deny list
    "header",
    "insecure",  # a secret would travel without TLS
    "not_allowed",  # not on the tenant's allow list
    "port",
    "redirect",
    "scheme",
    "url",
]
OutboundFailureKind = Literal["connect", "timeout", "too_large", "protocol", "redirect"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with an input.

    Attributes:
        pointer: JSON Pointer (RFC 6901) into the body, or `query/<name>`, `header/<name>`, `path/<name>`.
        message: What is wrong and what would be right.
    """

    pointer: str
    message: str


class AgentBuilderError(Exception):
    """Base class. `code` is stable and for programs, `detail` for people."""

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"
    retryable: bool = False

    def __init__(self, detail: str = "", *, code: str | None = None) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self._code = code

    @property
    def error_code(self) -> str:
        """The stable code of this very error: its own, else its class's."""
        return self._code or self.code


class CallerError(AgentBuilderError):
    """The request cannot be served as it is; the caller can change that."""

    code = "bad_request"
    status = 400
    title = "Bad request"


class MalformedRequest(CallerError):
    """Bytes that are not the JSON that is accepted here."""

    code = "malformed_request"
    title = "Malformed request"


class Unauthenticated(CallerError):
    """No identity came with the request."""

    code = "unauthenticated"
    status = 401
    title = "Not signed in"


class Forbidden(CallerError):
    """The identity may not do this."""

    code = "forbidden"
    status = 403
    title = "Not allowed"


class NotFound(CallerError):
    """Unknown, foreign or deleted: the caller cannot tell which."""

    code = "not_found"
    status = 404
    title = "Not found"


class MethodNotAllowed(CallerError):
    """The path exists, the method does not. `allow` lists those that do."""

    code = "method_not_allowed"
    status = 405
    title = "Method not allowed"

    def __init__(self, detail: str = "", *, allow: tuple[str, ...] = ()) -> None:
        super().__init__(detail)
        self.allow = allow


class Conflict(CallerError):
    """The present state does not allow it."""

    code = "conflict"
    status = 409
    title = "Conflict"


class PreconditionFailed(CallerError):
    """`If-Match` names a revision that is no longer the current one."""

    code = "precondition_failed"
    status = 412
    title = "Precondition failed"


class PayloadTooLarge(CallerError):
    """The body or frame is larger than what is accepted."""

    code = "payload_too_large"
    status = 413
    title = "Payload too large"


class UnsupportedMediaType(CallerError):
    """The body is not declared as JSON."""

    code = "unsupported_media_type"
    status = 415
    title = "Unsupported media type"


class Unprocessable(CallerError):
    """Well-formed, but not valid. `faults` says where and why; a frame's own id goes back with it."""

    client_message_id: str | None = None

    code = "validation_failed"
    status = 422
    title = "Validation failed"

    def __init__(self, detail: str = "", *, faults: tuple[Fault, ...] = (), code: str | None = None) -> None:
        super().__init__(detail, code=code)
        self.faults = faults


class IdempotencyMismatch(Unprocessable):
    """The key was used before, with other content."""

    code = "idempotency_mismatch"
    title = "Idempotency key reused"


class TooManyRequests(CallerError):
    """A limit was reached. `retry_after` is in seconds."""

    code = "rate_limited"
    status = 429
    title = "Too many requests"
    retryable = True

    def __init__(self, detail: str = "", *, retry_after: float | None = None, code: str | None = None) -> None:
        super().__init__(detail, code=code)
        self.retry_after = retry_after


class ProviderError(AgentBuilderError):
    """A model vendor failed.

    Attributes:
        kind: What happened, the same for every vendor.
        retry_after: Seconds the vendor asked to wait, if it did.
        vendor_status: HTTP status of the vendor's answer, if there was one.
        lost: Whether it may be charged for all the same: the vendor had begun to answer, or nobody knows.
        retries: How often it had been asked in vain before.
    """

    code = "provider_error"
    status = 502
    title = "The model provider failed"

    RETRYABLE: ClassVar[frozenset[str]] = frozenset(
        {"rate_limit", "overloaded", "broken_stream", "timeout", "unavailable"}
    )

    def __init__(
        self,
        kind: ProviderErrorKind,
        detail: str,
        *,
        retry_after: float | None = None,
        vendor_status: int | None = None,
        retryable: bool | None = None,
    ) -> None:
        super().__init__(detail, code=f"provider_{kind}")
        self.kind, self.retries = kind, 0
        self.retry_after, self.vendor_status = retry_after, vendor_status
        self.lost = vendor_status is None and kind in ("broken_stream", "timeout")
        self.retryable = kind in self.RETRYABLE if retryable is None else retryable


class BudgetExceeded(AgentBuilderError):
    """A budget has no room for what a model's answer may cost, so it was not asked."""

    code, status, title = "budget_exceeded", 429, "The budget is used up"


class ToolError(AgentBuilderError):
    """A tool could not do it. `detail` is told to the model, so that it can try otherwise."""

    code, status, title = "tool_error", 422, "The tool failed"


class OutcomeUnknown(ToolError):
    """What the tool was asked for may have happened: its answer was lost. It is never repeated by itself."""

    code, title = "tool_outcome_unknown", "Whether the tool acted is not known"


class ReconnectNeeded(ToolError):
    """A person must connect a credential, for the first time or again, before the tool works."""

    code = "needs_reconnect"
    title = "The sign-in of this tool is missing"

    def __init__(self, detail: str, *, credential_id: str, code: str | None = None) -> None:
        super().__init__(detail, code=code)
        self.credential_id = credential_id


class OutboundRefused(ToolError):
    """A call to the outside that may not be made. `sent`: a server got it, and redirected it there."""

    code = "outbound_refused"
    title = "This may not be called"

    def __init__(self, reason: RefusalReason, detail: str) -> None:
        super().__init__(detail)
        self.reason: RefusalReason = reason
        self.sent = False


class OutboundFailed(ToolError):
    """A call to the outside that failed.

    Attributes:
        kind: What happened.
        sent: Whether any of it may have reached the server, which may then have acted on it.
    """

    code = "outbound_failed"
    title = "The call failed"

    def __init__(self, kind: OutboundFailureKind, detail: str, *, sent: bool) -> None:
        super().__init__(detail)
        self.kind = kind
        self.sent = sent


class GrantRefused(ToolError):
    """An authorization server says no, and would again. `failure` is its word for it, if it is a known one."""

    code = "grant_refused"
    title = "The authorization server refuses"

    def __init__(self, failure: str) -> None:
        super().__init__(f"The authorization server refuses ({failure}); the credential must be connected again.")
        self.failure = failure


class TokenEndpointFailed(ToolError):
    """An authorization server did not answer as it should; it may later. `sent`: it may have acted all the same."""

    code = "token_endpoint_failed"
    title = "The authorization server did not answer"
    retryable = True

    def __init__(self, detail: str, *, sent: bool) -> None:
        super().__init__(detail)
        self.sent = sent


class StoreError(AgentBuilderError):
    """The table did not answer as it should, after retries."""

    code = "store_unavailable"
    status = 503
    title = "Storage is briefly unavailable; try again"
    retryable = True


class StoreRefused(StoreError):
    """The write itself is not acceptable, as an item that is too large: to try again does not help."""

    code = "store_refused"
    status = 500
    title = "This could not be stored"
    retryable = False


class RaceLost(StoreError):
    """A condition no longer held.

    `failed` maps the name of each write whose condition failed to the raw item that stood there, if any.
    """

    code = "race_lost"
    status = 409

    def __init__(self, detail: str = "", *, failed: Mapping[str, Mapping[str, Any] | None] | None = None) -> None:
        super().__init__(detail)
        self.failed = dict(failed or {})


class FenceLost(StoreError):
    """Another runner owns the conversation, or it is gone: stop, and write nothing more."""

    code, status = "fence_lost", 409


class SecretsUnavailable(AgentBuilderError):
    """The key that protects secrets cannot be used now."""

    code = "secrets_unavailable"
    status = 503
    title = "Secrets cannot be protected or read right now; try again"
    retryable = True


class SecretUnreadable(AgentBuilderError):
    """A stored secret is not what was sealed for its place: it was moved, changed, or its key is gone."""

    code, title = "secret_unreadable", "A stored secret cannot be read; enter it again"


class IssuerUnavailable(AgentBuilderError):
    """The issuer does not say which keys it signs with. Never shown to a caller."""

    code, status, title = "issuer_unavailable", 503, "Sign-in unavailable"


class ConfigurationError(AgentBuilderError):
    """The deployment is wrong: a variable is missing or unusable."""

    code, title = "misconfigured", "The service is misconfigured"
