"""What a run used: gathered from its steps when it ends, and added to the aggregates once, whoever is killed."""

from __future__ import annotations

import logging
import re
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from agent_builder.clock import Clock, now_ms
from agent_builder.errors import StoreError
from agent_builder.messages import Cost, Json, Message, Usage
from agent_builder.models.conversations import Outcome, QueuedRun, Step
from agent_builder.models.usage import Dimension, Timing, UsageEntry, UsageRow, bucket, day_of, used
from agent_builder.repositories.ledger import LedgerRepository

logger = logging.getLogger(__name__)

OTHER = "(other)"
_TOOL = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_PAGE = 100
_ENDS = {"completed": "completed", "failed": "errors", "cancelled": "cancelled"}


@dataclass(frozen=True, slots=True)
class Ended:
    """A run that came to its end.

    Attributes:
        steps: All of them, also those that earlier runners made.
        began_at: When it began, 0 where it never did; milliseconds, as `now`.
        label: What its model steps say of their model where they say nothing themselves.
        tools: The names of its tools; None where nobody looked.
    """

    run: QueuedRun
    outcome: Outcome
    steps: Collection[Step]
    began_at: int
    now: int
    label: Json
    tools: Collection[str] | None = None

    @property
    def timing(self) -> Timing:
        """When it began, how long it took, and when the first came of it."""
        started = min((step.started_at for step in self.steps), default=None)
        told = (_told_at(step) for step in self.steps if step.kind == "model" and step.parent is None)
        first = min((moment for moment in told if moment is not None), default=None)
        return Timing(
            started,
            max(0, self.now - self.began_at) if self.began_at else None,
            None if first is None or started is None else max(0, first - started),
        )


def entry_of(ended: Ended) -> UsageEntry:
    """What a run adds to the aggregates of its tenant and its agent."""
    total = _run_counts(ended)
    models, tools = _models_in(ended.steps, ended.label, "runs"), _by_tool(ended)
    agent = ended.run.agent_id
    rows = [UsageRow("", "agent", agent, total)]
    for scope in ("", agent):
        rows.append(UsageRow(scope, "total", "", total))
        rows += _rows(scope, "model", models)
        rows += _rows(scope, "tool", tools)
    return UsageEntry(ended.run.run_id, day_of(ended.run.accepted_at), tuple(rows))


def entry_of_test(test_id: str, agent_id: str, at: int, steps: Sequence[Step]) -> UsageEntry:
    """What the models cost that were asked in a test of an agent's tool, at that time (milliseconds); it is no run."""
    total, models = Counter(tests=1), _models_in(steps, {}, "tests")
    for step in steps:
        total["calls"] += 1
        total.update(used(step.usage, step.cost))
    rows = [UsageRow("", "agent", agent_id, total)]
    for scope in ("", agent_id):
        rows += [UsageRow(scope, "total", "", total), *_rows(scope, "model", models)]
    return UsageEntry(test_id, day_of(at), tuple(rows))


def _rows(scope: str, dimension: Dimension, named: Mapping[str, Counter[str]]) -> Iterable[UsageRow]:
    return (UsageRow(scope, dimension, name, counts) for name, counts in sorted(named.items()))


def _run_counts(ended: Ended) -> Counter[str]:
    counts: Counter[str] = Counter(runs=1)
    counts[_ENDS[ended.outcome.status]] += 1
    for step in ended.steps:
        if _is_call(step):
            counts["tool_calls"] += 1
            counts["tool_errors"] += step.status != "succeeded"
        elif step.kind == "model":
            counts["calls"] += 1
        counts.update(used(step.usage, step.cost))
    timing = ended.timing
    if timing.duration_ms is not None:
        counts[bucket("duration", timing.duration_ms)] += 1
    if timing.first_token_ms is not None:
        counts[bucket("first", timing.first_token_ms)] += 1
    return counts


