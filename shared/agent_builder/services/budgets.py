"""Keeps runs within their budgets: what a model call may cost is held before it, and settled after it.

The counts are exact under runs side by side, and equal the ledger when runs have ended (decision 0082).
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from agent_builder import metrics as counted
from agent_builder.clock import Clock, now_ms, rfc3339
from agent_builder.errors import BudgetExceeded, FenceLost, RaceLost, StoreError
from agent_builder.messages import Usage
from agent_builder.metrics import Metrics
from agent_builder.models.budgets import Budget, Limit, Period, Spent, period_of
from agent_builder.models.usage import UsageEntry
from agent_builder.repositories.budgets import BudgetRepository, Change, Share, Spending, Stored
from agent_builder.repositories.ledger import LedgerRepository
from agent_builder.services.history import DEFAULT_OUTPUT

logger = logging.getLogger(__name__)

FRESH_MS = 10_000
HELD_MS = 15 * 60_000  # no invocation lasts longer
_KEPT = 1024
_ATTEMPTS = 12
_TOO_MUCH = (
    "That is more than the whole budget, so waiting does not help: set a smaller `max_tokens` for the agent (without "
    f"one, room for {DEFAULT_OUTPUT:,} tokens of output is held), shorten what it is given, or ask an owner to raise "
    "the budget."
)
_NAMES: dict[Period, str] = {
    "agent_day": "this agent and day",
    "tenant_month": "this tenant and month",
}
Key = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class InForce:
    """What a run of an agent may use: itself, and together with others."""

    run: Budget | None = None
    limits: tuple[Limit, ...] = ()

    @property
    def budgets(self) -> list[Budget]:
        """All of them."""
        return [*([self.run] if self.run else []), *(limit.budget for limit in self.limits)]


@dataclass(slots=True)
class Shares:
    """What a run has in counters, as its runner knows it, and what it is to be."""

    known: dict[Key, tuple[Limit, Share | None]] = field(default_factory=dict)
    target: Share = field(default_factory=Share)


@dataclass
class BudgetBook:
    """Every tenant's budgets, as an execution environment knows them: at most ten seconds old. Its calls block."""

    repository: BudgetRepository = field(default_factory=BudgetRepository)
    ledger: LedgerRepository = field(default_factory=LedgerRepository)
    metrics: Metrics = field(default_factory=Metrics)
    clock: Clock = now_ms
    _known: OrderedDict[tuple[str, str], tuple[int, Stored]] = field(default_factory=OrderedDict)
    _open: OrderedDict[str, Shares] = field(default_factory=OrderedDict)

    def in_force(self, tenant: str, agent_id: str, accepted_at: int) -> InForce:
        """What applies to an agent's run that was accepted then (milliseconds)."""
        ours, own = self._stored(tenant, ""), self._stored(tenant, agent_id)
        run = applying(own.get("run"), ours.get("run"))
        limits = []
        kinds: tuple[tuple[Period, str], ...] = (("agent_day", agent_id), ("tenant_month", ""))
        for kind, scope in kinds:
            found = applying(own.get(kind), ours.get(kind))
            if found:
                budget, since = found
                limits.append(Limit(kind, scope, period_of(kind, accepted_at), budget, since))
        return InForce(run[0] if run else None, tuple(limits))

    def write(self, tenant: str, run_id: str, limits: Iterable[Limit], *, strict: bool = False) -> None:
        """Bring a run's shares to their target, in the counters of these limits and in those where it has one.

        Raises:
            BudgetExceeded: `strict`, and there is no room.
            FenceLost: The run was ended by somebody else.
        """
        shares = self._open.setdefault(run_id, Shares())
        if len(self._open) > _KEPT:  # of runs that went on elsewhere
            self._open.popitem(last=False)
        for limit in limits:
            share = shares.known.get(_key(limit), (limit, None))[1]
            shares.known[_key(limit)] = (limit, share)
        self._bring(tenant, run_id, shares, strict=strict)

    def target(self, run_id: str, used: Spent, held: Spent) -> None:
        """What a run's shares are to be with the next write."""
        self._open.setdefault(run_id, Shares()).target = Share(used, held, self.clock() + HELD_MS)

    def close(self, tenant: str, entry: UsageEntry) -> None:
        """Settle the budgets of a run that has ended with what it used, whoever ran it. Made again it does nothing."""
        shares = self._open.pop(entry.run_id, None) or self._left(tenant, entry)
        if any(share for _, share in shares.known.values()):
            shares.target = Share(_used_by(entry))
            self._bring(tenant, entry.run_id, shares, ends=True)

    def _left(self, tenant: str, entry: UsageEntry) -> Shares:
        """What a run has in counters that another process ran."""
        agent_id = next((row.name for row in entry.rows if row.dimension == "agent"), "")
        shares = Shares()
        for limit in self.in_force(tenant, agent_id, _noon(entry.day)).limits:
            spending = self.repository.spending(tenant, limit)
            share = spending.runs.get(entry.run_id) if spending else None
            shares.known[_key(limit)] = (limit, share)
        return shares

    def _bring(self, tenant: str, run_id: str, shares: Shares, *, strict: bool = False, ends: bool = False) -> None:
        warned: dict[Key, Spent] = {}
        for _ in range(_ATTEMPTS):
            changes = [
                Change(limit, share, shares.target, ends, strict, key in warned)
                for key, (limit, share) in shares.known.items()
                if strict or (share and (ends or share.spent != shares.target.spent))
            ]
            if not changes:
                return
            try:
                self.repository.write(tenant, run_id, changes, now=self.clock())
            except RaceLost:
                for change in changes:
                    warned.update(self._look(tenant, run_id, shares, change))
                continue
            for change in changes:
                shares.known[_key(change.limit)] = (change.limit, None if ends else shares.target)
                if change.warns:
                    self._warn(change.limit, warned[_key(change.limit)])
            return
        raise StoreError("Too many runs share a budget at once; try again.")

    def _look(self, tenant: str, run_id: str, shares: Shares, change: Change) -> dict[Key, Spent]:
        """Learn why a write failed, and see to it; answers what will be used of a counter that calls for a warning."""
        limit, key = change.limit, _key(change.limit)
        found = self.repository.spending(tenant, limit)
        if found is None:
            self._begin(tenant, limit)
            return {}
        share = found.runs.get(run_id)
        if share is None and change.before is not None:
            if change.strict:
                raise FenceLost("This run was ended by another runner.")
            del shares.known[key]  # it is settled
            return {}
        shares.known[key] = (limit, share)
        after, base = change.after, share or Share()
        exceeded = change.strict and limit.budget.exceeded(found.total + after.total - base.total)
        if exceeded and not self.repository.free(tenant, limit, found, now=self.clock()):
            self.metrics.add(counted.BUDGETS_EXCEEDED, budget=limit.kind)
            if found.warned_at is None and self.repository.warn(tenant, limit, now=self.clock()):
                self._warn(limit, found.used)
            raise BudgetExceeded(_refusal(limit, found, after.total - base.total))
        used = found.used + after.used - base.used
        return {key: used} if found.warned_at is None and limit.budget.warns(used) else {}

    def _warn(self, limit: Limit, used: Spent) -> None:
        self.metrics.add(counted.BUDGET_WARNINGS, budget=limit.kind)
        told = {"budget": limit.kind, "period": limit.period, "agent_id": limit.scope}
        amounts = {"limit": said(limit.budget), "used": spent_said(limit.budget, used)}
        logger.warning("budget_warning", extra={**told, **amounts})

    def _begin(self, tenant: str, limit: Limit) -> None:
        """Begin to count, with what runs used in the period before its budget was put in force."""
        used = used_in(self.ledger, tenant, limit)
        warns = limit.budget.warns(used)
        if self.repository.begin(tenant, limit, used, warned_at=self.clock() if warns else None) and warns:
            self._warn(limit, used)

    def _stored(self, tenant: str, agent_id: str) -> Stored:
        known = self._known.get((tenant, agent_id))
        if known is None or self.clock() - known[0] > FRESH_MS:
            known = (self.clock(), self.repository.budgets(tenant, agent_id)[0])
            self._known[tenant, agent_id] = known
            self._known.move_to_end((tenant, agent_id))
            if len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return known[1]


