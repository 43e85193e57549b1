"""The cost ledger: whatever happens to runs and to those who add them up, the lines sum to every total."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import reduce
from operator import add
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from agent_builder.errors import ProviderError, StoreError, StoreRefused, ToolError
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
    user_message,
)
from agent_builder.models.conversations import LEASE_MS, Step
from agent_builder.models.traces import RunFilter
from agent_builder.models.usage import UsageEntry, UsageRow, day_of
from agent_builder.realtime.connections import Posted
from agent_builder.repositories.agents import AgentRepository
from agent_builder.repositories.conversations import ConversationRepository
from agent_builder.repositories.intake import IntakeRepository
from agent_builder.repositories.ledger import LedgerRepository, note_item
from agent_builder.repositories.purges import PurgeRepository
from agent_builder.repositories.runs import RunEnd, RunRepository
from agent_builder.repositories.table import Item
from agent_builder.repositories.traces import TraceRepository
from agent_builder.services.budget import Limits
from agent_builder.services.ledger import Ledger
from agent_builder.services.purging import Purger
from agent_builder.services.runner import Runner
from agent_builder.services.usage import UsageService
from agent_builder.tools.base import CallContext
from tests.integration.store.product import Product, run_end, step

LEDGER = LedgerRepository()
REFUSED = "more than the store takes"
Settling = Literal["at once", "later", "fails", "answer lost", "raced"]


# ---------------------------------------------------------------- runs of every kind


@dataclass(frozen=True)
class Turn:
    """One call of the model: what it says it used, what that costs, how it goes, and whether an attempt was lost.

    `inside` is how what a call asks goes. What is `refused` by the store is what it says.
    """

    usage: Usage
    cost: int | None
    calls: tuple[str, ...] = ()
    ends: Literal["well", "breaks", "fails", "killed", "cancelled", "refused"] = "well"
    inside: Literal["well", "breaks", "fails", "killed", "cancelled", "refused"] = "well"
    lost: bool = False


@dataclass(frozen=True)
class Plan:
    """One message: in which conversation of which agent, and the turns of its run."""

    agent: int
    conversation: int
    turns: tuple[Turn, ...]
    settling: Settling = "at once"


@dataclass
class Model:
    """Plays the turns of a run, each at most once in its special way."""

    turns: list[Turn]
    label: Json
    reached: str = ""
    number: int = 0
    hold: asyncio.Event = field(default_factory=asyncio.Event)

    def caller(self, tenant: str, version: object, conversation_id: str, *, own_key: str) -> Any:
        return self

    def request(self, history: Any, *, tools: Any, deadline: float) -> ModelRequest:
        return ModelRequest(model="m", messages=list(history), tools=tools, deadline=deadline)

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        last = request.messages[-1]
        number = len(list(rounds(last))) if last.role == "assistant" else 0
        self.number = min(number, len(self.turns) - 1)
        turn = self.turns[self.number]
        yield TextDelta("x")
        if turn.ends != "well":
            self.turns[number] = replace(turn, ends="well")
        await self.goes(turn.ends)
        last_one = number >= len(self.turns) - 1
        calls = [ToolCallPart(tool_use_id=f"{number}-{n}", name=name, input={}) for n, name in enumerate(turn.calls)]
        said = (TextPart(text=REFUSED if turn.ends == "refused" else "x"), *(() if last_one else calls))
        more = bool(calls) and not last_one
        yield ModelFinished(said, "tool_use" if more else "end_turn", turn.usage, str(turn.cost), lost=turn.lost)

    async def goes(self, ends: str) -> None:
        if ends in ("killed", "cancelled"):
            self.reached = ends
            await self.hold.wait()
        if ends in ("breaks", "fails"):
            passing = ends == "breaks"
            raise ProviderError("broken_stream" if passing else "auth", "x", retryable=passing)

    def price(self, model: str, usage: Usage) -> Cost:
        return Cost(unpriced_steps=1) if model == "None" else Cost(amount_nanousd=int(model))


@dataclass
class Inside:
    """The model that is asked in the calls of a turn: it uses as much, and goes its own way once."""

    around: Model

    @property
    def label(self) -> Json:
        return {"provider": "scripted", "model": "inside"}

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        turn = self.around.turns[self.around.number]
        yield TextDelta("i")
        self.around.turns[self.around.number] = replace(turn, inside="well")
        await self.around.goes(turn.inside)
        text = REFUSED if turn.inside == "refused" else "i"
        yield ModelFinished((TextPart(text=text),), "end_turn", turn.usage, str(turn.cost))

    def price(self, model: str, usage: Usage) -> Cost:
        return self.around.price(model, usage)


@dataclass
class Tool:
    spec: ToolSpec

    async def call(self, arguments: Json, context: CallContext) -> Json:
        if self.spec.name == "bad":
            raise ToolError("No.")
        return {}


@dataclass
class Ask:
    """Asks a model in its call."""

    model: Inside
    spec: ToolSpec = field(
        default_factory=lambda: ToolSpec("ask", "", {"type": "object"}, "read", resumable=True, asks=("",))
    )

    async def call(self, arguments: Json, context: CallContext) -> Json:
        assert context.nest is not None
        model: Any = self.model
        answered = await context.nest.ask(model, ModelRequest(model="i", messages=[user_message("go")]), {})
        return {"text": answered.text}


class Runs(RunRepository):
    """Refuses what it is told to."""

    def save_steps(self, tenant: str, conversation_id: str, run_id: str, steps: Sequence[Step], **more: Any) -> None:
        _refuse(steps)
        super().save_steps(tenant, conversation_id, run_id, steps, **more)

    def finish(self, tenant: str, conversation_id: str, end: RunEnd, **more: Any) -> bool:
        _refuse(end.steps)
        return super().finish(tenant, conversation_id, end, **more)


def _refuse(steps: Sequence[Step]) -> None:
    if any(REFUSED in str(step.detail) for step in steps):
        raise StoreRefused("Too large.")


class Nobody:
    def post(self, connection_id: str, data: bytes) -> Posted:
        return Posted.SENT


TOOLS = {name: Tool(ToolSpec(name, "", {"type": "object"})) for name in ("good", "bad")}


@dataclass
class Scene:
    """Runs of a tenant, carried out over the real store, and whoever adds them up."""

    product: Product
    executor: ThreadPoolExecutor
    agents: dict[int, str] = field(default_factory=dict)
    conversations: dict[tuple[int, int], str] = field(default_factory=dict)
    runs: list[str] = field(default_factory=list)

    @property
    def tenant(self) -> str:
        return self.product.tenant

    async def carry_out(self, plan: Plan) -> None:
        agent = self.agents.setdefault(plan.agent, "") or self.product.agent()
        self.agents[plan.agent] = agent
        place = (plan.agent, plan.conversation)
        said = self.product.say(agent, "go", conversation_id=self.conversations.get(place))
        self.conversations[place] = said.conversation_id
        self.runs.append(said.run_id)
        model = Model(list(plan.turns), {"provider": "scripted", "model": f"m{plan.conversation}"})
        while any(run.run_id == said.run_id for run in self.product.lease(said.conversation_id).queue):
            await self._work(said.conversation_id, said.run_id, model, plan.settling)

    async def _work(self, conversation: str, run_id: str, model: Model, settling: Settling) -> None:
        runner = self._runner(model, settling)
        work = asyncio.create_task(runner.work(self.tenant, conversation, seconds=600))
        while not work.done() and not model.reached:
            await asyncio.wait({work}, timeout=0.01)
        reached, model.reached = model.reached, ""
        if reached == "cancelled":
            IntakeRepository().request_cancel(self.tenant, conversation, {run_id}, now=self.product.clock())
        elif reached == "killed":
            work.cancel()
            self.product.clock.ahead += LEASE_MS + 1
        await asyncio.gather(work, return_exceptions=True)

    def _runner(self, model: Model, settling: Settling) -> Runner:
        models: Any = model
        return Runner(
            runs=Runs(),
            conversations=ConversationRepository(),
            agents=AgentRepository(),
            models=models,
            tools_of=lambda tenant, version: nullcontext({**TOOLS, "ask": Ask(Inside(model))}),
            poster=Nobody(),
            executor=self.executor,
            ring=lambda tenant, conversation: None,
            settle=lambda tenant, used: self._settle(tenant, used, settling),
            clock=self.product.clock,
            limits=Limits(retry_seconds=0.0),
        )

    def _settle(self, tenant: str, used: UsageEntry, settling: Settling) -> None:
        if settling == "later":
            return
        if settling == "fails":
            raise StoreError("No.")
        if settling == "raced":  # whoever ended it, and rescues that found its note, all at the same moment
            with ThreadPoolExecutor(4) as racing:
                adding = [racing.submit(Ledger(LEDGER).settle, tenant, used) for _ in range(2)]
                adding += [racing.submit(Ledger(LEDGER).fold_notes, tenant, seconds=60) for _ in range(2)]
                for one in adding:
                    one.result()
            return
        Ledger(LEDGER).settle(tenant, used)
        if settling == "answer lost":  # whoever does not know that it is added adds it again
            Ledger(LEDGER).settle(tenant, used)

    # ------------------------------------------------------------ what must hold

    def report(self, agent: str | None = None, group_by: Any = "day") -> Json:
        days = {"since": None, "until": datetime.now(UTC).date() + timedelta(1)}
        return UsageService(LEDGER).report(self.product.me, agent_id=agent, group_by=group_by, **days)

    def check(self) -> None:
        heads = {run_id: TraceRepository().run(self.tenant, run_id) for run_id in self.runs}
        for run_id, head in heads.items():
            assert head is not None
            assert "fault on our side" not in (head.error or "")
            steps = TraceRepository().steps(self.tenant, run_id)
            assert head.cost == reduce(add, (step.cost for step in steps if step.cost), Cost())
            assert head.usage == reduce(add, (step.usage for step in steps if step.usage), Usage())
        every = [head for head in heads.values() if head is not None]
        for (number, _), conversation in self.conversations.items():
            found = ConversationRepository().get(self.tenant, conversation)
            assert found is not None
            its = [head for head in every if head.conversation_id == conversation]
            assert found.agent_id == self.agents[number]
            self._check({"runs": found.runs, "usage": found.usage.model_dump(), "cost": found.cost.model_dump()}, its)
        for agent in (None, *self.agents.values()):
            self._check_scope(agent, [head for head in every if agent in (None, head.agent_id)])
        agents = {item["agent_id"]: item for item in self.report(group_by="agent")["items"]}
        for agent in self.agents.values():
            self._check(agents[agent], [head for head in every if head.agent_id == agent])

    def _check_scope(self, agent: str | None, its: list[Any]) -> None:
        by_day, by_model, by_tool = (self.report(agent, group) for group in ("day", "model", "tool"))
        self._check(by_day["total"], its)
        ends = Counter(head.status for head in its)
        total = by_day["total"]
        assert (total["completed"], total["errors"], total["cancelled"]) == tuple(
            ends[name] for name in ("completed", "failed", "cancelled")
        )
        for items in (by_day["items"], by_model["items"]):
            for name in total["usage"]:
                assert sum(item["usage"][name] for item in items) == total["usage"][name]
            assert sum(item["calls"] for item in items) == total["calls"]
            assert sum(item["cost"]["amount_nanousd"] or 0 for item in items) == (total["cost"]["amount_nanousd"] or 0)
            assert sum(item["cost"]["unpriced_steps"] for item in items) == total["cost"]["unpriced_steps"]
        steps = [step for head in its for step in TraceRepository().steps(self.tenant, head.id) if step.kind == "tool"]
        made = [step for step in steps if "duration_ms" in step.detail.get("result", {}) or step.status == "unknown"]
        called = Counter(step.detail["tool"] for step in made)
        lost = Counter(step.detail["tool"] for step in made if step.status == "unknown")  # killed in the call
        tools = {item["tool_name"]: item for item in by_tool["items"]}
        assert {name: item["calls"] for name, item in tools.items()} == dict(called)
        assert {name: item["unknown"] for name, item in tools.items()} == {name: lost[name] for name in called}
        for name in called.keys() - {"ask"}:
            good = called[name] - lost[name] if name == "good" else 0
            assert tools[name]["success_rate"] == round(good / called[name], 4)

    def _check(self, told: Json, its: list[Any]) -> None:
        assert told["runs"] == len(its)
        assert told["usage"] == reduce(add, (head.usage for head in its), Usage()).model_dump()
        assert told["cost"] == reduce(add, (head.cost for head in its), Cost()).model_dump()


USAGES = st.builds(
    lambda plain, read, write, said, thought: Usage(
        input_tokens=plain + read + write,
        cache_read_tokens=read,
        cache_write_tokens=write,
        output_tokens=said + thought,
        reasoning_tokens=thought,
    ),
    *[st.integers(0, 9_000)] * 5,
)
TURNS = st.builds(
    Turn,
    usage=USAGES,
    cost=st.none() | st.integers(0, 10**12),
    calls=st.lists(st.sampled_from(["good", "bad", "ask"]), min_size=1, max_size=3).map(tuple),
    ends=st.sampled_from(["well"] * 4 + ["breaks", "fails", "killed", "cancelled", "refused"]),
    inside=st.sampled_from(["well", "well", "breaks", "fails", "killed", "cancelled", "refused"]),
    lost=st.booleans(),
)
PLANS = st.builds(
    Plan,
    agent=st.integers(0, 1),
    conversation=st.integers(0, 1),
    turns=st.lists(TURNS, min_size=1, max_size=3).map(tuple),
    settling=st.sampled_from(["at once", "later", "fails", "answer lost", "raced"]),
)


@settings(  # an example takes seconds: none is made smaller
    max_examples=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    print_blob=False,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
@given(plans=st.lists(PLANS, min_size=1, max_size=6))
@pytest.mark.timeout(600)
def test_lines_sum_to_every_total(store: object, plans: list[Plan]) -> None:
    async def play(scene: Scene) -> None:
        for plan in plans:
            await scene.carry_out(plan)

    with ThreadPoolExecutor(8) as executor:
        scene = Scene(Product(), executor)
        asyncio.run(play(scene))
        ledgers = [Ledger(LEDGER, scene.product.clock) for _ in range(2)]
        list(executor.map(lambda ledger: ledger.fold_notes(scene.tenant, seconds=60), ledgers))  # two at once
        scene.check()
        for _ in range(2):  # nothing is left that could be added again
            assert [ledger.fold_notes(scene.tenant, seconds=60) for ledger in ledgers] == [0, 0]
        scene.check()


# ---------------------------------------------------------------- adding up, through kills


class Killed(BaseException):
    """The process is gone."""


@contextmanager
def killed_at(event: str) -> Iterator[None]:
    """A process that dies right before, or right after, its next transaction."""

    def die(**_: Any) -> None:
        raise Killed

    events = Item._get_connection().connection.client.meta.events
    events.register(f"{event}.dynamodb.TransactWriteItems", die)
    try:
        with pytest.raises(Killed):
            yield
    finally:
        events.unregister(f"{event}.dynamodb.TransactWriteItems", die)


def noted(product: Product, tools: int) -> UsageEntry:
    """The note of a run that is over, with as many rows as there are tools."""
    accepted = product.say(product.agent())
    lease = product.claim(accepted.conversation_id)
    rows = tuple(UsageRow("", "tool", f"tool{number:03d}", {"calls": 1, "runs": 1}) for number in range(tools))
    used = UsageEntry(accepted.run_id, day_of(product.clock()), rows)
    end = replace(run_end(lease.queue[0]), used=used)
    product.runs.finish(product.tenant, accepted.conversation_id, end, fence=lease.fence, wake=lease.wake)
    return used


def calls(product: Product) -> Counter[str]:
    day = day_of(product.clock())
    found = LEDGER.counts(product.tenant, "", "tool", since=day, until=day)
    return Counter({name: counts["calls"] for (_, name), counts in found.items()})


@pytest.mark.parametrize("event", ["before-call", "after-call"])
@pytest.mark.parametrize("tools", [3, 200])
def test_whoever_is_killed_while_adding_adds_once(product: Product, event: str, tools: int) -> None:
    used = noted(product, tools)
    with killed_at(event):
        LEDGER.fold(product.tenant, used)
    product.clock.ahead += 61_000
    product.rescue.sweep()
    whole = event == "after-call" and tools == 3
    assert (("usage", {"tenant_id": product.tenant}) in product.bell.rung) == (not whole), "its note is due"
    ledger = Ledger(LEDGER, product.clock)
    assert ledger.fold_notes(product.tenant, seconds=60) == (not whole)
    assert ledger.fold_notes(product.tenant, seconds=60) == 0
    assert calls(product) == Counter({f"tool{number:03d}": 1 for number in range(tools)})
    assert LEDGER.notes(product.tenant, limit=10) == []


def test_what_cannot_be_added_does_not_stand_before_what_can(product: Product) -> None:
    used = [noted(product, 1) for _ in range(3)]

    class Failing(LedgerRepository):
        def fold(self, tenant: str, entry: UsageEntry, *, done: int = 0) -> bool:
            if entry.run_id == used[0].run_id:
                raise StoreError("No.")
            return super().fold(tenant, entry, done=done)

    assert Ledger(Failing(), product.clock).fold_notes(product.tenant, seconds=60) == 2
    product.clock.ahead += 61_000
    product.rescue.sweep()
    assert ("usage", {"tenant_id": product.tenant}) not in product.bell.rung, "it was put off"
    assert Ledger(LEDGER, product.clock).fold_notes(product.tenant, seconds=60) == 1


def test_what_a_run_used_whose_conversation_is_deleted_counts_once(product: Product) -> None:
    accepted = product.say(product.agent())
    lease = product.claim(accepted.conversation_id)
    paid = replace(step(1), usage=Usage(input_tokens=5), cost=Cost(amount_nanousd=9))
    product.runs.save_steps(
        product.tenant, accepted.conversation_id, accepted.run_id, [paid], fence=lease.fence, begun_at=1
    )
    product.conversations.delete(product.me, accepted.conversation_id, expected_revision=None)
    purger = Purger(PurgeRepository(), product.clock, settle=Ledger(LEDGER, product.clock).settle_deleted)
    for _ in range(2):
        purger.carry_out(product.tenant, accepted.conversation_id, seconds=60)
    total = UsageService(LEDGER).report(product.me, since=None, until=None, agent_id=None, group_by="day")["total"]
    assert (total["runs"], total["cancelled"]) == (1, 1)
    assert total["cost"] == {"amount_nanousd": 9, "unpriced_steps": 0}


# ---------------------------------------------------------------- reading


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """Requests to the store."""
    seen: Counter[str] = Counter()

    def see(model: Any, **_: Any) -> None:
        seen[model.name] += 1

    events = Item._get_connection().connection.client.meta.events
    events.register("before-call.dynamodb", see)
    try:
        yield seen
    finally:
        events.unregister("before-call.dynamodb", see)


@pytest.mark.parametrize(("group_by", "queries"), [("day", 1), ("model", 2), ("tool", 2), ("agent", 2)])
def test_reading_costs_the_same_however_many_runs_there_were(product: Product, group_by: Any, queries: int) -> None:
    report: Callable[[], Json] = lambda: UsageService(LEDGER).report(  # noqa: E731
        product.me, since=None, until=None, agent_id=None, group_by=group_by
    )
    with counted() as few:
        report()
    for number in range(40):
        rows = tuple(
            UsageRow("", dimension, name, {"runs": 1, f"duration_{number}": 1})
            for dimension, name in (("total", ""), ("agent", "agt_1"), ("model", "a/b"), ("tool", "t"))
        )
        entry = UsageEntry(f"run_{number}", day_of(product.clock()), rows)  # type: ignore[arg-type]
        _add(product.tenant, entry)
    with counted() as many:
        told = report()
    assert told["total"]["runs"] == 40
    assert len(told["items"]) == 1
    assert few == many == {"Query": queries}


def _add(tenant: str, entry: UsageEntry) -> None:
    note_item(tenant, entry, now=0).save()
    assert LEDGER.fold(tenant, entry)


def test_runs_are_listed_with_a_bounded_look_at_the_store(product: Product) -> None:
    agent = product.agent()
    for _ in range(5):
        product.say(agent)
    with counted() as seen:
        found, following = TraceRepository().of_agent(
            product.tenant, agent, RunFilter(status="failed"), limit=2, before=None
        )
    assert (found, following) == ([], None)
    assert seen == {"Query": 1}