def _models_in(steps: Iterable[Step], label_of_all: Json, counted: str) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    for step in steps:
        if step.kind != "model" and not (step.usage or step.cost):
            continue
        label = step.detail if step.detail.get("model") else label_of_all if step.parent is None else {}
        name = f"{label.get('provider', '')}/{label.get('model', '')}"
        counts = found.setdefault(name, Counter({counted: 1}))
        counts["calls"] += 1
        counts["errors"] += step.status != "succeeded"
        if step.took_ms is not None:
            counts[bucket("duration", step.took_ms)] += 1
        if "first_token_ms" in step.detail:
            counts[bucket("first", step.detail["first_token_ms"])] += 1
        counts.update(used(step.usage, step.cost))
    return found


def _by_tool(ended: Ended) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    for step in ended.steps:
        if _is_call(step):
            counts = found.setdefault(_tool_name(step, ended), Counter(runs=1))
            counts["calls"] += 1
            counts["errors"] += step.status == "failed"
            counts["unknown"] += step.status == "unknown"
            counts[bucket("duration", step.duration_ms)] += 1
    return found


def _tool_name(step: Step, ended: Ended) -> str:
    """A model may make names up: there must not be an aggregate for each of them."""
    name = str(step.detail.get("tool", ""))
    made_up = step.parent is None and ended.tools is not None and name not in ended.tools
    return OTHER if made_up or not _TOOL.fullmatch(name) else name


def _is_call(step: Step) -> bool:
    """Whether a step is a tool call that was made; what has a purpose is part of one that has a model's help.

    Only a call that was made has a duration in its result: not one that was cancelled, or denied, before.
    """
    made = "duration_ms" in (step.detail.get("result") or {})
    called = step.status in ("succeeded", "unknown") or (step.status == "failed" and made)
    return step.kind == "tool" and called and "purpose" not in step.detail


def _told_at(step: Step) -> int | None:
    first = step.detail.get("first_token_ms")
    return None if first is None else step.started_at + int(first)


@dataclass(frozen=True, slots=True)
class Ledger:
    """Adds what runs used.

    Attributes:
        budgets: Settles a tenant's budgets with what a run used. Done before it is added, so that the note is there
            until both are done.
    """

    repository: LedgerRepository
    clock: Clock = now_ms
    budgets: Callable[[str, UsageEntry], None] = lambda tenant, entry: None

    def settle(self, tenant: str, entry: UsageEntry) -> None:
        """Add what a run used right after its end. Should that fail, its note is found by the rescue."""
        try:
            self.budgets(tenant, entry)
            self.repository.fold(tenant, entry)
        except StoreError:
            logger.warning("what a run used was not added yet")

    def add(self, tenant: str, entry: UsageEntry) -> None:
        """Note and add what was used outside of runs.

        Raises:
            StoreError: It could not even be noted.
        """
        self.repository.note(tenant, entry, now=self.clock())
        self.settle(tenant, entry)

    def settle_deleted(self, tenant: str, conversation_id: str) -> None:
        """Add what the runs of a deleted conversation used which nobody will end any more; they count as cancelled."""
        for run in self.repository.waiting(tenant, conversation_id):
            now, steps = self.clock(), self.repository.steps(tenant, run.run_id)
            outcome = Outcome("cancelled", Message(role="assistant", parts=()), None, Usage(), Cost())
            began = min((step.started_at for step in steps), default=0)
            entry = entry_of(Ended(run, outcome, steps, began, now, {}))
            if self.repository.end_deleted(tenant, entry, now=now):
                self.settle(tenant, entry)

    def fold_notes(self, tenant: str, *, seconds: float) -> int:
        """Add what is still noted, as far as `seconds` reach; answers of how many runs."""
        until, count = time.monotonic() + seconds, 0
        while notes := self.repository.notes(tenant, limit=_PAGE):
            failed = 0
            for note in notes:
                if time.monotonic() > until:
                    return count
                try:
                    self.budgets(tenant, note.entry)
                    count += self.repository.fold(tenant, note.entry, done=note.done)
                except StoreError:
                    failed += 1
                    logger.warning("what a run used could not be added")
                    self.repository.postpone(tenant, note.entry.run_id, now=self.clock())
            if failed or len(notes) < _PAGE:
                return count
        return count
