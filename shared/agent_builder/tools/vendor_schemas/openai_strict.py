"""OpenAI's strict mode."""

from __future__ import annotations

from agent_builder.messages import Json
from agent_builder.tools.schemas import takes_null
from agent_builder.tools.subschemas import children
from agent_builder.tools.vendor_schemas.words import alternatives, every, hint, kinds_of, with_hint, words_of

_FORMATS = frozenset("date-time time date duration email hostname ipv4 ipv6 uuid".split())
_WORDS = frozenset(
    "type description enum anyOf properties required additionalProperties items $ref pattern format multipleOf minimum "
    "maximum exclusiveMinimum exclusiveMaximum minItems maxItems".split()
)

# Words that hold schemas mean nothing beside another type, and strict mode would judge what they hold.
_SHAPES = {"properties": "object", "required": "object", "additionalProperties": "object", "items": "array"}


class NotStrict(Exception):
    """Strict mode cannot say this."""


class StrictSchema:
    """All properties required (optional ones may be null), no others, few keywords, limited size."""

    MAX_PROPERTIES = 5_000
    MAX_LEVELS = 10
    MAX_CHARACTERS = 120_000
    MAX_VALUES = 1_000

    def __init__(self, schema: Json) -> None:
        self._source = schema
        self._definitions: Json = schema.get("$defs", {})

    def whole(self) -> Json:
        """The adapted schema; raises `NotStrict`."""
        root = {word: value for word, value in self._source.items() if word != "$defs"}
        out = self._schema(root)
        if self._definitions:
            out["$defs"] = {name: self._schema(one) for name, one in self._definitions.items()}
        self._check_size(out)
        return out

    def _schema(self, node: Json) -> Json:
        if isinstance(node.get("$ref"), str):
            return {"$ref": node["$ref"]}
        node = alternatives(node, self._definitions)
        out, left_out = _sayable(node)
        if "anyOf" in out:
            branches = [self._schema(one) for one in out["anyOf"]]
            return with_hint({**words_of(out), "anyOf": branches}, hint(node, left_out))
        kinds = kinds_of(out)
        if not kinds and not out.get("enum"):
            raise NotStrict
        out = {word: value for word, value in out.items() if _SHAPES.get(word, "") in ("", *kinds)}
        if "object" in kinds:
            out |= self._object(out)
        if "array" in kinds:
            if not isinstance(out.get("items"), dict):
                raise NotStrict
            out["items"] = self._schema(out["items"])
        return with_hint(out, hint(node, left_out))

    def _object(self, node: Json) -> Json:
        properties = node.get("properties", {})
        extra = node.get("additionalProperties")
        free = not properties and extra is not False
        if free or isinstance(extra, dict) or not set(node.get("required", ())) <= set(properties):
            raise NotStrict
        required = node.get("required", ())
        changed = {
            name: self._schema(one) if name in required else self._or_null(one) for name, one in properties.items()
        }
        return {"properties": changed, "required": list(changed), "additionalProperties": False}

    def _or_null(self, node: Json) -> Json:
        out = self._schema(node)
        if takes_null(node, self._definitions):
            return out
        if "type" in out:
            out["type"] = [*kinds_of(out), "null"]
            if "enum" in out:
                out["enum"] = [*out["enum"], None]
            return out
        if "anyOf" in out:
            return {**out, "anyOf": [*out["anyOf"], {"type": "null"}]}
        if "enum" in out:
            return {**out, "enum": [*out["enum"], None]}
        return {"anyOf": [out, {"type": "null"}], **words_of(node)}

    def _check_size(self, schema: Json) -> None:
        nodes = list(every(schema))
        names = [name for node in nodes for name in node.get("properties", ())]
        lists = [node["enum"] for node in nodes if "enum" in node]
        values = [value for one in lists for value in one]
        characters = sum(map(len, names)) + sum(len(str(value)) for value in values) + sum(map(len, self._definitions))
        long = any(len(one) > 250 and sum(len(str(value)) for value in one) > 15_000 for one in lists)
        if (
            len(names) > self.MAX_PROPERTIES
            or len(values) > self.MAX_VALUES
            or characters > self.MAX_CHARACTERS
            or long
        ):
            raise NotStrict
        roots = [{k: v for k, v in schema.items() if k != "$defs"}, *schema.get("$defs", {}).values()]
        if max(_levels(root) for root in roots) > self.MAX_LEVELS:
            raise NotStrict


def _sayable(node: Json) -> tuple[Json, list[str]]:
    """What strict mode has a keyword for, and the keywords that it has not."""
    out: Json = {word: value for word, value in node.items() if word in _WORDS}
    left_out = [word for word in node if word not in _WORDS]
    if "const" in node:
        out["enum"] = [node["const"]]
    if out.get("format", "date") not in _FORMATS:
        left_out.append("format")
        del out["format"]
    if "(?" in out.get("pattern", ""):
        left_out.append("pattern")
        del out["pattern"]
    return out, left_out


def _levels(node: Json) -> int:
    below = max((_levels(one) for _, _, one in children(node)), default=0)
    return below + (1 if "object" in kinds_of(node) else 0)
