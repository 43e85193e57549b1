"""Tools that are nothing but a model with instructions: stateless, without history and without tools."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from math import inf

from agent_builder.errors import AgentBuilderError, ToolError
from agent_builder.messages import Json, ToolSpec, user_message
from agent_builder.models.agents import LlmConfig
from agent_builder.models.tools import LlmTool, StoredTool
from agent_builder.services.models import ModelCaller
from agent_builder.services.toolbox import Bench, Maker
from agent_builder.tools.base import Answered, CallContext, Nest, Tool
from agent_builder.tools.outcomes import CallFailed
from agent_builder.tools.specs import Checked, spec_of

LIMITS_OF_RUN = frozenset({"step_limit", "tool_call_limit", "token_limit", "time_limit", "repeated_call"})
NEEDS_RUN = "This tool works inside a run only."

ModelOf = Callable[[str, LlmConfig, str, str], Awaitable[ModelCaller]]
"""Of a tenant: from a model's configuration, its instructions and a name under which vendors may keep their cache."""


@dataclass(frozen=True, slots=True)
class OneAnswer:
    """Asks a model once: instructions and one message, nothing else.

    Attributes:
        name: Stable for what is asked; vendors that route by it find the instructions in their cache.
    """

    model_of: ModelOf
    tenant: str
    config: LlmConfig
    name: str

    async def ask(
        self, nest: Nest, instructions: str, message: Json, purpose: str = "", seconds: float | None = None
    ) -> Answered:
        """Ask with an object as the message.

        Args:
            purpose: As `Nest.ask` takes it.
            seconds: How long the answer may take; None for as long as the call has.

        Raises:
            ToolError: In our words: the model failed, or a limit of the run is reached.
        """
        caller = await self.caller(instructions)
        text = json.dumps(message, ensure_ascii=False)
        request = caller.request([user_message(text)], tools=[], deadline=inf)
        try:
            async with asyncio.timeout(seconds):
                answered = await nest.ask(caller, request, {}, purpose=purpose)
        except TimeoutError:
            raise CallFailed(f"The model did not answer within {seconds:g} seconds.", "timeout") from None
        if answered.stop_reason in LIMITS_OF_RUN:
            raise ToolError(answered.text.strip())
        return answered

    async def caller(self, instructions: str) -> ModelCaller:
        """How to call the model; a `ToolError` where it cannot be called at all."""
        try:
            return await self.model_of(self.tenant, self.config, instructions, self.name)
        except AgentBuilderError as error:
            raise ToolError(f"The model of this tool cannot be used. {error.detail}") from error


@dataclass(frozen=True, slots=True)
class ModelTool:
    """`Tool` of kind `llm`. It answers `{"text": …}`, with `"truncated": true` where the model had to stop early."""

    definition: LlmTool
    model: OneAnswer

    @property
    def spec(self) -> ToolSpec:
        """With the schema as its author wrote it."""
        definition = self.definition
        spec = spec_of(
            definition,
            input_schema=definition.input_schema,
            effect=definition.effect,
            timeout_seconds=definition.timeout_seconds,
        )
        return replace(spec, resumable=True, asks=("",))

    async def call(self, arguments: Json, context: CallContext) -> Json:
        """Ask the model with the arguments as its message."""
        if context.nest is None:
            raise ToolError(NEEDS_RUN)
        seconds = self.definition.timeout_seconds
        answered = await self.model.ask(context.nest, self.definition.instructions, arguments, seconds=seconds)
        cut = {"truncated": True} if answered.stop_reason == "max_tokens" else {}
        return {"text": answered.text, **cut}


def llm_tools(model_of: ModelOf) -> Maker:
    """Makes tools of kind `llm`."""

    def make(stored: StoredTool, bench: Bench) -> Tool:
        definition = stored.definition
        assert isinstance(definition, LlmTool)
        model = OneAnswer(model_of, bench.tenant, definition.llm_config, f"{stored.id}.{stored.revision}")
        return Checked(ModelTool(definition, model), bench.version.llm_config.provider)

    return make
