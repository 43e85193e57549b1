"""The one protocol that every tool is behind."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from agent_builder.messages import Cost, Json, ModelEvent, ModelRequest, ToolSpec, Usage


class Model(Protocol):
    """A model that a call may ask."""

    @property
    def label(self) -> Json:
        """What a trace says of each of its steps."""
        ...

    def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        """Ask it; raises `ProviderError`."""
        ...

    def price(self, model: str, usage: Usage) -> Cost:
        """Cost of a step, from the answering model's name and its usage."""
        ...


@dataclass(frozen=True, slots=True)
class Answered:
    """What an agent or a model inside of a call said, and why it stopped: a vendor's reason, or a limit of the run."""

    text: str
    stop_reason: str


class Nest(Protocol):
    """The inside of a call: its steps are numbered, stored, counted and limited with those of the run.

    Whoever takes up a call that was cut off finds what was done inside of it, and gets the same answers again.
    """

    @property
    def agents(self) -> tuple[str, ...]:
        """The agents that this call is inside of, by id, from the run's own."""
        ...

    @property
    def begun(self) -> Json:
        """What the first model step inside says of itself; empty where there is none yet."""
        ...

    async def ask(
        self,
        model: Model,
        request: ModelRequest,
        tools: Mapping[str, Tool],
        *,
        agent_id: str | None = None,
        purpose: str = "",
    ) -> Answered:
        """Have a model answer, with tools if there are any.

        Args:
            request: Its `deadline` is set to the run's.
            agent_id: The agent that this is, if it is one.
            purpose: Tells one of several inside of one call from another; what has one is not shown to those who watch.

        Raises:
            ToolError: Its model failed, or agents are nested too deep.
        """
        ...

    async def call(self, tool: Tool, arguments: Json) -> Json:
        """Call a tool once, on a ledger of its own: one that writes is never called again.

        Raises:
            ToolError: It failed; `OutcomeUnknown` where it may have acted all the same.
        """
        ...


@dataclass(frozen=True, slots=True)
class CallContext:
    """What a tool may know of the run that calls it.

    Attributes:
        idempotency_key: The same whenever this very call is tried again, by whichever runner; of no other call.
        note: Adds fields to what is stored of the call, for people; no model sees them. They hold no secrets.
        nest: For steps of its own; None where whoever calls takes none.
    """

    idempotency_key: str
    note: Callable[[Json], None] = lambda fields: None
    nest: Nest | None = None


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
