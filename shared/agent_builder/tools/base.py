"""The one protocol that every tool is behind."""

from __future__ import annotations

from typing import Protocol

from agent_builder.messages import Json, ToolSpec


class Tool(Protocol):
    """Something a model can call.

    `call` gets an object that the model made up, so it checks it first. It answers with a JSON object, or raises
    `ToolError`, whose `detail` is told to the model.
    """

    spec: ToolSpec

    async def call(self, arguments: Json) -> Json:
        """Carry the call out."""
        ...
