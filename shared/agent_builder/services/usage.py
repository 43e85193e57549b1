"""Usage, read from aggregates: what it costs to read depends on days and names, never on the number of runs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Literal

from agent_builder.clock import Clock, now_ms
from agent_builder.errors import Fault, Unprocessable
from agent_builder.ids import is_id
from agent_builder.messages import Json
from agent_builder.models.identity import Identity
from agent_builder.models.usage import Dimension, Measure, cost_of, percentiles, usage_of
from agent_builder.repositories.ledger import LedgerRepository

MOST_DAYS = 92
DAYS = 30
MOST_ITEMS = 5_000
GroupBy = Literal["day", "agent", "model", "tool"]
_DIMENSIONS: dict[GroupBy, Dimension] = {"day": "total", "agent": "agent", "model": "model", "tool": "tool"}


@dataclass(frozen=True, slots=True)
class UsageService:
    """What the caller's tenant used."""

    repository: LedgerRepository
    clock: Clock = now_ms

    def report(
        self,
        identity: Identity,
        *,
        since: date | None,
        until: date | None,
        agent_id: str | None,
        group_by: GroupBy,
        per_day: bool = False,
    ) -> Json:
        """Ended runs that were accepted from the first day to the last (UTC), both included.

        With `per_day` an agent, a model or a tool has an item for each day on which it was used.

        Raises:
            Unprocessable: The days, the agent's id, both `agent_id` and `group_by=agent`, or too much for one answer.
        """
        first, last = self._days(since, until)
        _check_agent(agent_id, group_by)
        counts = self.repository.counts
        days = {"since": first.isoformat(), "until": last.isoformat()}
        scope = agent_id or ""
        total = counts(identity.tenant, scope, "total", **days)
        rows = total if group_by == "day" else counts(identity.tenant, scope, _DIMENSIONS[group_by], **days)
        return {
            "from": first.isoformat(),
            "to": last.isoformat(),
            "agent_id": agent_id,
            "group_by": group_by,
            "total": _run_view(sum(total.values(), Counter())),
            "items": _items_per_day(group_by, rows) if per_day else _items(group_by, rows),
        }

    def _days(self, since: date | None, until: date | None) -> tuple[date, date]:
        today = datetime.fromtimestamp(self.clock() / 1000, UTC).date()
        last = until or (max(since, today) if since else today)
        first = since or date.fromordinal(max(1, last.toordinal() - DAYS + 1))
        if first > last:
            raise _refused("from", "`from` is after `to`; swap them.")
        if (last - first).days >= MOST_DAYS:
            raise _refused("to", f"At most {MOST_DAYS} days can be asked for at once; ask for fewer.")
        return first, last


def _check_agent(agent_id: str | None, group_by: GroupBy) -> None:
    if agent_id is not None and not is_id("agt", agent_id):
        raise _refused("agent_id", "This is not the id of an agent.")
    if agent_id is not None and group_by == "agent":
        raise _refused("group_by", "Leave `agent_id` out to group by agents, or group by something else.")


def _refused(name: str, message: str) -> Unprocessable:
    fault = Fault(f"query/{name}", message)
    return Unprocessable("The request is not valid; `errors` says where.", faults=(fault,))


def _items_per_day(group_by: GroupBy, rows: Mapping[tuple[str, str], Counter[str]]) -> list[Json]:
    """Day by day."""
    if len(rows) > MOST_ITEMS:
        raise _refused(
            "per_day", f"These are {len(rows):,} items, and at most {MOST_ITEMS:,} can be given: ask for fewer days."
        )
    days: dict[str, dict[tuple[str, str], Counter[str]]] = defaultdict(dict)
    for (day, name), counts in rows.items():
        days[day][day, name] = counts
    return [{"day": day, **item} for day in sorted(days) for item in _items(group_by, days[day])]


def _items(group_by: GroupBy, rows: Mapping[tuple[str, str], Counter[str]]) -> list[Json]:
    """Days in order; of everything else first what costs most."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for (day, name), counts in rows.items():
        found[day if group_by == "day" else name].update(counts)
    if group_by == "day":
        return [{"day": day, **_run_view(found[day])} for day in sorted(found)]
    names = sorted(found, key=lambda name: (-found[name]["amount_nanousd"], -found[name]["runs"], name))
    return [_named(group_by, name, found[name]) for name in names]


def _named(group_by: GroupBy, name: str, counts: Mapping[str, int]) -> Json:
    if group_by == "agent":
        return {"agent_id": name, **_run_view(counts)}
    if group_by == "model":
        provider, _, model = name.partition("/")
        calls = {name: counts.get(name, 0) for name in ("tests", "calls", "errors")}
        return {"provider": provider or None, "model": model or None, **calls, **_used(counts), **_times(counts)}
    return {"tool_name": name, **_tool_view(counts)}


def _run_view(counts: Mapping[str, int]) -> Json:
    names = ("tests", "completed", "errors", "cancelled", "calls", "tool_calls", "tool_errors")
    return {**_used(counts), **{name: counts.get(name, 0) for name in names}, **_times(counts)}


def _tool_view(counts: Mapping[str, int]) -> Json:
    calls, errors, unknown = (counts.get(name, 0) for name in ("calls", "errors", "unknown"))
    rate = round((calls - errors - unknown) / calls, 4) if calls else None
    numbers = {"runs": counts.get("runs", 0), "calls": calls, "errors": errors, "unknown": unknown}
    return {**numbers, "success_rate": rate, "duration_ms": _percentiles("duration", counts)}


def _used(counts: Mapping[str, int]) -> Json:
    usage, cost = usage_of(counts), cost_of(counts)
    return {"runs": counts.get("runs", 0), "usage": usage.model_dump(), "cost": cost.model_dump()}


def _times(counts: Mapping[str, int]) -> Json:
    return {"duration_ms": _percentiles("duration", counts), "first_token_ms": _percentiles("first", counts)}


def _percentiles(measure: Measure, counts: Mapping[str, int]) -> Json | None:
    found = percentiles(measure, counts)
    return asdict(found) if found else None