def applying(own: Mapping[str, Any] | None, ours: Mapping[str, Any] | None) -> tuple[Budget, int] | None:
    """Which of an agent's own budget and the tenant's applies, and since when.

    An own budget that was taken away leaves when: what the tenant's counted before knows nothing of the time between.
    """
    found = own if own and is_set(own) else ours
    return (budget_of(found), max(int(one["since"]) for one in (own, found) if one)) if found else None


def is_set(stored: Mapping[str, Any]) -> bool:
    """Whether it limits anything; otherwise it only says since when there is none."""
    return "amount_nanousd" in stored or "tokens" in stored


def used_in(ledger: LedgerRepository, tenant: str, limit: Limit) -> Spent:
    """What ended runs used in the period of a budget, whether or not there was one."""
    first, last = limit.days
    days = ledger.counts(tenant, limit.scope, "total", since=first, until=last)
    return sum((_spent(counts) for counts in days.values()), Spent())


def tokens_of(usage: Usage) -> int:
    """Tokens as budgets count them."""
    return usage.input_tokens + usage.output_tokens


def _used_by(entry: UsageEntry) -> Spent:
    return sum((_spent(row.counts) for row in entry.rows if row.dimension == "agent"), Spent())


def _spent(counts: Mapping[str, int]) -> Spent:
    return Spent(counts.get("amount_nanousd", 0), counts.get("input_tokens", 0) + counts.get("output_tokens", 0))


