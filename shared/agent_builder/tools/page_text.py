"""The text of an HTML page, in one pass over it: what a reader would see, without markup, scripts and styles."""

from __future__ import annotations

import html
import re

_NAME = re.compile(r"/?([a-zA-Z][a-zA-Z0-9]{0,20})")
_SILENT = frozenset({"script", "style", "template", "svg", "noscript", "iframe", "object"})
_BREAKS = frozenset(
    "address article aside blockquote br dd div dl dt fieldset figure footer form h1 h2 h3 h4 h5 h6 header hr li main "
    "nav ol option p pre section table tbody td tfoot th thead title tr ul".split()
)


def page_text(page: str) -> str:
    """What a page says, a line for each block. Takes time in proportion to its length, whatever stands in it."""
    pieces: list[str] = []
    place = 0
    while (begin := page.find("<", place)) >= 0:
        pieces.append(page[place:begin])
        place, said = _behind(page, begin)
        pieces.append(said)
        if place < 0:
            break
    else:
        pieces.append(page[place:])
    lines = (" ".join(line.split()) for line in html.unescape("".join(pieces)).splitlines())
    return "\n".join(line for line in lines if line)


def _behind(page: str, begin: int) -> tuple[int, str]:
    """Where to go on behind what begins here, -1 for nowhere, and what stands for it in the text."""
    if page.startswith("<!--", begin):
        end = page.find("-->", begin + 4)
        return (end + 3 if end >= 0 else -1), ""
    match = _NAME.match(page, begin + 1)
    if match is None and page[begin + 1 : begin + 2] not in ("!", "?"):
        return begin + 1, "<"
    end = page.find(">", begin)
    if end < 0:
        return -1, ""
    name = match[1].lower() if match else ""
    if name in _SILENT and page[begin + 1] != "/" and page[end - 1] != "/":
        closing = re.compile(f"</{name}", re.IGNORECASE).search(page, end)
        return (closing.start() if closing else -1), " "
    return end + 1, "\n" if name in _BREAKS else ""
