"""How a run calls its model: provider, retries, history that fits, prices."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from math import inf
from typing import Protocol

import httpx2

from agent_builder.errors import ProviderError
from agent_builder.messages import Cost, Json, Message, ModelEvent, ModelFinished, ModelRequest, ToolSpec, Usage
from agent_builder.models.agents import AgentVersion, LlmConfig
from agent_builder.providers import catalogue
from agent_builder.providers.base import Provider
from agent_builder.providers.registry import ProviderRegistry
from agent_builder.providers.retry import stream_with_retries
from agent_builder.services.history import drop_oldest, fit

_DEFAULT_OUTPUT = 4_096
_SHRINKS = 6


class Rates(Protocol):
    """What models cost a tenant."""

    async def refresh(self) -> None:
        """Know the prices well enough."""
        ...

    def price(self, provider: str, models: tuple[str, ...], usage: Usage) -> Cost:
        """The cost of a step by a model of one of these names."""
        ...


@dataclass(frozen=True, slots=True)
class ModelCaller:
    """Calls one model with its instructions. `about` is what a trace says of each call besides its model."""

    provider: Provider
    config: LlmConfig
    system: str
    cache_key: str
    rates: Rates
    about: Json = field(default_factory=dict)

    @property
    def label(self) -> Json:
        """What a trace says of each call."""
        return {"provider": self.config.provider, "model": self.config.model, **self.about}

    def request(self, history: Sequence[Message], *, tools: Sequence[ToolSpec], deadline: float) -> ModelRequest:
        """The request for the next answer, with as much of the history as fits."""
        config = self.config
        window = catalogue.context_window(config.provider, config.model)
        fitted = fit(
            list(history),
            system=self.system,
            tools=list(tools),
            context_window=window,
            max_output=config.max_tokens or _DEFAULT_OUTPUT,
        )
        return ModelRequest(
            model=config.model,
            messages=fitted,
            system=self.system,
            tools=tools,
            temperature=config.temperature,
            max_tokens=config.max_tokens,
            top_p=config.top_p,
            reasoning_effort=config.reasoning_effort,
            options=config.options or {},
            cache_key=self.cache_key,
            deadline=deadline,
        )

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        """Call the model; where the vendor finds the context too long, again with less of it."""
        for _ in range(_SHRINKS):
            begun = False
            try:
                async for event in stream_with_retries(self.provider, request, deadline=request.deadline or inf):
                    begun = True
                    if isinstance(event, ModelFinished):
                        await self.rates.refresh()  # only now: nothing may hold up what is shown
                    yield event
                return
            except ProviderError as error:
                shorter = drop_oldest(list(request.messages))
                if error.kind != "context_too_long" or begun or shorter == list(request.messages):
                    raise
                request = replace(request, messages=shorter)
        raise ProviderError("context_too_long", "The conversation is too long for this model, even shortened.")

    def price(self, model: str, usage: Usage) -> Cost:
        """Cost of one call at the prices of now; by the configured name where the answering model's is unknown."""
        return self.rates.price(self.config.provider, (model, self.config.model), usage)


@dataclass(frozen=True, slots=True)
class Models:
    """Gives a run its model.

    Attributes:
        guarded: A tenant's client for the servers that it names itself.
        rates: A tenant's prices.
    """

    registry: Callable[[], ProviderRegistry]
    guarded: Callable[[str], httpx2.AsyncClient]
    rates: Callable[[str], Rates]

    def caller(self, tenant: str, version: AgentVersion, conversation_id: str, *, own_key: str = "") -> ModelCaller:
        """How to call the model that a tenant's version names, with the tenant's own key where it has one.

        Raises:
            ProviderError: `auth` where no key is configured.
        """
        return self.of(tenant, version.llm_config, version.system_prompt, conversation_id, own_key=own_key)

    def of(self, tenant: str, config: LlmConfig, system: str, cache_key: str, *, own_key: str = "") -> ModelCaller:
        """How to call a model with instructions; vendors that route by `cache_key` find them in their cache.

        Raises:
            ProviderError: `auth` where no key is configured.
        """
        guarded = partial(self.guarded, tenant)
        provider = self.registry().get(config.provider, config.base_url, own_key=own_key, guarded=guarded)
        own: Json = {"own_key": True} if own_key else {}
        return ModelCaller(provider, config, system, cache_key, self.rates(tenant), own)
