"""Which route of an HTTP API a request takes: the most specific path, and of two methods the named one before ANY."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from local.template import Route

_PARAMETER = re.compile(r"\{([^}+]+)(\+?)\}")


@dataclass(frozen=True)
class Match:
    """A route, its key, and the decoded values of its path parameters."""

    route: Route
    key: str
    parameters: dict[str, str]


class Routes:
    """The routes of one API."""

    def __init__(self, routes: Sequence[Route]) -> None:
        ordered = sorted(routes, key=lambda route: (_rank(route.path), route.method == "ANY"))
        self._routes = [(route, pattern(route.path)) for route in ordered]

    def find(self, method: str, path: str) -> Match | None:
        """Return the route of a request, None when it has none. `path` is raw."""
        for route, expression in self._routes:
            found = expression.fullmatch(path)
            if found and route.method in ("ANY", method):
                key = "$default" if route.path == "$default" else f"{route.method} {route.path}"
                return Match(route, key, {name: unquote(value) for name, value in found.groupdict().items()})
        return None

    def methods(self, path: str) -> set[str]:
        """Return the methods of the routes that a path matches."""
        return {route.method for route, expression in self._routes if expression.fullmatch(path)}


def pattern(path: str) -> re.Pattern[str]:
    """Return the expression that matches a path template; `{name}` is one segment, `{name+}` all that follow."""
    if path == "$default":
        return re.compile(".*", re.DOTALL)
    position, text = 0, ""
    for parameter in _PARAMETER.finditer(path):
        text += re.escape(path[position : parameter.start()])
        text += f"(?P<{parameter[1]}>{'.+' if parameter[2] else '[^/]+'})"
        position = parameter.end()
    return re.compile(text + re.escape(path[position:]), re.DOTALL)


def _rank(path: str) -> tuple[int, int]:
    """Sort exact paths first, then by the number of literal segments, greedy ones and $default last."""
    kind = 3 if path == "$default" else 2 if "+}" in path else 1 if "{" in path else 0
    return kind, -sum("{" not in segment for segment in path.split("/"))
