"""Text measured in UTF-16 code units, as JavaScript and the frames' `offset` measure it."""

from __future__ import annotations

_CODING = "utf-16-le"


def length(text: str) -> int:
    """Length in code units."""
    return len(text) if text.isascii() else len(text.encode(_CODING, "surrogatepass")) // 2


def head(text: str, units: int) -> str:
    """The first `units` of a text; all of it where there are fewer."""
    if text.isascii():
        return text[:units]
    return text.encode(_CODING, "surrogatepass")[: 2 * units].decode(_CODING, "surrogatepass")


def tail(text: str, units: int) -> str:
    """What comes after the first `units` of a text."""
    if units <= 0:
        return text
    if text.isascii():
        return text[units:]
    return text.encode(_CODING, "surrogatepass")[2 * units :].decode(_CODING, "surrogatepass")
