"""A run whose calls ask agents and models, without vendor, store or connection; it may die and go on anywhere."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, cast

from agent_builder.errors import ProviderError
from agent_builder.messages import (
    Cost,
    Effect,
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
    user_message,
)
from agent_builder.models.agents import AgentHead, AgentVersion, LlmConfig
from agent_builder.models.conversations import Outcome, Step
from agent_builder.models.tools import AgentTool
from agent_builder.repositories.agents import AgentRepository
from agent_builder.services.account import Account
from agent_builder.services.budget import Limits
from agent_builder.services.engine import Engine
from agent_builder.services.events import Checkpoint, EngineEvent, RunEnded, Suspended, ToolFinished, ToolStarted
from agent_builder.services.models import ModelCaller
from agent_builder.services.nesting import Inside, Nesting
from agent_builder.services.subagents import SubAgent, SubAgents
from agent_builder.services.transcript import Transcript
from agent_builder.tools.base import CallContext, Tool

Say = list[str | Exception | tuple[str, Json]]
"""One model step: texts, calls (name and arguments), or an error."""


class Killed(BaseException):
    """The runner dies here."""


@dataclass
class Life:
    """One runner's. Once it is over, nothing that is left of the runner reaches the world any more."""

    is_over: bool = False

    def check(self) -> None:
        if self.is_over:
            raise Killed


_life: ContextVar[Life] = ContextVar("life")


def _living() -> Life:
    """The one whose code this is; that of a test, which is no runner, never ends."""
    return _life.get(Life())


class Inline(ThreadPoolExecutor):
    """Makes blocking calls at once, so that no thread's pace decides on the order of events."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        made: Future[Any] = Future()
        try:
            made.set_result(fn(*args, **kwargs))
        except Exception as error:
            made.set_exception(error)
        return made


@dataclass
class World:
    """What outlives a runner.

    Attributes:
        scripts: What each agent's model says, step by step; the last is repeated.
        dies_at: The number of the event or checkpoint, counted over all depths, at which the runner dies.
        slow: How many turns of the event loop an agent's model takes to be ready, by the agent: who is before whom.
    """

    scripts: dict[str, list[Say]]
    tools: dict[str, dict[str, Tool]] = field(default_factory=dict)
    limits: Limits = field(default_factory=lambda: Limits(retry_seconds=0.0))
    statuses: dict[str, str] = field(default_factory=dict)
    slow: dict[str, int] = field(default_factory=dict)
    stored: dict[int, Step] = field(default_factory=dict)
    effects: list[str] = field(default_factory=list)
    asked: list[tuple[str, ModelRequest]] = field(default_factory=list)
    told: list[Any] = field(default_factory=list)
    events: int = 0
    dies_at: int | None = None
    room: Callable[[str], bool] = lambda kind: True
    clock: Callable[[], int] = lambda: 1
    transcript: Transcript = field(default_factory=Transcript)
    died: bool = False

    def tick(self) -> None:
        life = _living()
        life.check()
        self.events += 1
        life.is_over = self.events == self.dies_at
        life.check()

    # What the product asks for.

    def head(self, tenant: str, agent_id: str) -> AgentHead | None:
        return AgentHead(agent_id, self.statuses.get(agent_id, "active"), 7) if agent_id in self.scripts else None

    def version(self, tenant: str, agent_id: str, number: int) -> AgentVersion | None:
        if agent_id not in self.scripts:
            return None
        config = LlmConfig(provider="scripted", model=agent_id)
        return AgentVersion(
            agent_id=agent_id,
            version=number,
            name=agent_id,
            description="",
            system_prompt=f"You are {agent_id}.",
            llm_config=config,
            builtin_tools=(),
            created_at=0,
            created_by="",
        )

    async def model_of(self, tenant: str, config: LlmConfig, system: str, name: str) -> ModelCaller:
        for _ in range(self.slow.get(config.model, 0)):
            await asyncio.sleep(0)
        return Caller(cast(Any, self), config, system, name, cast(Any, self))

    @asynccontextmanager
    async def tools_of(self, tenant: str, version: AgentVersion) -> AsyncIterator[Mapping[str, Tool]]:
        yield self.tools.get(version.agent_id, {})

    async def refresh(self) -> None:
        """Prices need no looking up here."""

    # What it is given.

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        _living().check()
        self.asked.append((request.model, request))
        last = request.messages[-1]
        step = len(list(rounds(last))) if last.role == "assistant" else 0
        script = self.scripts[request.model]
        parts: list[Any] = []
        for number, said in enumerate(script[min(step, len(script) - 1)]):
            await asyncio.sleep(0)
            if isinstance(said, Exception):
                raise said
            if isinstance(said, str):
                parts.append(TextPart(text=said))
                yield TextDelta(said)
            else:
                parts.append(ToolCallPart(tool_use_id=f"c{step}.{number}", name=said[0], input=said[1]))
        stop: Any = "tool_use" if any(isinstance(part, ToolCallPart) for part in parts) else "end_turn"
        yield ModelFinished(tuple(parts), stop, Usage(input_tokens=3, output_tokens=1), request.model)

    def agent_tool(self, agent_id: str, name: str | None = None, **fields: Any) -> dict[str, Tool]:
        definition = AgentTool(name=name or agent_id, target_agent_id=agent_id, **fields)
        made = SubAgent(SubAgents(cast(AgentRepository, self), self.tools_of, self.model_of), "t", definition)
        return {definition.name: made}

    async def go(self, root: str = "root") -> Outcome | None:
        """One runner's part: the outcome, or None where it died or handed over."""
        asyncio.get_running_loop().set_default_executor(Inline())
        _life.set(Life())
        transcript = Transcript(Account(begun_at=1))
        transcript.restore([self.stored[number] for number in sorted(self.stored)])
        self.transcript = transcript
        if self.died:
            self.died = False
            transcript.lost(1, list(self.stored.values()))
            self.store()
        version = self.version("t", root, 7)
        assert version is not None
        caller = await self.model_of("t", version.llm_config, version.system_prompt, root)
        engine = Engine(
            stream=caller.stream,
            tools=self.tools.get(root, {}),
            price=caller.price,
            limits=self.limits,
            clock=self.clock,
            room=cast(Any, self.room),
            nest=Nesting((root,), self.save, self.tell).of,
        )
        request = ModelRequest(model=root, messages=[user_message("go")])
        try:
            async with aclosing(engine.run(request, transcript)) as events:
                return await self.follow(events)
        except Killed:
            self.died = True
            return None

    async def follow(self, events: AsyncIterator[EngineEvent]) -> Outcome | None:
        """As a run does it."""
        async for event in events:
            self.tick()
            if isinstance(event, Checkpoint):
                self.store()
            elif isinstance(event, RunEnded):
                self.store()
                return event.outcome
            elif isinstance(event, Suspended):
                self.transcript.account.cut_off(self.clock(), "handed_over")
                self.store()
                return None
            else:
                self.told.append(event)
        raise AssertionError("no end")

    async def finish(self, root: str = "root") -> Outcome:
        """Runner after runner, until it ends."""
        for _ in range(60):
            outcome = await self.go(root)
            if outcome is not None:
                return outcome
        raise AssertionError("it never ends")

    async def save(self) -> None:
        await asyncio.sleep(0)
        self.tick()
        self.store()

    def store(self) -> None:
        _living().check()
        steps = self.transcript.take_unsaved()
        self.stored |= {step.number: step for step in steps}
        self.transcript.saved(steps)

    def tell(self, inside: Inside) -> None:
        self.tick()
        self.told.append(inside)

    def shown(self) -> list[Any]:
        """What was told, short: texts, and calls by their names."""
        return [_short(event) for event in self.told]


