"""How a stored tool is told to a model, and what stands before each call of one: whatever its kind."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import lru_cache

from agent_builder.jsontext import encode
from agent_builder.messages import Effect, Json, ToolSpec
from agent_builder.models.tools import ToolBase
from agent_builder.tools.base import CallContext, Tool
from agent_builder.tools.schemas import check_arguments, restored
from agent_builder.tools.vendor_schemas import Adapted, Vendor, adapt

# The tool keeps its own time and says more when it is over; the engine's limit is for one that does not end.
GRACE_SECONDS = 2.0


def spec_of(definition: ToolBase, *, input_schema: Json, effect: Effect, timeout_seconds: float) -> ToolSpec:
    """The spec of a stored tool, with the schema as its author wrote it.

    Args:
        timeout_seconds: What the tool allows itself.
    """
    return ToolSpec(
        name=definition.name,
        description=definition.description,
        input_schema=input_schema,
        effect=effect,
        timeout_seconds=timeout_seconds + GRACE_SECONDS,
        approval_seconds=definition.approval_seconds if definition.requires_approval else 0,
    )


class Checked:
    """A tool whose schema is written as a vendor takes it, and whose arguments are checked before each call.

    Args:
        inner: The tool. Its spec has the schema as its author wrote it, and it is called with arguments that keep it.
        vendor: Of the model that is told of it.
    """

    def __init__(self, inner: Tool, vendor: Vendor) -> None:
        self._inner = inner
        self._schema = inner.spec.input_schema
        self._vendor = vendor
        adapted = _adapted(encode(self._schema), vendor)
        self.spec = replace(inner.spec, input_schema=adapted.schema, strict=adapted.strict)

    async def call(self, arguments: Json, context: CallContext) -> Json:
        """Call it with the arguments in its own words.

        Raises:
            ToolError: The arguments are not valid, and why; nothing was called. Else what the tool raises.
        """
        meant = in_own_words(self._schema, vendor=self._vendor, arguments=arguments)
        check_arguments(self._schema, meant)
        return await self._inner.call(meant, context)


def in_own_words(schema: Json, *, vendor: Vendor, arguments: Json) -> Json:
    """Arguments as the author's schema means them, from what was made for the form of it that a vendor takes."""
    return restored(schema, arguments, _adapted(encode(schema), vendor).renamed)


@lru_cache(maxsize=512)
def _adapted(schema: str, vendor: Vendor) -> Adapted:
    return adapt(json.loads(schema), vendor, strict=True)
