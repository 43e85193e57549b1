"""Discriminators as plain JSON Schema: each alternative gets the constant that names it."""

from __future__ import annotations

from typing import Any

from agent_builder.messages import Json
from agent_builder.tools.openapi.references import BrokenReference, References

_MAX_CHILDREN = 25
_MAX_PARTS = 40


class Discriminators:
    """Knows which schemas of a document extend which others by `allOf`."""

    def __init__(self, references: References, root: Json) -> None:
        self._references = references
        self._root = root
        self._children: dict[str, list[str]] | None = None

    def marked(self, schema: Json) -> Json:
        """`{anyOf?, oneOf?, allOf?}` of a schema, alternatives marked with their discriminator's value."""
        said = _discriminator(schema)
        branches = {word: schema[word] for word in ("allOf", "anyOf", "oneOf") if isinstance(schema.get(word), list)}
        if said is None:
            return branches
        for word in ("anyOf", "oneOf"):
            if word in branches:
                branches[word] = [self._mark(one, said) for one in branches[word]]
        return branches

    def has_children(self, pointer: str, target: Any) -> bool:
        """Whether a schema only names the common part of schemas that extend it."""
        if not isinstance(target, dict) or not _discriminator(target) or "oneOf" in target or "anyOf" in target:
            return False
        return 0 < len(self._descendants(pointer)) <= _MAX_CHILDREN

    def family(self, pointer: str, target: Json) -> Json:
        """The alternatives that a base schema stands for: all that extend it, and itself where no mapping says else."""
        said = _discriminator(target) or {}
        branches: list[Json] = [self._mark({"$ref": child}, said) for child in self._descendants(pointer)]
        if "mapping" not in said:
            branches.append({"allOf": [{"$ref": pointer}]})
        return {"anyOf": branches, **{word: target[word] for word in ("description", "title") if word in target}}

    def _mark(self, branch: Any, discriminator: Json) -> Any:
        """`allOf` of the branch and `{property: one of its names}`."""
        if not isinstance(branch, dict) or not isinstance(branch.get("$ref"), str):
            return branch
        try:
            pointer, target = self._references.target(branch["$ref"])
        except BrokenReference:
            return branch
        name = discriminator["propertyName"]
        allowed = self._declared(target, name)
        values = self._values(pointer, discriminator.get("mapping"))
        if allowed is not None:
            values = [value for value in values if value in allowed]
            if not values:  # the schema itself says which constant it wants
                return branch
        said: Json = {"const": values[0]} if len(values) == 1 else {"enum": values}
        return {"allOf": [branch, {"properties": {name: said}, "required": [name]}]}

    def _values(self, pointer: str, mapping: Any) -> list[str]:
        found = []
        for value, place in mapping.items() if isinstance(mapping, dict) else ():
            if not isinstance(place, str):
                continue
            if place == pointer.rsplit("/", 1)[-1] or self._points_to(place, pointer):
                found.append(str(value))
        return found or [pointer.rsplit("/", 1)[-1]]

    def _points_to(self, place: str, pointer: str) -> bool:
        try:
            return self._references.target(place)[0] == pointer
        except BrokenReference:
            return False

    def _declared(self, schema: Any, name: str) -> list[Any] | None:
        """The constants that a schema itself allows for the property, the last part of an `allOf` first."""
        waiting = [schema]
        for _ in range(_MAX_PARTS):
            if not waiting:
                break
            try:
                one = self._references.follow(waiting.pop())
                properties = one.get("properties") if isinstance(one, dict) else None
                said = self._references.follow(properties.get(name)) if isinstance(properties, dict) else None
            except BrokenReference:
                continue
            if isinstance(said, dict) and ("const" in said or isinstance(said.get("enum"), list)):
                return [said["const"]] if "const" in said else said["enum"]
            if isinstance(one, dict) and isinstance(one.get("allOf"), list):
                waiting += one["allOf"]
        return None

    def _descendants(self, pointer: str) -> list[str]:
        if self._children is None:
            self._children = self._find_children()
        found: dict[str, None] = {}
        waiting = list(self._children.get(pointer, ()))
        while waiting and len(found) <= _MAX_CHILDREN:
            child = waiting.pop(0)
            if child not in found and child != pointer:
                found[child] = None
                waiting += self._children.get(child, ())
        return list(found)

    def _find_children(self) -> dict[str, list[str]]:
        components = self._root.get("components")
        groups = (
            ("#/definitions/", self._root.get("definitions")),
            ("#/components/schemas/", components.get("schemas") if isinstance(components, dict) else None),
        )
        found: dict[str, list[str]] = {}
        for prefix, schemas in groups:
            for name, schema in schemas.items() if isinstance(schemas, dict) else ():
                child = prefix + name.replace("~", "~0").replace("/", "~1")
                parts = schema.get("allOf") if isinstance(schema, dict) else None
                for part in parts if isinstance(parts, list) else ():
                    if isinstance(part, dict) and isinstance(part.get("$ref"), str):
                        self._adopt(found, part["$ref"], child)
        return found

    def _adopt(self, found: dict[str, list[str]], reference: str, child: str) -> None:
        try:
            parent = self._references.target(reference)[0]
        except BrokenReference:
            return
        found.setdefault(parent, []).append(child)


def _discriminator(schema: Json) -> Json | None:
    """`{propertyName, mapping?}`; Swagger 2.0 has only the name."""
    said = schema.get("discriminator")
    if isinstance(said, str):
        return {"propertyName": said}
    return said if isinstance(said, dict) and isinstance(said.get("propertyName"), str) else None
