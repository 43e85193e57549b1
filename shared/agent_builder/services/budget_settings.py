"""Budgets as their owners set and see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agent_builder.clock import Clock, now_ms, rfc3339
from agent_builder.messages import Json
from agent_builder.models.budgets import AgentBudgets, Budget, Budgets, Limit, Period, Spent, period_of
from agent_builder.models.identity import Identity
from agent_builder.repositories.budgets import BudgetRepository, Stored
from agent_builder.repositories.ledger import LedgerRepository
from agent_builder.services.agents import AgentService
from agent_builder.services.budgets import applying, budget_of, is_set, used_in


@dataclass(frozen=True, slots=True)
class BudgetService:
    """The tenant's budgets and those of single agents."""

    repository: BudgetRepository
    ledger: LedgerRepository
    agents: AgentService
    clock: Clock = now_ms

    def of_tenant(self, identity: Identity) -> Json:
        """What is set for the tenant, and how far this month's is used."""
        stored, updated_at = self.repository.budgets(identity.tenant)
        state = self._state(identity.tenant, "tenant_month", "", applying(None, stored.get("tenant_month")))
        return {**_view(Budgets, stored), "state": {"tenant_month": state}, "updated_at": _time(updated_at)}

    def of_agent(self, identity: Identity, agent_id: str) -> Json:
        """What is set for one agent, what applies to it, and how far today's is used.

        Raises:
            NotFound: Unknown, foreign or deleted.
        """
        self.agents.get(identity, agent_id)
        stored, updated_at = self.repository.budgets(identity.tenant, agent_id)
        ours = self.repository.budgets(identity.tenant)[0]
        day = applying(stored.get("agent_day"), ours.get("agent_day"))
        state = self._state(identity.tenant, "agent_day", agent_id, day)
        own, others = _view(AgentBudgets, stored), _view(AgentBudgets, ours)
        told = {"in_force": {name: own[name] or others[name] for name in own}, "state": {"agent_day": state}}
        return {**_view(AgentBudgets, stored), **told, "updated_at": _time(updated_at)}

    def set_tenant(self, identity: Identity, budgets: Budgets) -> Json:
        """Put others in force: for runs that begin ten seconds later, at the latest."""
        self._save(identity.tenant, "", budgets)
        return self.of_tenant(identity)

    def set_agent(self, identity: Identity, agent_id: str, budgets: AgentBudgets) -> Json:
        """The same for one agent; no new version.

        Raises:
            NotFound: Unknown, foreign or deleted.
        """
        self.agents.get(identity, agent_id)
        self._save(identity.tenant, agent_id, budgets)
        return self.of_agent(identity, agent_id)

    def _save(self, tenant: str, agent_id: str, budgets: AgentBudgets) -> None:
        before, now = self.repository.budgets(tenant, agent_id)[0], self.clock()
        limits: dict[str, Json] = {}
        for name in type(budgets).model_fields:
            budget: Budget | None = getattr(budgets, name)
            known = before.get(name)
            if budget is not None:  # what stays in force goes on with what is counted for it
                since = int(known["since"]) if known and is_set(known) else now
                limits[name] = {**budget.model_dump(exclude_none=True), "since": since}
            elif known and agent_id:
                limits[name] = {"since": now if is_set(known) else known["since"]}
        self.repository.save(tenant, agent_id, limits, now=now)

    def _state(self, tenant: str, kind: Period, scope: str, applies: tuple[Budget, int] | None) -> Json | None:
        """How far a budget is used in the period of now; null where there is none."""
        if applies is None:
            return None
        limit = Limit(kind, scope, period_of(kind, self.clock()), *applies)
        found = self.repository.spending(tenant, limit)
        used = found.used if found else used_in(self.ledger, tenant, limit)  # as the first run will begin to count
        return {
            "period": limit.period,
            "used": _amounts(used),
            "held": _amounts(found.total - used if found else Spent()),
            "warned_at": _time(found.warned_at if found else None),
            "free_at": rfc3339(int(limit.ends.timestamp() * 1000)),
        }


def _view(kind: type[AgentBudgets], stored: Stored) -> Json:
    return {name: _budget_view(stored.get(name)) for name in kind.model_fields}


def _budget_view(stored: Mapping[str, Any] | None) -> Json | None:
    return budget_of(stored).model_dump() if stored and is_set(stored) else None


def _amounts(spent: Spent) -> Json:
    return {"amount_nanousd": spent.amount, "tokens": spent.tokens}


def _time(milliseconds: int | None) -> str | None:
    return rfc3339(milliseconds) if milliseconds else None