class Caller(ModelCaller):
    """Calls the world's models; each step costs three."""

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        async for event in cast(World, self.provider).stream(request):
            yield event

    def price(self, model: str, usage: Usage) -> Cost:
        return Cost(amount_nanousd=usage.input_tokens)


@dataclass
class Act:
    """A tool that leaves a trace in the world."""

    world: World
    name: str = "act"
    effect: Effect = "write"
    approval_seconds: int = 0
    answers: Json = field(default_factory=lambda: {"done": True})
    raises: Exception | None = None
    hangs: bool = False
    notes: Json = field(default_factory=dict)
    begun: Callable[[], object] = lambda: None
    keys: list[str] = field(default_factory=list)

    @property
    def spec(self) -> ToolSpec:
        schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
        return ToolSpec(self.name, "acts", schema, self.effect, approval_seconds=self.approval_seconds)

    async def call(self, arguments: Json, context: CallContext) -> Json:
        _living().check()
        self.keys.append(context.idempotency_key)
        self.world.effects.append(f"{self.name} {json.dumps(arguments)} {context.idempotency_key}")
        await asyncio.sleep(0)
        self.world.tick()
        if self.raises:
            raise self.raises
        self.begun()
        context.note(self.notes)
        if self.hangs:
            await asyncio.Event().wait()
        return self.answers


def sums(world: World) -> tuple[Usage, Cost]:
    """Of all stored steps."""
    usage, cost = Usage(), Cost()
    for step in world.stored.values():
        usage += step.usage or Usage()
        cost += step.cost or Cost()
    return usage, cost


def overloaded() -> ProviderError:
    return ProviderError("overloaded", "The model is busy.")


def _short(event: Any) -> Any:
    if isinstance(event, Inside):
        return event.of, _short(event.event) if event.event else f"back to {event.kept!r}"
    if isinstance(event, TextDelta):
        return event.text
    if isinstance(event, ToolStarted):
        return f"+{event.call.tool_use_id}"
    return f"-{event.result.tool_use_id}" if isinstance(event, ToolFinished) else event
