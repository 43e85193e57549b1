"""Runs as they are looked up: of an agent, of a conversation, one. Nothing is stored here; it is all there already."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from agent_builder.ids import first_id, id_before
from agent_builder.messages import Cost, Usage
from agent_builder.models.conversations import Lease, Step
from agent_builder.models.traces import Progress, RunFilter, RunHead
from agent_builder.models.usage import Timing
from agent_builder.repositories import keys
from agent_builder.repositories.conversations import LeaseItem, MessageItem, lease_of
from agent_builder.repositories.intake import RunItem
from agent_builder.repositories.steps import stored_steps
from agent_builder.repositories.table import get_item, present, translated

# The most runs that one page of a filtered list looks at.
OF_AGENT = 1_000
OF_CONVERSATION = 100
_LAST = "run_7" + "Z" * 25


class TraceRepository:
    """Access patterns: an agent's runs by the index, a conversation's by its questions; newest first."""

    def run(self, tenant: str, run_id: str) -> RunHead | None:
        """One run; strongly consistent."""
        item = get_item(RunItem, keys.run(tenant, run_id), keys.HEAD)
        return _head(item) if item else None

    def steps(self, tenant: str, run_id: str) -> list[Step]:
        """All stored steps of a run, in order; strongly consistent."""
        return stored_steps(tenant, run_id)

    def of_agent(
        self, tenant: str, agent_id: str, wanted: RunFilter, *, limit: int, before: str | None
    ) -> tuple[list[RunHead], str | None]:
        """An agent's runs, and the id to go on after, if there may be more."""
        bounds, look_at = _bounds(wanted, before), _to_look_at(wanted, limit, OF_AGENT)
        if bounds is None:
            return [], None
        with translated():
            results = RunItem.by_parent.query(
                keys.agent_runs(tenant, agent_id),
                RunItem.parent_sk.between(*bounds),
                scan_index_forward=False,
                limit=look_at,
            )
            found = [_head(item) for item in results if isinstance(item, RunItem)]
        return _page(found, wanted, limit, look_at)

    def of_conversation(
        self, tenant: str, conversation_id: str, wanted: RunFilter, *, limit: int, before: str | None
    ) -> tuple[list[RunHead], str | None]:
        """A conversation's runs, and the id to go on after, if there may be more."""
        bounds, look_at = _bounds(wanted, before), _to_look_at(wanted, limit, OF_CONVERSATION)
        if bounds is None:
            return [], None
        between = MessageItem.sk.between(keys.message(bounds[0], "user"), keys.message(bounds[1], "assistant"))
        with translated():
            results = MessageItem.query(
                keys.conversation(tenant, conversation_id),
                between,
                scan_index_forward=False,
                consistent_read=True,
                limit=2 * look_at,  # a question and an answer each
                attributes_to_get=["pk", "sk", "kind", "run_id"],
            )
            ids = list(dict.fromkeys(item.run_id for item in results))
            items = list(
                RunItem.batch_get([(keys.run(tenant, run_id), keys.HEAD) for run_id in ids], consistent_read=True)
            )
        heads = {head.id: head for head in map(_head, items)}
        return _page([heads[run_id] for run_id in ids if run_id in heads], wanted, limit, look_at)

    def leases(self, tenant: str, conversation_ids: Iterable[str]) -> dict[str, Lease]:
        """How far the work on conversations is; those that are deleted are missing."""
        names = [(keys.conversation(tenant, one), keys.LEASE) for one in sorted(set(conversation_ids))]
        with translated():
            found = [item for item in LeaseItem.batch_get(names, consistent_read=True) if not present(item.deleted_at)]
        return {keys.id_of(item.pk): lease_of(item) for item in found}


def _to_look_at(wanted: RunFilter, limit: int, most: int) -> int:
    return most if wanted.chooses else limit + 1


def _page(found: list[RunHead], wanted: RunFilter, limit: int, look_at: int) -> tuple[list[RunHead], str | None]:
    """What is wanted of what was looked at, and where to go on: with a strict filter that may be far behind."""
    page: list[RunHead] = []
    for run in found:
        if not wanted.may_match(run):
            continue
        if len(page) == limit:
            return page, page[-1].id
        page.append(run)
    return page, found[-1].id if len(found) >= look_at else None


def _bounds(wanted: RunFilter, before: str | None) -> tuple[str, str] | None:
    """The least and the greatest id that is wanted; None where there is none."""
    first = first_id("run", wanted.since or 0)
    last = _LAST if wanted.until is None else id_before(first_id("run", wanted.until))
    if before is not None:
        last = min(last, id_before(before))
    return (first, last) if first <= last else None


def _head(item: RunItem) -> RunHead:
    error: dict[str, Any] = item.error or {}
    timing = Timing(_whole(item.started_at), _whole(item.duration_ms), _whole(item.first_token_ms))
    return RunHead(
        id=keys.id_of(item.pk),
        agent_id=item.agent_id,
        conversation_id=item.conversation_id,
        version=int(item.version),
        message_id=item.message_id,
        status=cast(Progress, item.status),
        created_by=item.created_by,
        created_at=int(item.created_at),
        finished_at=_whole(item.finished_at),
        stop_reason=item.stop_reason,
        timing=timing,
        usage=Usage.model_validate(item.usage) if item.usage else None,
        cost=Cost.model_validate(item.cost) if item.cost else None,
        error_code=error.get("code"),
        error=error.get("detail"),
    )


def _whole(number: float | None) -> int | None:
    return None if number is None else int(number)
