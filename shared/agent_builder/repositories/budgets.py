"""Budgets that are set, and what is counted for them.

A counter holds what ended and running runs have used, what they hold for calls that go on, and of each running run its
share in both. A run writes its whole share each time, on condition that it is as the run knows it: so a write that is
made twice counts once, and whoever takes a run over corrects what its killed runner left.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from pynamodb.attributes import JSONAttribute, MapAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.expressions.operand import Path

from agent_builder.errors import RaceLost
from agent_builder.models.budgets import NOTHING, Budget, Limit, Spent, warning_of
from agent_builder.repositories import keys
from agent_builder.repositories.table import Item, Transaction, get_item, retrying

_KEPT_SECONDS = 100 * 24 * 3600  # beyond the period: a run may wait for a person that long, and not longer
Stored = Mapping[str, Mapping[str, Any]]


class BudgetsItem(Item, discriminator="budgets"):
    """What a tenant, or it for one agent, has set: name to `{amount_nanousd?, tokens?, since}`.

    With neither of the two an agent has none of its own since then.
    """

    limits = JSONAttribute()
    updated_at = NumberAttribute()


class SpendingItem(Item, discriminator="spending"):
    """`amount` and `tokens` are used and held together, `used_…` used alone; `runs` has the shares of running runs.

    `warned_for` is the limit at which somebody was warned, or a call was refused: one that was raised warns anew.
    """

    amount = NumberAttribute(default=0)
    tokens = NumberAttribute(default=0)
    used_amount = NumberAttribute(default=0)
    used_tokens = NumberAttribute(default=0)
    warned_at = NumberAttribute(null=True)
    warned_for = UnicodeAttribute(null=True)
    runs: MapAttribute[str, Any] = MapAttribute(default=dict)


@dataclass(frozen=True, slots=True)
class Share:
    """What a running run has used, and what it holds `until` (milliseconds). The mark tells one write from another."""

    used: Spent = NOTHING
    held: Spent = NOTHING
    until: int = 0
    mark: str = field(default_factory=lambda: uuid.uuid4().hex[:12])

    @property
    def stored(self) -> str:
        """As it stands in the counter."""
        spent = [self.used.amount, self.used.tokens, self.held.amount, self.held.tokens, self.until]
        return json.dumps([*spent, self.mark], separators=(",", ":"))

    @property
    def spent(self) -> tuple[Spent, Spent]:
        """Used, and held."""
        return self.used, self.held

    @property
    def total(self) -> Spent:
        """Used and held."""
        return self.used + self.held


@dataclass(frozen=True, slots=True)
class Spending:
    """A counter as it stands. `warned_at` (milliseconds) is when somebody was warned of the limit, if anybody was."""

    total: Spent
    used: Spent
    warned_at: int | None
    runs: Mapping[str, Share]


@dataclass(frozen=True, slots=True)
class Change:
    """One counter's part of a write: a run's share becomes another one.

    Attributes:
        before: The share as the run knows it; None where it has none.
        ends: The run is over: `after` counts, and is not kept as its share.
        strict: Only if the limit allows it.
        warns: Note that somebody is warned; otherwise the write fails where somebody had to be.
    """

    limit: Limit
    before: Share | None
    after: Share
    ends: bool = False
    strict: bool = False
    warns: bool = False


class BudgetRepository:
    """Access patterns: budgets of a tenant, of an agent; a counter by its period."""

    def budgets(self, tenant: str, agent_id: str = "") -> tuple[Stored, int | None]:
        """What is set, and when (milliseconds)."""
        item = get_item(BudgetsItem, *_place(tenant, agent_id))
        return (dict(item.limits), int(item.updated_at)) if item else ({}, None)

    def save(self, tenant: str, agent_id: str, limits: Stored, *, now: int) -> None:
        """Put these in the place of what was set."""
        pk, sk = _place(tenant, agent_id)
        retrying(BudgetsItem(pk=pk, sk=sk, limits=limits, updated_at=now).save)

    def spending(self, tenant: str, limit: Limit) -> Spending | None:
        """A counter; None where nothing was counted yet."""
        item = get_item(SpendingItem, *_counter(tenant, limit))
        if item is None:
            return None
        return Spending(
            Spent(int(item.amount), int(item.tokens)),
            Spent(int(item.used_amount), int(item.used_tokens)),
            int(item.warned_at) if item.warned_for == _text(limit.budget) else None,
            {name: _share(text) for name, text in item.runs.as_dict().items()},
        )

    def begin(self, tenant: str, limit: Limit, used: Spent, *, warned_at: int | None) -> bool:
        """Make a counter that begins with what was used before; False where somebody else was faster."""
        pk, sk = _counter(tenant, limit)
        item = SpendingItem(
            pk=pk,
            sk=sk,
            amount=used.amount,
            tokens=used.tokens,
            used_amount=used.amount,
            used_tokens=used.tokens,
            warned_at=warned_at,
            warned_for=None if warned_at is None else _text(limit.budget),
            expires_at=int(limit.ends.timestamp()) + _KEPT_SECONDS,
        )
        try:
            retrying(lambda: item.save(SpendingItem.pk.does_not_exist()))
        except RaceLost:
            return False
        return True

    def write(self, tenant: str, run_id: str, changes: Sequence[Change], *, now: int) -> None:
        """Change a run's shares, in all counters or in none. One call.

        Raises:
            RaceLost: One of them is not as it is known, or does not allow it: look at them.
        """
        writes = [
            (_item(tenant, change), _actions(run_id, change, now), _condition(run_id, change)) for change in changes
        ]
        if len(writes) == 1:
            item, actions, condition = writes[0]
            retrying(lambda: item.update(actions, condition))
            return
        together = Transaction()
        for number, (item, actions, condition) in enumerate(writes):
            together.update(str(number), item, actions, condition)
        together.commit()

    def warn(self, tenant: str, limit: Limit, *, now: int) -> bool:
        """Note that somebody is warned of a limit; False where somebody was."""
        pk, sk = _counter(tenant, limit)
        item, unwarned = SpendingItem(pk=pk, sk=sk), _unwarned(limit.budget)
        try:
            retrying(lambda: item.update(_warning(limit.budget, now), SpendingItem.pk.exists() & unwarned))
        except RaceLost:
            return False
        return True

    def free(self, tenant: str, limit: Limit, spending: Spending, *, now: int) -> bool:
        """Give back what killed runners hold for too long; answers whether there was something."""
        freed = False
        for run_id, share in spending.runs.items():
            if share.held != NOTHING and share.until < now:
                given_back = Change(limit, share, replace(share, held=NOTHING))
                with suppress(RaceLost):  # its run is alive, or somebody else was faster
                    self.write(tenant, run_id, [given_back], now=now)
                freed = True
        return freed


def _place(tenant: str, agent_id: str) -> tuple[str, str]:
    """An agent's stand with it, and go with it."""
    return (keys.agent(tenant, agent_id), "BUDGETS") if agent_id else (keys.budgets(tenant), keys.HEAD)


