"""References inside one document. What points elsewhere is reported, never fetched."""

from __future__ import annotations

from typing import Any, Literal
from urllib.parse import unquote, urldefrag, urljoin

from agent_builder.messages import Json

_MAX_HOPS = 32


class BrokenReference(Exception):
    """A reference that leads nowhere: `reason` says whether it left the document, is missing, or goes round."""

    def __init__(self, reason: Literal["external", "missing", "cyclic"], reference: str) -> None:
        super().__init__(reference)
        self.reason = reason
        self.reference = reference[:200]

    def __str__(self) -> str:
        what = {
            "external": "is in another document, which is never fetched",
            "missing": "leads nowhere in this document",
            "cyclic": "only leads back to itself",
        }
        return f'"{self.reference}" {what[self.reason]}'


class References:
    """Resolves `$ref` by JSON Pointer (percent and tilde escapes), by `$anchor`, or by the document's own address."""

    def __init__(self, root: Json, address: str | None = None) -> None:
        self._root = root
        self._address = address
        self._found: dict[str, tuple[str, Any]] = {}
        self._anchors: dict[str, tuple[str, Any]] | None = None

    def target(self, reference: Any) -> tuple[str, Any]:
        """The pointer and the value that a `$ref` names, one hop; the value may hold a `$ref` again.

        Raises:
            BrokenReference: It is no text, leaves the document, or leads nowhere.
        """
        if not isinstance(reference, str):
            raise BrokenReference("missing", str(reference))
        if reference not in self._found:
            self._found[reference] = self._locate(reference, 0)
        return self._found[reference]

    def follow(self, node: Any) -> Any:
        """The value behind a node that may be a `$ref`, hop by hop.

        Raises:
            BrokenReference: A hop is broken, or they go round.
        """
        for _ in range(_MAX_HOPS):
            if not (isinstance(node, dict) and isinstance(node.get("$ref"), str)):
                return node
            reference = node["$ref"]
            node = self.target(reference)[1]
        raise BrokenReference("cyclic", reference)

    def _locate(self, reference: str, hops: int) -> tuple[str, Any]:
        value: Any = self._root
        fragment = self._fragment(reference)
        if fragment and not fragment.startswith("/"):
            return self._by_anchor(fragment, reference)
        pointer = "#"
        for token in fragment.split("/")[1:]:
            name = unquote(token).replace("~1", "/").replace("~0", "~")
            if isinstance(value, dict) and name not in value and token in value:
                name = token  # a key that really has a percent sign
            while isinstance(value, dict) and name not in value and isinstance(value.get("$ref"), str):
                hops += 1
                if hops > _MAX_HOPS:
                    raise BrokenReference("cyclic", reference)
                pointer, value = self._locate(value["$ref"], hops)
            value = _step(value, name, reference)
            pointer += "/" + name.replace("~", "~0").replace("/", "~1")
        return pointer, value

    def _fragment(self, reference: str) -> str:
        if reference.startswith("#"):
            return reference[1:]
        place, fragment = urldefrag(reference)
        own = urldefrag(self._address)[0] if self._address else None
        try:
            if own and urljoin(own, place) == own:
                return fragment
        except ValueError:
            pass
        raise BrokenReference("external", reference)

    def _by_anchor(self, name: str, reference: str) -> tuple[str, Any]:
        if self._anchors is None:
            self._anchors = _anchors(self._root)
        if name not in self._anchors:
            raise BrokenReference("missing", reference)
        return self._anchors[name]


def _step(value: Any, name: str, reference: str) -> Any:
    if isinstance(value, dict) and name in value:
        return value[name]
    if isinstance(value, list) and name.isdecimal() and int(name) < len(value):
        return value[int(name)]
    raise BrokenReference("missing", reference)


def _anchors(root: Json) -> dict[str, tuple[str, Any]]:
    """Every `$anchor` and `$dynamicAnchor` of the document; the first of a name counts."""
    found: dict[str, tuple[str, Any]] = {}
    waiting: list[tuple[str, Any]] = [("#", root)]
    while waiting:
        pointer, value = waiting.pop()
        if isinstance(value, list):
            waiting += [(f"{pointer}/{index}", item) for index, item in enumerate(value)]
        elif isinstance(value, dict):
            for word in ("$anchor", "$dynamicAnchor"):
                if isinstance(value.get(word), str):
                    found.setdefault(value[word], (pointer, value))
            waiting += [(f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}", item) for key, item in value.items()]
    return found
