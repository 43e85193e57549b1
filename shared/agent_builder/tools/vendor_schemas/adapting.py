"""One schema, adapted to the vendor that will be asked."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from agent_builder.messages import Json
from agent_builder.tools.subschemas import mapped
from agent_builder.tools.vendor_schemas.google import GoogleSchema
from agent_builder.tools.vendor_schemas.openai_strict import NotStrict, StrictSchema
from agent_builder.tools.vendor_schemas.words import every, with_hint

Vendor = Literal["anthropic", "openai", "openai_compatible", "google", "local", "scripted"]

PROPERTY_NAME = re.compile(r"[a-zA-Z0-9_.-]{1,64}")


@dataclass(frozen=True, slots=True)
class Adapted:
    """A schema for one vendor.

    Attributes:
        strict: It keeps the rules of OpenAI's strict mode and may be sent with `strict: true`.
        renamed: Names of properties as sent, to what they are called in the tool's own schema.
    """

    schema: Json
    strict: bool = False
    renamed: dict[str, str] = field(default_factory=dict)


def adapt(schema: Json, vendor: Vendor, *, strict: bool = False) -> Adapted:
    """The schema of a tool in a vendor's dialect.

    Args:
        strict: Wanted for OpenAI; what strict mode cannot say (free-form objects, say) is answered without it.
    """
    if vendor == "anthropic":
        renamed = renames(schema)
        return Adapted(_renamed(schema, renamed), renamed=_back(renamed))
    if vendor == "google":
        renamed = renames(schema)
        return Adapted(GoogleSchema(_renamed(schema, renamed)).whole(), renamed=_back(renamed))
    if strict and vendor == "openai":
        try:
            return Adapted(StrictSchema(schema).whole(), strict=True)
        except NotStrict:
            pass
    return Adapted(schema)


def renames(schema: Json) -> dict[str, str]:
    """Plain names for properties whose own are not taken everywhere, as `filter[name]`: old to new."""
    names = {key for one in every(schema) for key in one.get("properties", ())}
    taken = {name for name in names if PROPERTY_NAME.fullmatch(name)}
    found: dict[str, str] = {}
    for name in sorted(names - taken):
        base = re.sub(r"[^a-zA-Z0-9_.-]+", "_", name).strip("_")[:58] or "field"
        new, number = base, 1
        while new in taken:
            number += 1
            new = f"{base}_{number}"
        taken.add(new)
        found[name] = new
    return found


def _renamed(schema: Json, renamed: dict[str, str]) -> Json:
    if not renamed:
        return schema
    out = mapped(schema, lambda one: _renamed(one, renamed))
    if isinstance(out.get("properties"), dict):
        out["properties"] = {
            renamed.get(name, name): _called(one, name) if name in renamed else one
            for name, one in out["properties"].items()
        }
    if "required" in out:
        out["required"] = [renamed.get(name, name) for name in out["required"]]
    if "$defs" in out:
        out["$defs"] = {name: _renamed(one, renamed) for name, one in out["$defs"].items()}
    return out


def _called(schema: Json, name: str) -> Json:
    return with_hint(schema, f"The API calls it {name}.")


def _back(renamed: dict[str, str]) -> dict[str, str]:
    return {new: old for old, new in renamed.items()}
