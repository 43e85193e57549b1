"""The one protocol that every tool is behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from agent_builder.messages import Json, ToolSpec


@dataclass(frozen=True, slots=True)
class CallContext:
    """What a tool may know of the run that calls it.

    Attributes:
        idempotency_key: The same whenever this very call is tried again, by whichever runner; of no other call.
        note: Adds fields to what is stored of the call, for people; no model sees them. They hold no secrets.
    """

    idempotency_key: str
    note: Callable[[Json], None] = lambda fields: None


class Tool(Protocol):
    """Something a model can call.

    `call` gets an object that the model made up, so it checks it first. It answers with a JSON object, or raises
    `ToolError`, whose `detail` is told to the model; `OutcomeUnknown` where it may have acted all the same.
    """

    @property
    def spec(self) -> ToolSpec:
        """How a model is told of it."""
        ...

    async def call(self, arguments: Json, context: CallContext) -> Json:
        """Carry the call out."""
        ...
