"""Budgets over the real store: nobody gets more than there is, and in the end it is what the ledger says."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_builder.clock import Clock
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
from agent_builder.models.budgets import AgentBudgets, Budget, Budgets, Limit
from agent_builder.models.conversations import LEASE_MS
from agent_builder.models.usage import day_of
from agent_builder.repositories.agents import AgentRepository
from agent_builder.repositories.budgets import BudgetRepository
from agent_builder.repositories.conversations import ConversationRepository
from agent_builder.repositories.ledger import LedgerRepository
from agent_builder.repositories.table import Item
from agent_builder.services.budget_settings import BudgetService
from agent_builder.services.budgets import HELD_MS, BudgetBook
from agent_builder.services.ledger import Ledger
from agent_builder.services.runner import Runner
from tests.integration.store.product import Product
from tests.integration.store.scene import Act, Tab

OUTPUT = 100


class Rates:
    async def refresh(self) -> None:
        """They are known."""


@dataclass
class Model:
    """One nano-dollar a token. Answers with `said` tokens in each of its rounds; holds where it is told to."""

    said: list[int]
    hold: asyncio.Event | None = None
    asked: int = 0
    rates: Rates = field(default_factory=Rates)
    label: Json = field(default_factory=dict)

    def caller(self, tenant: str, version: object, conversation_id: str, *, own_key: str) -> Any:
        return self

    def request(self, history: Any, *, tools: Any, deadline: float) -> ModelRequest:
        return ModelRequest(model="m", messages=list(history), tools=(), max_tokens=OUTPUT, deadline=deadline)

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        self.asked += 1
        last = request.messages[-1]
        number = len(list(rounds(last))) if last.role == "assistant" else 0
        yield TextDelta(f"{number} ")
        await asyncio.sleep(0)
        if self.hold is not None:
            await self.hold.wait()
        call = ToolCallPart(tool_use_id=f"c{number}", name="free", input={"round": number})
        more = number < len(self.said) - 1
        said = (TextPart(text=f"{number} "), *([call] if more else []))
        usage = Usage(input_tokens=1, output_tokens=self.said[min(number, len(self.said) - 1)])
        yield ModelFinished(said, "tool_use" if more else "end_turn", usage, "m")

    def price(self, model: str, usage: Usage) -> Cost:
        return Cost(amount_nanousd=usage.input_tokens + usage.output_tokens)


@dataclass
class Town:
    """A tenant with budgets, and runners that know nothing of each other."""

    product: Product
    executor: ThreadPoolExecutor
    clock: Clock | None = None
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.now = self.clock or self.product.clock
        self.budgets = BudgetService(BudgetRepository(), LedgerRepository(), self.product.agents, self.now)
        self.agent = self.product.agent()

    @property
    def tenant(self) -> str:
        return self.product.tenant

    def book(self) -> BudgetBook:
        return BudgetBook(metrics=self.product.counting.metrics, clock=self.now)

    def runner(self, model: Any, *, settles: bool = True) -> Runner:
        book = self.book()
        ledger = Ledger(LedgerRepository(), self.now, book.close)
        free = Act(spec=ToolSpec("free", "", {"type": "object"}, "read"))
        return Runner(
            runs=self.product.runs,
            conversations=ConversationRepository(),
            agents=AgentRepository(),
            models=model,
            tools_of=lambda tenant, version: nullcontext({"free": free}),
            poster=Tab(),
            executor=self.executor,
            ring=lambda tenant, conversation: None,
            settle=ledger.settle if settles else lambda tenant, used: None,
            clock=self.now,
            budgets=book,
        )

    async def run(self, model: Model, agent: str | None = None, **more: Any) -> Any:
        """Say something and let a runner of its own answer it; the stored answer."""
        said = self.product.say(agent or self.agent, "go")
        await self.runner(model, **more).work(self.tenant, said.conversation_id, seconds=600)
        return ConversationRepository().answer(self.tenant, said.conversation_id, said.run_id)

    def month(self) -> Json:
        state: Json = self.budgets.of_tenant(self.product.me)["state"]["tenant_month"]
        return state

    def ledger(self) -> tuple[int, int]:
        """What the aggregates say of this month: money and tokens."""
        month = day_of(self.now())[:7]
        days = LedgerRepository().counts(self.tenant, "", "total", since=f"{month}-01", until=f"{month}-31").values()
        money = sum(day["amount_nanousd"] for day in days)
        return money, sum(day["input_tokens"] + day["output_tokens"] for day in days)

    def counted(self, metric: str) -> int:
        for (name, *_), values in self.product.counting.values().items():
            self.counts[name] += sum(values)
        return int(self.counts[metric])

    def set(self, **budgets: Any) -> None:
        self.budgets.set_tenant(self.product.me, Budgets.model_validate(budgets))


@pytest.fixture
def town(product: Product) -> Any:
    with ThreadPoolExecutor(16) as executor:
        yield Town(product, executor)


def code(answer: Any) -> str:
    return str(answer.error_code or "")


PLANS = st.lists(st.lists(st.integers(0, OUTPUT + 60), min_size=1, max_size=3), min_size=1, max_size=5)


@settings(max_examples=5, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), print_blob=False)
@given(plans=PLANS, limit=st.integers(0, 900), day=st.none() | st.integers(0, 900))
@pytest.mark.timeout(300)
def test_runs_side_by_side_never_get_more_than_there_is(
    store: object, plans: list[list[int]], limit: int, day: int | None
) -> None:
    async def play(town: Town) -> list[Any]:
        return await asyncio.gather(*(town.run(Model(said)) for said in plans))

    with ThreadPoolExecutor(16) as executor:
        town = Town(Product(), executor)
        town.set(tenant_month={"amount_nanousd": limit}, agent_day={"tokens": day} if day is not None else None)
        answers = asyncio.run(play(town))
        Ledger(LedgerRepository(), budgets=town.book().close).fold_notes(town.tenant, seconds=60)
        used, held = town.month()["used"], town.month()["held"]
        assert (used["amount_nanousd"], used["tokens"]) == town.ledger()
        assert held == {"amount_nanousd": 0, "tokens": 0}
        beyond = sum(max(0, said - OUTPUT) for plan in plans for said in plan)  # what was more than was asked for
        assert used["amount_nanousd"] <= min(limit, day if day is not None else limit) + beyond
        assert {code(answer) for answer in answers} <= {"", "budget_exceeded"}
        if day is not None:
            state = town.budgets.of_agent(town.product.me, town.agent)["state"]["agent_day"]
            assert state["used"] == used


async def test_reaching_a_limit_keeps_what_was_said_and_says_when_it_is_free_again(town: Town) -> None:
    town.set(tenant_month={"tokens": 170})
    answer = await town.run(Model([70, 50]))
    assert (answer.status, code(answer)) == ("failed", "budget_exceeded")
    assert [part.text for part in answer.message.parts if isinstance(part, TextPart)] == ["0 "]
    assert "this tenant and month (170 tokens)" in answer.error
    assert town.month()["free_at"] in answer.error
    assert not answer.retryable
    assert town.month()["used"]["tokens"] == 71
    model = Model([50])
    assert code(await town.run(model)) == "budget_exceeded"
    assert model.asked == 0
    assert town.counted("BudgetsExceeded") == 2


async def test_a_run_has_a_budget_of_its_own_and_an_agents_comes_before_the_tenants(town: Town) -> None:
    town.set(run={"amount_nanousd": 10})
    own = AgentBudgets(run=Budget(amount_nanousd=200))
    town.budgets.set_agent(town.product.me, town.agent, own)
    answer = await town.run(Model([60, 60, 60]))
    assert code(answer) == "budget_exceeded"
    assert "one run ($0.000000" in answer.error
    assert code(await town.run(Model([60]), agent=town.product.agent())) == "budget_exceeded"
    assert code(await town.run(Model([60]))) == ""


async def test_what_never_has_room_says_how_much_it_needs_and_what_to_change(town: Town) -> None:
    for scope, name in (("tenant_month", "this tenant and month"), ("run", "one run")):
        town.set(**{scope: {"tokens": 90}})
        answer = await town.run(Model([1]))
        assert code(answer) == "budget_exceeded"
        assert f"{name} (90 tokens) has no room" in answer.error
        needed = re.search(r"may need (\d+) tokens; used or held are 0 tokens\.", answer.error)
        assert needed, answer.error
        assert int(needed[1]) > OUTPUT
        assert "waiting does not help: set a smaller `max_tokens`" in answer.error
        assert "raise the budget" in answer.error
        assert "free again" not in answer.error
        assert "Begin anew" not in answer.error
        assert "$" not in answer.error, "only what it limits"


async def test_what_has_room_in_another_period_says_when(town: Town) -> None:
    town.set(agent_day={"tokens": 160, "amount_nanousd": 10_000_000})
    assert code(await town.run(Model([80]))) == ""
    answer = await town.run(Model([80]))
    assert re.search(r"may need \$0\.000000 and 1\d\d tokens; used or held are \$0\.000000 and 81 tokens", answer.error)
    assert "free again at" in answer.error
    town.set(run={"tokens": 200})
    answer = await town.run(Model([80, 80]))
    assert "used or held are 81 tokens. Begin anew with a new message" in answer.error


async def test_a_warning_comes_once_at_80_percent(town: Town) -> None:
    town.set(tenant_month={"tokens": 1_000}, agent_day={"tokens": 10_000})
    for said, warned in (
        (100, 0),
        (100, 0),
        (95, 0),
        (100, 0),
        (100, 0),
        (100, 0),
        (100, 0),
        (96, 0),
        (10, 1),
        (10, 1),
    ):
        assert code(await town.run(Model([said]))) == ""
        assert town.counted("BudgetWarnings") == warned
        assert (town.month()["warned_at"] is not None) == bool(warned)


@dataclass
class Unpriced(Model):
    """Nobody knows what it costs."""

    def price(self, model: str, usage: Usage) -> Cost:
        return Cost(unpriced_steps=1)


@pytest.mark.parametrize("scope", ["run", "agent_day", "tenant_month"])
@pytest.mark.parametrize("budget", [{"amount_nanousd": 0}, {"tokens": 0}, {"amount_nanousd": 0, "tokens": 9_000}])
async def test_zero_refuses_every_call_also_one_without_a_price(town: Town, scope: str, budget: dict[str, int]) -> None:
    town.set(**{scope: budget})
    model = Unpriced([1])
    answer = await town.run(model)
    assert code(answer) == "budget_exceeded"
    assert "A budget of 0 lets no model be asked: an owner must raise it" in answer.error
    assert "max_tokens" not in answer.error
    assert "free again" not in answer.error
    assert model.asked == 0
    assert town.counted("BudgetsExceeded") == 1
    if scope == "tenant_month":
        assert town.month()["warned_at"] is not None
        assert (town.month()["used"], town.month()["held"]) == ({"amount_nanousd": 0, "tokens": 0},) * 2


async def test_money_alone_does_not_hold_back_what_has_no_price(town: Town) -> None:
    town.set(agent_day={"amount_nanousd": 1}, run={"amount_nanousd": 1})
    assert code(await town.run(Unpriced([50]))) == ""
    town.set(agent_day={"amount_nanousd": 1, "tokens": 200})
    assert code(await town.run(Unpriced([80]))) == ""
    assert code(await town.run(Unpriced([80]))) == "budget_exceeded"


async def test_a_refusal_warns_once_even_before_80_percent(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    town.set(agent_day={"tokens": 200})
    assert code(await town.run(Model([100]))) == ""
    assert town.counted("BudgetWarnings") == 0
    for _ in range(2):
        assert code(await town.run(Model([100]))) == "budget_exceeded"
    assert town.counted("BudgetWarnings") == 1
    state = town.budgets.of_agent(town.product.me, town.agent)["state"]["agent_day"]
    assert state["warned_at"] is not None
    assert state["used"]["tokens"] == 101
    (line,) = [record.__dict__ for record in caplog.records if record.getMessage() == "budget_warning"]
    assert (line["budget"], line["limit"], line["used"]) == ("agent_day", "200 tokens", "101 tokens")


async def test_one_that_is_raised_warns_anew_and_one_that_is_nearly_used_when_it_is_set_at_once(town: Town) -> None:
    for _ in range(9):
        await town.run(Model([99]))
    for tokens, warned in ((920, 1), (1_050, 2), (9_000, 2), (1_100, 3)):
        town.set(tenant_month={"tokens": tokens})
        assert code(await town.run(Model([1]))) == ("budget_exceeded" if tokens == 920 else "")
        assert town.counted("BudgetWarnings") == warned
        assert (town.month()["warned_at"] is not None) == (tokens < 9_000)


async def test_what_was_used_before_a_budget_was_set_counts(town: Town) -> None:
    await town.run(Model([99]))
    assert town.month() is None
    town.set(tenant_month={"tokens": 250}, agent_day={"tokens": 120})
    for state in (town.month(), town.budgets.of_agent(town.product.me, town.agent)["state"]["agent_day"]):
        assert state["used"] == {"amount_nanousd": 100, "tokens": 100}, "also before another run"
        assert state["held"] == {"amount_nanousd": 0, "tokens": 0}
    town.set(tenant_month={"tokens": 250})
    assert code(await town.run(Model([20]))) == ""
    assert town.month()["used"]["tokens"] == 100 + 21
    town.set()
    await town.run(Model([9]))
    town.set(tenant_month={"tokens": 250})
    assert code(await town.run(Model([9]))) == ""
    assert town.month()["used"]["tokens"] == 100 + 21 + 10 + 10
    town.set(tenant_month={"tokens": 260})  # it goes on
    assert town.month()["used"]["tokens"] == 141


async def test_an_agents_own_budget_that_is_taken_away_hides_nothing_from_the_tenants(town: Town) -> None:
    def own(**budgets: Any) -> Json:
        return town.budgets.set_agent(town.product.me, town.agent, AgentBudgets.model_validate(budgets))

    town.set(agent_day={"tokens": 300})
    assert code(await town.run(Model([20]))) == ""
    own(agent_day={"tokens": 10_000}, run={"tokens": 10_000})
    for _ in range(3):
        assert code(await town.run(Model([90]))) == ""
    for _ in range(2):
        told = own()
        assert (told["agent_day"], told["run"]) == (None, None)
        assert told["in_force"] == {"run": None, "agent_day": {"amount_nanousd": None, "tokens": 300}}
    assert code(await town.run(Model([1]))) == "budget_exceeded"
    state = town.budgets.of_agent(town.product.me, town.agent)["state"]["agent_day"]
    assert state["used"]["tokens"] == 21 + 3 * 91
    own(agent_day={"tokens": 500})
    assert code(await town.run(Model([1]))) == ""
    assert town.budgets.of_agent(town.product.me, town.agent)["state"]["agent_day"]["used"]["tokens"] == 294 + 2


async def test_a_run_that_is_killed_while_it_holds_something_is_settled_by_whoever_takes_it_over(town: Town) -> None:
    town.set(tenant_month={"tokens": 250})
    said = town.product.say(town.agent, "go")
    model = Model([10, 20], hold=asyncio.Event())
    task = asyncio.create_task(town.runner(model).work(town.tenant, said.conversation_id, seconds=600))
    async with asyncio.timeout(20):
        while not model.asked:  # noqa: ASYNC110 (a model waits)
            await asyncio.sleep(0.01)
    assert town.month()["held"]["tokens"] > OUTPUT
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    town.product.clock.ahead += LEASE_MS + 1
    assert town.month()["held"]["tokens"] > OUTPUT
    again = Model([10, 20])
    await town.runner(again).work(town.tenant, said.conversation_id, seconds=600)
    assert town.month()["held"]["tokens"] == 0
    assert town.month()["used"]["tokens"] == 11 + 21 == town.ledger()[1]


async def test_what_a_run_held_that_nobody_takes_over_is_given_back_when_it_is_needed(town: Town) -> None:
    town.set(tenant_month={"tokens": 240})
    said = town.product.say(town.agent, "go")
    model = Model([10], hold=asyncio.Event())
    task = asyncio.create_task(town.runner(model).work(town.tenant, said.conversation_id, seconds=600))
    async with asyncio.timeout(20):
        while not model.asked:  # noqa: ASYNC110 (a model waits)
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert code(await town.run(Model([10]))) == ""
    assert code(await town.run(Model([30]))) == "budget_exceeded"
    town.product.clock.ahead += HELD_MS + 1
    assert code(await town.run(Model([30]))) == ""
    assert town.month()["held"]["tokens"] == 0


async def test_a_run_whose_end_nobody_settled_is_settled_with_its_note(town: Town) -> None:
    town.set(tenant_month={"amount_nanousd": 10_000})
    await town.run(Model([40]), settles=False)
    assert town.month()["held"]["amount_nanousd"] > 0
    ledger = Ledger(LedgerRepository(), budgets=town.book().close)
    assert ledger.fold_notes(town.tenant, seconds=60) == 1
    assert town.month()["held"]["amount_nanousd"] == 0
    assert town.month()["used"]["amount_nanousd"] == 41 == town.ledger()[0]


async def test_a_new_day_and_a_new_month_begin_with_nothing(town: Town) -> None:
    town.set(agent_day={"tokens": 150}, tenant_month={"tokens": 10_000})
    assert code(await town.run(Model([100]))) == ""
    assert code(await town.run(Model([100]))) == "budget_exceeded"
    town.product.clock.ahead += 24 * 3_600_000
    assert code(await town.run(Model([100]))) == ""
    town.set(agent_day=None, tenant_month={"tokens": 150})
    town.product.clock.ahead += 32 * 24 * 3_600_000
    assert code(await town.run(Model([100]))) == ""
    assert code(await town.run(Model([100]))) == "budget_exceeded"


def test_a_month_ends_where_the_next_begins() -> None:
    budget = Budget(tokens=1)
    ends = {
        "2026-12": "2027-01-01T00:00:00+00:00",
        "2028-02": "2028-03-01T00:00:00+00:00",
        "2026-01": "2026-02-01T00:00:00+00:00",
    }
    for month, end in ends.items():
        assert Limit("tenant_month", "", month, budget, 1).ends.isoformat() == end
    assert Limit("agent_day", "a", "2026-12-31", budget, 1).ends.isoformat() == "2027-01-01T00:00:00+00:00"


class Killed(BaseException):
    """The process is gone: none of its calls is made any more."""


@contextmanager
def dying(event: str, after: int) -> Iterator[Callable[[], bool]]:
    """A process that dies right before, or right after, one of its writes; tells whether it did."""
    left = after

    def see(model: Any, **_: Any) -> None:
        nonlocal left
        if model.name in ("UpdateItem", "PutItem", "TransactWriteItems"):
            left -= 1
        if left < 0:
            raise Killed

    events = Item._get_connection().connection.client.meta.events
    events.register(f"{event}.dynamodb", see)
    try:
        yield lambda: left < 0
    finally:
        events.unregister(f"{event}.dynamodb", see)


@pytest.mark.parametrize("event", ["before-call", "after-call"])
@pytest.mark.timeout(300)
async def test_killed_at_any_write_nothing_stays_held_and_nothing_counts_twice(store: object, event: str) -> None:
    died, after = True, 0
    while died:
        with ThreadPoolExecutor(16) as executor:
            town = Town(Product(), executor)
            town.set(tenant_month={"tokens": 5_000, "amount_nanousd": 5_000}, agent_day={"tokens": 5_000})
            said = town.product.say(town.agent, "go")
            with dying(event, after) as happened:
                work = town.runner(Model([10, 20])).work(town.tenant, said.conversation_id, seconds=600)
                await asyncio.gather(asyncio.ensure_future(guarded(work)), return_exceptions=True)
                died = happened()
            for _ in range(3):
                town.product.clock.ahead += LEASE_MS + 1
                await town.runner(Model([10, 20])).work(town.tenant, said.conversation_id, seconds=600)
            Ledger(LedgerRepository(), budgets=town.book().close).fold_notes(town.tenant, seconds=60)
            answer = ConversationRepository().answer(town.tenant, said.conversation_id, said.run_id)
            assert answer is not None
            assert answer.status == "completed", after
            assert answer.cost is not None
            assert town.ledger() == (answer.cost.amount_nanousd, answer.cost.amount_nanousd)
            for state in (town.month(), town.budgets.of_agent(town.product.me, town.agent)["state"]["agent_day"]):
                assert state["used"] == {"amount_nanousd": town.ledger()[0], "tokens": town.ledger()[1]}, after
                assert state["held"] == {"amount_nanousd": 0, "tokens": 0}, after
        after += 1
    assert after > 5


async def guarded(work: Any) -> None:
    """What a process does that dies; it must not take the test along."""
    with suppress(Killed):
        await work
