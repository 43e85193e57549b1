"""Budgets: how much money and how many tokens may be used, and how far they are used."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, Self

from pydantic import Field, model_validator

from agent_builder.models.agents import Strict
from agent_builder.models.usage import day_of

Scope = Literal["run", "agent_day", "tenant_month"]
Period = Literal["agent_day", "tenant_month"]
MOST_NANOUSD = 10**15  # a million dollars
MOST_TOKENS = 10**12
WARN_PERCENT = 80


@dataclass(frozen=True, slots=True)
class Spent:
    """Money in nano-dollars and tokens (input and output), spent or held for what may be spent."""

    amount: int = 0
    tokens: int = 0

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.amount + other.amount, self.tokens + other.tokens)

    def __sub__(self, other: Spent) -> Spent:
        return Spent(self.amount - other.amount, self.tokens - other.tokens)


NOTHING = Spent()


class Budget(Strict):
    """A limit in money, in tokens, or in both; then the one that is reached first counts. 0: no model is asked."""

    amount_nanousd: int | None = Field(default=None, ge=0, le=MOST_NANOUSD, description="Nano-dollars (1e-9 USD)")
    tokens: int | None = Field(default=None, ge=0, le=MOST_TOKENS, description="Input and output together")

    @model_validator(mode="after")
    def _limits_something(self) -> Self:
        if self.amount_nanousd is None and self.tokens is None:
            raise ValueError("Give amount_nanousd, tokens, or both; null in place of the whole budget for no limit.")
        return self

    @property
    def closed(self) -> bool:
        """Whether it lets nothing be asked, not even what is free, or has no price."""
        return 0 in (self.amount_nanousd, self.tokens)

    def exceeded(self, spent: Spent) -> bool:
        """Whether that much is too much for another call."""
        if self.closed:
            return True
        money = self.amount_nanousd is not None and spent.amount > self.amount_nanousd
        return money or (self.tokens is not None and spent.tokens > self.tokens)

    def warns(self, spent: Spent) -> bool:
        """Whether so much of it is used that somebody should know."""
        money = self.amount_nanousd is not None and spent.amount >= warning_of(self.amount_nanousd)
        return money or (self.tokens is not None and spent.tokens >= warning_of(self.tokens))


class AgentBudgets(Strict):
    """What the runs of one agent may use; null: what the tenant says for all of its agents.

    Attributes:
        run: One run, agents and models that it asks included.
        agent_day: All runs that were accepted on one day (UTC).
    """

    run: Budget | None = None
    agent_day: Budget | None = None


class Budgets(AgentBudgets):
    """What a tenant says for each of its agents, and for all of them in a month (UTC); null: no limit."""

    tenant_month: Budget | None = None


@dataclass(frozen=True, slots=True)
class Limit:
    """A budget of a period that is in force.

    Attributes:
        scope: The agent's id, or "" for the whole tenant.
        period: A day `2026-11-23` or a month `2026-11`.
        since: When it was put in force (milliseconds). What is counted for it, is counted apart from others.
    """

    kind: Period
    scope: str
    period: str
    budget: Budget
    since: int

    @property
    def days(self) -> tuple[str, str]:
        """The first and the last day."""
        if self.kind == "agent_day":
            return self.period, self.period
        return f"{self.period}-01", f"{self.period}-31"

    @property
    def ends(self) -> datetime:
        """When the period is over, so that the budget is free again."""
        if self.kind == "agent_day":
            return datetime.fromisoformat(self.period).replace(tzinfo=UTC) + timedelta(days=1)
        first = datetime.fromisoformat(f"{self.period}-01").replace(tzinfo=UTC)
        return (first + timedelta(days=32)).replace(day=1)


def period_of(kind: Period, milliseconds: int) -> str:
    """The day or the month of a moment, in UTC."""
    day = day_of(milliseconds)
    return day if kind == "agent_day" else day[:7]


def warning_of(limit: int) -> int:
    """From how much on somebody is warned."""
    return -(-limit * WARN_PERCENT // 100)
