"""YAML as OpenAPI means it (the JSON schema of YAML 1.2), read from events with a budget.

The usual loaders follow YAML 1.1 (`no` is false, dates become objects, keys become numbers) and share aliased nodes
without counting them, so that a small file can unfold into gigabytes later. Here an alias costs what it stands for.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from agent_builder.errors import Unprocessable

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"[-+]?[0-9]{1,4000}")
_BASED = re.compile(r"0(?:x[0-9a-fA-F]+|o[0-7]+)")
_REAL = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,3})?")
_WORDS: dict[str, Any] = dict.fromkeys(("", "~", "null", "Null", "NULL"))
_WORDS |= dict.fromkeys(("true", "True", "TRUE"), True) | dict.fromkeys(("false", "False", "FALSE"), False)
_MERGE = object()


@dataclass(slots=True)
class Lost:
    """A key that stood twice in one object: `value` is what the later one replaced."""

    owner: dict[str, Any]
    key: str
    value: Any


@dataclass(slots=True)
class _Frame:
    container: Any
    anchor: str | None
    before: int
    key: Any = None
    merges: list[Any] = field(default_factory=list)


def load(text: str, *, max_nodes: int, max_depth: int) -> tuple[Any, list[Lost]]:
    """Read one YAML document.

    Raises:
        Unprocessable: It is no YAML, several documents, too deep, or unfolds into too many values.
    """
    builder = _Builder(max_nodes, max_depth)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise refused(f"Not YAML: {error.problem or 'it cannot be read'}{where}.") from None
    except yaml.YAMLError:
        raise refused("Not YAML: it contains characters that are not allowed.") from None
    if builder.documents != 1:
        raise refused(f"One YAML document is expected; there are {builder.documents}.")
    return builder.root, builder.lost


def refused(detail: str) -> Unprocessable:
    """The error for a description that cannot be read."""
    return Unprocessable(detail, code="openapi_unreadable")


class _Builder:
    def __init__(self, max_nodes: int, max_depth: int) -> None:
        self.root: Any = None
        self.documents = 0
        self.lost: list[Lost] = []
        self._stack: list[_Frame] = []
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._nodes = 0
        self._max_nodes = max_nodes
        self._max_depth = max_depth

    def take(self, event: yaml.Event) -> None:
        """One event of the parser."""
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.MappingStartEvent):
            self._open({}, event.anchor)
        elif isinstance(event, yaml.SequenceStartEvent):
            self._open([], event.anchor)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self._close()
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            self._anchors.clear()

    def _count(self, nodes: int) -> None:
        self._nodes += nodes
        if self._nodes > self._max_nodes:
            raise refused(f"The document unfolds into more than {self._max_nodes:,} values.")

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        self._count(1)
        if self._expects_key():
            plain = event.implicit[0]
            self._stack[-1].key = _MERGE if plain and event.value == "<<" else event.value
            if event.anchor:
                self._anchors[event.anchor] = (event.value, 1)
            return
        value = _plain(event.value) if event.implicit[0] or _typed(event.tag) else event.value
        if event.anchor:
            self._anchors[event.anchor] = (value, 1)
        self._put(value)

    def _expects_key(self) -> bool:
        return bool(self._stack) and isinstance(self._stack[-1].container, dict) and self._stack[-1].key is None

    def _open(self, container: Any, anchor: str | None) -> None:
        if self._expects_key():
            raise refused("A key of an object must be text.")
        self._count(1)
        if len(self._stack) >= self._max_depth:
            raise refused(f"Nested deeper than {self._max_depth} levels.")
        self._stack.append(_Frame(container, anchor, self._nodes - 1))

    def _close(self) -> None:
        frame = self._stack.pop()
        for merged in frame.merges:
            for key, value in merged.items():
                frame.container.setdefault(key, value)
        if frame.anchor:
            self._anchors[frame.anchor] = (frame.container, self._nodes - frame.before)
        self._put(frame.container)

    def _alias(self, event: yaml.AliasEvent) -> None:
        if event.anchor not in self._anchors:
            raise refused("An alias refers to what surrounds it, or to nothing.")
        value, nodes = self._anchors[event.anchor]
        self._count(nodes)
        if not self._expects_key():
            self._put(value)
        elif isinstance(value, str):
            self._stack[-1].key = value
        else:
            raise refused("A key of an object must be text.")

    def _put(self, value: Any) -> None:
        if not self._stack:
            self.root = value
            return
        frame = self._stack[-1]
        if isinstance(frame.container, list):
            frame.container.append(value)
            return
        key, frame.key = frame.key, None
        if key is _MERGE:
            merges = value if isinstance(value, list) else [value]
            frame.merges += [merged for merged in merges if isinstance(merged, dict)]
            return
        if key in frame.container:
            self.lost.append(Lost(frame.container, key, frame.container[key]))
        frame.container[key] = value


def _typed(tag: str | None) -> bool:
    return tag is not None and tag in {f"tag:yaml.org,2002:{kind}" for kind in ("int", "float", "bool", "null")}


def _plain(text: str) -> Any:
    """What an unquoted scalar means."""
    if text in _WORDS:
        return _WORDS[text]
    if not text[0].isdigit() and text[0] not in "+-.":
        return text
    if _INTEGER.fullmatch(text):
        return int(text)
    if _BASED.fullmatch(text):
        return int(text, 0)
    return real(text) if _REAL.fullmatch(text) else text


def real(text: str) -> float | str:
    """The number; as text where it is too large for one, so that nothing ever becomes infinite."""
    value = float(text)
    return text if math.isinf(value) else value
