"""Which HTTP headers and values may be sent on somebody's behalf."""

from __future__ import annotations

import re

NAME_PATTERN = r"^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}$"
# Anything that does not end a line, or a string of C.
VALUE_PATTERN = r"^[\t\x20-\x7e\u0080-\U0010ffff]*$"
VALUE_LIMIT = 16_384

# These belong to the connection; whoever could set them could speak a second request into the first.
_RESERVED = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_NAME, _VALUE = re.compile(NAME_PATTERN[1:-1]), re.compile(VALUE_PATTERN[1:-1])


def is_name(text: str) -> bool:
    """Whether it is a header's name, and not one of the connection's own."""
    lower = text.lower()
    return bool(_NAME.fullmatch(text)) and lower not in _RESERVED and not lower.startswith("proxy-")


def is_value(text: str) -> bool:
    """Whether it can be a header's value."""
    return len(text) <= VALUE_LIMIT and bool(_VALUE.fullmatch(text))