def budget_of(stored: Mapping[str, Any]) -> Budget:
    """A budget as it is stored."""
    return Budget(amount_nanousd=stored.get("amount_nanousd"), tokens=stored.get("tokens"))


def _key(limit: Limit) -> Key:
    return limit.scope, limit.period, limit.since


def _noon(day: str) -> int:
    return int(datetime.fromisoformat(day).replace(hour=12, tzinfo=UTC).timestamp() * 1000)


def _refusal(limit: Limit, found: Spending, needed: Spent) -> str:
    budget = limit.budget
    until = rfc3339(int(limit.ends.timestamp() * 1000))
    then = advice(budget, needed, f"It is free again at {until}, or when an owner raises it.")
    return f"{no_room(_NAMES[limit.kind], budget, needed)}; used or held are {spent_said(budget, found.total)}. {then}"


def advice(budget: Budget, needed: Spent, otherwise: str) -> str:
    """What to do where a call has no room; `otherwise` where there would be some if less were used."""
    if budget.closed:
        return "A budget of 0 lets no model be asked: an owner must raise it."
    return _TOO_MUCH if budget.exceeded(needed) else otherwise


def no_room(name: str, budget: Budget, needed: Spent) -> str:
    """Why a model was not asked; the beginning of a sentence that goes on."""
    return (
        f"Stopped: the budget for {name} ({said(budget)}) has no room for another answer of the model, "
        f"which may need {spent_said(budget, needed)}"
    )


def said(budget: Budget) -> str:
    """A budget in words."""
    return spent_said(budget, Spent(budget.amount_nanousd or 0, budget.tokens or 0))


def spent_said(budget: Budget, spent: Spent) -> str:
    """What was spent of a budget, in words, of what it limits."""
    money = [] if budget.amount_nanousd is None else [dollars(spent.amount)]
    return " and ".join([*money, *([] if budget.tokens is None else [f"{spent.tokens:,} tokens"])])


def dollars(nano: int) -> str:
    """Nano-dollars in dollars."""
    return f"${Decimal(nano) / 1_000_000_000:,.6f}"