def _counter(tenant: str, limit: Limit) -> tuple[str, str]:
    return keys.spending(tenant, limit.scope), f"{limit.period}#{limit.since}"


def _item(tenant: str, change: Change) -> SpendingItem:
    pk, sk = _counter(tenant, change.limit)
    return SpendingItem(pk=pk, sk=sk)


def _actions(run_id: str, change: Change, now: int) -> list[Any]:
    before, after, share = change.before or Share(), change.after, Path(["runs", run_id])
    total, used = after.total - before.total, after.used - before.used
    actions: list[Any] = [share.remove() if change.ends else share.set(after.stored)]
    added = {"amount": total.amount, "tokens": total.tokens, "used_amount": used.amount, "used_tokens": used.tokens}
    actions += [Path(name).add(number) for name, number in added.items() if number]
    if change.warns:
        actions += _warning(change.limit.budget, now)
    return actions


def _condition(run_id: str, change: Change) -> Any:
    share, before, budget = Path(["runs", run_id]), change.before, change.limit.budget
    text = _text(budget)
    unknown = SpendingItem.pk.exists() & share.does_not_exist()
    condition: Any = unknown if before is None else share == before.stored
    total = change.after.total - (before or Share()).total
    used = change.after.used - (before or Share()).used
    of_money = ("amount", budget.amount_nanousd, total.amount, used.amount)
    of_tokens = ("tokens", budget.tokens, total.tokens, used.tokens)
    for name, limit, more, more_used in (of_money, of_tokens):
        if limit is None:
            continue
        if change.strict:
            condition &= Path(name) <= (-1 if budget.closed else limit - more)
        if not change.warns and more_used > 0:
            condition &= (SpendingItem.warned_for == text) | (Path(f"used_{name}") < warning_of(limit) - more_used)
    if change.warns:
        condition &= _unwarned(budget)
    return condition


def _warning(budget: Budget, now: int) -> list[Any]:
    return [SpendingItem.warned_at.set(now), SpendingItem.warned_for.set(_text(budget))]


def _unwarned(budget: Budget) -> Any:
    return SpendingItem.warned_for.does_not_exist() | (SpendingItem.warned_for != _text(budget))


def _text(budget: Budget) -> str:
    return f"{budget.amount_nanousd}/{budget.tokens}"


def _share(text: str) -> Share:
    amount, tokens, held_amount, held_tokens, until, mark = json.loads(text)
    return Share(Spent(amount, tokens), Spent(held_amount, held_tokens), until, mark)
