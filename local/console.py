"""Addresses of the console: which file shows a page, and where an address without a language leads.

The function of CloudFront in console.yaml has the same rules; tests/golden/console_addresses.json holds both to them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

LOCALES = ("en", "de")
HOME = "agents"
COOKIE = "NEXT_LOCALE"
MISSING = "not-found"
_PAGE = re.compile(r"[a-z-]+(/[a-z-]+)*")


@dataclass(frozen=True)
class Answer:
    """`target` is a file below the console's folder, or where to go: `status` 302 or 308."""

    status: int
    target: str


class Addresses:
    """The pages that a folder holds, each in every language."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def exist(self) -> bool:
        """Tell whether the console is there."""
        return self._has(HOME)

    def _has(self, page: str) -> bool:
        return bool(_PAGE.fullmatch(page)) and (self._folder / LOCALES[0] / page / "index.html").is_file()

    def find(self, path: str, query: str = "", languages: str = "", cookie: str = "") -> Answer | None:
        """Answer a path that has passed the gateway's own routes; None where it names a file.

        `languages` is the header Accept-Language, `cookie` the language that was chosen in the console.
        """
        if not self.exist or "." in path.rpartition("/")[2]:
            return None
        parts = [part for part in path.split("/") if part]
        named = bool(parts) and parts[0] in LOCALES
        locale = parts[0] if named else _language(languages, cookie)
        page = "/".join(parts[1:] if named else parts)
        search = f"?{query}" if query else ""
        if not page:
            return Answer(302, f"/{locale}/{HOME}/{search}")
        if not self._has(page):
            return Answer(404, f"/{locale}/{MISSING}/index.html")
        if not named:
            return Answer(302, f"/{locale}/{page}/{search}")
        if path != f"/{locale}/{page}/":
            return Answer(308, f"/{locale}/{page}/{search}")
        return Answer(200, f"/{locale}/{page}/index.html")


def _language(header: str, cookie: str) -> str:
    """Choose a language: the one that was chosen before, else the one that the browser likes best."""
    if cookie in LOCALES:
        return cookie
    best, best_weight = LOCALES[0], 0.0
    for item in header.split(","):
        tag, *parameters = [part.strip().lower() for part in item.split(";")]
        name = tag.partition("-")[0]
        weight = _weight(parameters)
        if name in LOCALES and weight > best_weight:
            best, best_weight = name, weight
    return best


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return float(parameter[2:])
            except ValueError:
                return 0.0
    return 1.0
