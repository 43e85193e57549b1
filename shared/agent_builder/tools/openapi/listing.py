"""Every operation of a description, in its order, those that can be no tool included: none is lost in silence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from agent_builder.messages import Json
from agent_builder.tools.openapi.document import Document
from agent_builder.tools.openapi.notes import Note, skipped
from agent_builder.tools.openapi.preview import ImportedOperation
from agent_builder.tools.openapi.references import BrokenReference, References

METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
OTHER_METHODS = ("trace", "query", "connect")
MAX_OPERATIONS = 5_000


@dataclass(frozen=True, slots=True)
class Found:
    """An operation that can be read: `said` is the operation object, `item` the path item it stands in."""

    key: str
    method: str
    path: str
    said: Json
    item: Json


def listed(document: Document, references: References) -> Iterator[Found | ImportedOperation]:
    """All operations; an `ImportedOperation` in the place of one that is skipped at once, with the reason."""
    taken: set[str] = set()
    for path, item, lost in _paths(document):
        for method, said, whole in _methods(item, references):
            key = _key(method, path, taken)
            if lost:
                note = skipped("duplicate", "It stands twice; the later one is used.")
                yield _refused(key, method, path, note)
            elif len(taken) > MAX_OPERATIONS:
                note = skipped("too_many_operations", f"Only the first {MAX_OPERATIONS:,} operations are read.")
                yield _refused(key, method, path, note)
            elif isinstance(said, Note):
                yield _refused(key, method, path, said)
            else:
                yield Found(key, method, path, said, whole)


def _paths(document: Document) -> Iterator[tuple[str, Any, bool]]:
    """Path, path item, and whether a later one of the same name has replaced it."""
    paths = document.root.get("paths")
    if not isinstance(paths, dict):
        return
    for path, item in paths.items():
        if not path.startswith("x-"):
            yield path, item, False
    for lost in document.lost:
        if lost.owner is paths:
            yield lost.key, lost.value, True
        elif lost.key in METHODS:
            for path, item in paths.items():
                if item is lost.owner:
                    yield path, {lost.key: lost.value}, True


def _methods(item: Any, references: References) -> Iterator[tuple[str, Json | Note, Json]]:
    """Method, operation and path item; in the operation's place the reason why it can be no tool."""
    try:
        item = _whole(item, references)
    except BrokenReference as error:
        yield "*", skipped("broken_path", f"Its operations are not known: {error}."), {}
        return
    if not isinstance(item, dict):
        yield "*", skipped("invalid_path", "The path item is not an object."), {}
        return
    for word, said in item.items():
        method = word.upper()
        if word.lower() in OTHER_METHODS:
            yield method, skipped("method", f"{method} is not a method that tools can use."), item
        elif word.lower() in METHODS and not isinstance(said, dict):
            yield method, skipped("invalid_operation", "The operation is not an object."), item
        elif word.lower() in METHODS:
            yield method, said, item
    more = item.get("additionalOperations")
    for method in more if isinstance(more, dict) else ():
        yield method, skipped("method", f"{method[:40]} is not a method that tools can use."), item


def _whole(item: Any, references: References) -> Any:
    """A path item; what stands beside its `$ref` is added to what that refers to."""
    if isinstance(item, dict) and isinstance(item.get("$ref"), str):
        target = references.follow(item)
        own = {word: value for word, value in item.items() if word != "$ref"}
        return {**target, **own} if isinstance(target, dict) else target
    return item


def _key(method: str, path: str, taken: set[str]) -> str:
    key, number = f"{method} {path}", 1
    while key in taken:
        number += 1
        key = f"{method} {path} ({number})"
    taken.add(key)
    return key


def _refused(key: str, method: str, path: str, note: Note) -> ImportedOperation:
    return ImportedOperation(key=key, method=method, path=path, notes=(note,))
