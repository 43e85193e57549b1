"""What can go wrong for those who use the client.

ClientError          has `code` (as in docs/api.md, or one of ours), `retryable`, `final`
    Refused          the server refused a message, or the whole connection
    TooLarge         a message that no frame holds; found before it is sent
    InvalidContent   a message that no JSON carries: empty, or with half a surrogate pair
    Closed           the client was closed while somebody waited
    TicketFailed     no ticket could be had; `final` where asking again would not help
"""

from __future__ import annotations


class ClientError(Exception):
    """Anything that this client reports. `final`: the client does not try again by itself."""

    code = "client_error"

    def __init__(self, detail: str, *, code: str | None = None, retryable: bool = False, final: bool = False) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or self.code
        self.retryable = retryable
        self.final = final


class Refused(ClientError):
    """The server said no; `code` says why."""

    code = "refused"


class TooLarge(ClientError):
    """The message does not fit into a frame (32 KB of JSON)."""

    code = "payload_too_large"


class InvalidContent(ClientError):
    """The message is empty or no valid text."""

    code = "invalid_content"


class Closed(ClientError):
    """The client was closed."""

    code = "closed"


class TicketFailed(ClientError):
    """The ticket for the connection could not be had."""

    code = "ticket_failed"
