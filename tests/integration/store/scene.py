"""A conversation in which one message waits, and runners for it, over the real store."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

from agent_builder.errors import ProviderError
from agent_builder.messages import (
    Cost,
    Json,
    ModelEvent,
    ModelFinished,
    ModelRequest,
    TextDelta,
    TextPart,
    ToolCallPart,
    ToolSpec,
    Usage,
    rounds,
)
from agent_builder.models.conversations import LEASE_MS, Step
from agent_builder.realtime.connections import Posted
from agent_builder.repositories.agents import AgentRepository
from agent_builder.repositories.conversations import ConversationRepository
from agent_builder.services.budget import Limits
from agent_builder.services.runner import Runner
from agent_builder.tools.base import CallContext
from tests.integration.store.product import Product

CONNECTION = "con-1"


@dataclass
class Model:
    """Asks for one call of `act` in each round but the last (`twice`: two; `beside`: and one of `free`), and counts."""

    rounds: int = 2
    asked: list[int] = field(default_factory=list)
    pause: float = 0.0
    broken: int = 0
    beside: bool = False
    twice: bool = False

    def caller(self, tenant: str, version: object, conversation_id: str, *, own_key: str) -> Any:
        return _Caller(self)

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        last = request.messages[-1]
        number = len(list(rounds(last))) if last.role == "assistant" else 0
        self.asked.append(number)
        text = f"Round {number}. "
        yield TextDelta(text)
        await asyncio.sleep(self.pause)
        if self.broken:
            self.broken -= 1
            raise ProviderError("broken_stream", "It broke off.")
        more = number < self.rounds - 1
        call = ToolCallPart(tool_use_id=f"c{number}", name="act", input={"round": number})
        asked = [call]
        if self.beside:
            asked.append(ToolCallPart(tool_use_id=f"c{number}-free", name="free", input={}))
        if self.twice:
            asked.append(call.model_copy(update={"tool_use_id": f"c{number}-b"}))
        said = (TextPart(text=text), *asked) if more else (TextPart(text=text),)
        yield ModelFinished(said, "tool_use" if more else "end_turn", Usage(input_tokens=5), "m")


@dataclass
class _Caller:
    model: Model
    label: Json = field(default_factory=dict)

    def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        return self.model.stream(request)

    def price(self, model: str, usage: Usage) -> Cost:
        return Cost(amount_nanousd=3)

    def request(self, history: Any, *, tools: Any, deadline: float) -> ModelRequest:
        return ModelRequest(model="m", messages=list(history), tools=tools, deadline=deadline)


@dataclass
class Act:
    """Acts on the outside world, and counts."""

    spec: ToolSpec = field(default_factory=lambda: ToolSpec("act", "", {"type": "object"}))
    keys: list[str] = field(default_factory=list)
    hold: asyncio.Event | None = None

    async def call(self, arguments: Json, context: CallContext) -> Json:
        self.keys.append(context.idempotency_key)
        if self.hold is not None:
            await self.hold.wait()
        return {"done": arguments}


@dataclass
class Tab:
    """Everything that was posted."""

    frames: list[tuple[str, Json]] = field(default_factory=list)

    def post(self, connection_id: str, data: bytes) -> Posted:
        self.frames.append((connection_id, json.loads(data)))
        return Posted.SENT

    def of(self, kind: str, connection: str = CONNECTION) -> list[Json]:
        return [frame for to, frame in self.frames if frame["type"] == kind and to == connection]


@dataclass
class Scene:
    """A conversation in which one message waits, and runners for it."""

    product: Product
    executor: ThreadPoolExecutor
    model: Model = field(default_factory=Model)
    act: Act = field(default_factory=Act)
    free: Act = field(default_factory=lambda: Act(spec=ToolSpec("free", "", {"type": "object"}, "read")))
    tab: Tab = field(default_factory=Tab)
    rung: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.agent = self.product.agent()
        self.first = self.product.say(self.agent, "go", connection_id=CONNECTION)
        self.conversation = self.first.conversation_id

    def runner(self) -> Runner:
        models: Any = self.model
        return Runner(
            runs=self.product.runs,
            conversations=ConversationRepository(),
            agents=AgentRepository(),
            models=models,
            tools_of=lambda tenant, version: nullcontext({"act": self.act, "free": self.free}),
            poster=self.tab,
            executor=self.executor,
            ring=lambda tenant, conversation: self.rung.append(conversation),
            clock=self.product.clock,
            limits=Limits(retry_seconds=0.0),
            metrics=self.product.counting.metrics,
        )

    async def work(self, seconds: float = 600.0) -> None:
        await self.runner().work(self.product.tenant, self.conversation, seconds=seconds)

    def answer(self, run_id: str | None = None) -> Any:
        found = ConversationRepository().answer(self.product.tenant, self.conversation, run_id or self.first.run_id)
        assert found is not None
        return found

    def steps(self) -> list[Step]:
        return self.product.runs.steps(self.product.tenant, self.first.run_id)


async def until(happened: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not happened():  # noqa: ASYNC110 (what happens is in the table)
            await asyncio.sleep(0.01)


async def die(scene: Scene, when: Callable[[], object]) -> None:
    """Let a runner get that far, then stop it as a kill does: it writes nothing more."""
    task = asyncio.create_task(scene.work())
    await until(when)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    scene.product.clock.ahead += LEASE_MS + 1
