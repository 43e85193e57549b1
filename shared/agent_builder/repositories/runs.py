"""What a runner writes: claims, heartbeats, steps and outcomes. Every write carries the fence."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pynamodb.expressions.condition import size
from pynamodb.expressions.operand import Path

from agent_builder.errors import FenceLost, RaceLost
from agent_builder.models.approvals import Approval
from agent_builder.models.conversations import LEASE_MS, Lease, Outcome, QueuedRun, Step
from agent_builder.models.tracing import Target
from agent_builder.models.usage import Timing, UsageEntry, used
from agent_builder.repositories import keys
from agent_builder.repositories.approvals import approval_item
from agent_builder.repositories.conversations import (
    ConversationItem,
    LeaseItem,
    MessageItem,
    PieceItem,
    lease_of,
    message_parts,
    stored_lease,
)
from agent_builder.repositories.intake import RunItem
from agent_builder.repositories.ledger import note_item
from agent_builder.repositories.steps import batches, split, step_items, stored_steps
from agent_builder.repositories.table import (
    DUE_INDEX,
    DueIndex,
    Item,
    Transaction,
    found_keys,
    retrying,
)
from agent_builder.repositories.tracing import mark_item

DUE_STEP_MS = 5_000


@dataclass(frozen=True, slots=True)
class RunEnd:
    """The end of a run: its outcome, the steps that are not stored yet, and what a heartbeat would have said.

    `timing` and `used` are of all its steps, whoever made them. `traced` is where its trace is to be sent.
    """

    run: QueuedRun
    outcome: Outcome
    steps: Sequence[Step]
    gone: frozenset[str]
    now: int
    seen: frozenset[str] = frozenset()
    timing: Timing | None = None
    used: UsageEntry | None = None
    traced: tuple[Target, ...] = ()


class RunRepository:
    """One runner at a time works on a conversation: the one whose fence is the highest."""

    def claim(self, tenant: str, conversation_id: str, *, now: int) -> Lease | None:
        """Take the conversation if something waits in it and nobody works on it.

        Each claim names itself: one whose answer was lost and which is sent again takes what it has taken already.
        """
        holder = uuid.uuid4().hex
        free = (LeaseItem.lease_until < now) | (LeaseItem.holder == holder)
        free &= (size(Path("queue")) > 0) & LeaseItem.deleted_at.does_not_exist()
        free &= LeaseItem.parked_until.does_not_exist() | (LeaseItem.parked_until <= now)
        actions: list[Any] = [
            LeaseItem.parked_until.remove(),
            LeaseItem.holder.set(holder),
            LeaseItem.lease_before.set(LeaseItem.lease_until),
            LeaseItem.fence.add(1),
            LeaseItem.attempts.add(1),
            LeaseItem.lease_until.set(now + LEASE_MS),
            LeaseItem.due_at.set(due_after_lease(now)),
        ]
        return self._update(tenant, conversation_id, actions, free)

    def lease(self, tenant: str, conversation_id: str) -> Lease | None:
        """The lease as it stands; None if the conversation is gone."""
        return stored_lease(tenant, conversation_id)

    def heartbeat(
        self,
        tenant: str,
        conversation_id: str,
        *,
        fence: int,
        now: int,
        gone: frozenset[str] = frozenset(),
        seen: frozenset[str] = frozenset(),
    ) -> Lease:
        """Renew the lease and learn what changed.

        Args:
            gone: Connections that no longer exist.
            seen: Requests for a snapshot that were seen to.

        Raises:
            FenceLost: Somebody else owns the conversation, or it is deleted.
        """
        actions: list[Any] = [
            LeaseItem.lease_until.set(now + LEASE_MS),
            LeaseItem.due_at.set(due_after_lease(now)),
        ]
        if gone:
            actions.append(LeaseItem.subscribers.delete(set(gone)))
        if seen:
            actions.append(LeaseItem.resumed.delete(set(seen)))
        # A heartbeat that is overtaken by the release must not take the lease again.
        held = (LeaseItem.fence == fence) & (LeaseItem.lease_until > 0)
        lease = self._update(tenant, conversation_id, actions, held)
        if lease is None:
            raise FenceLost("Another runner owns this conversation now, or it was deleted.")
        return lease

    def release(self, tenant: str, conversation_id: str, *, fence: int, wake: int) -> bool:
        """Let go, unless a message came in since the lease was last seen; False means: look again."""
        actions = [LeaseItem.lease_until.set(0), LeaseItem.due_pk.remove(), LeaseItem.due_at.remove()]
        unchanged = (LeaseItem.fence == fence) & (LeaseItem.wake == wake)
        return self._update(tenant, conversation_id, actions, unchanged) is not None

    def abandon(self, tenant: str, conversation_id: str, *, fence: int, now: int) -> None:
        """Give the conversation up at once, with what waits in it still due."""
        actions = [LeaseItem.lease_until.set(0), LeaseItem.due_at.set(now)]
        self._update(tenant, conversation_id, actions, LeaseItem.fence == fence)

    def hand_over(self, tenant: str, conversation_id: str, run_id: str, *, fence: int, begun_at: int, now: int) -> None:
        """Let go in the middle of a run that a fresh invocation is to go on with; it is due at once.

        Raises:
            FenceLost: Somebody else owns the conversation.
        """
        actions = [
            LeaseItem.lease_until.set(0),
            LeaseItem.due_at.set(now),
            LeaseItem.hops.add(1),
            LeaseItem.begun.set(run_id),
            LeaseItem.begun_at.set(begun_at),
            LeaseItem.parked_at.remove(),
        ]
        if self._update(tenant, conversation_id, actions, LeaseItem.fence == fence) is None:
            raise FenceLost("Another runner owns this conversation now, or it was deleted.")

    def park(
        self,
        tenant: str,
        conversation_id: str,
        run_id: str,
        *,
        fence: int,
        wake: int,
        begun_at: int,
        now: int,
        until: int,
    ) -> bool:
        """Let go of a run that waits for people: nobody takes it up before `until`, unless it is woken.

        Args:
            wake: The counter as it was before the decisions were looked for; where it rose since, look again: False.
            begun_at: When the run began, in milliseconds; the time that it waits is no time of it.
        """
        actions = [
            LeaseItem.lease_until.set(0),
            LeaseItem.parked_until.set(until),
            LeaseItem.parked_at.set(now),
            LeaseItem.due_at.set(until),
            LeaseItem.attempts.set(0),
            LeaseItem.begun.set(run_id),
            LeaseItem.begun_at.set(begun_at),
        ]
        nothing_new = (LeaseItem.fence == fence) & (LeaseItem.wake == wake)
        return self._update(tenant, conversation_id, actions, nothing_new) is not None

    def save_steps(
        self,
        tenant: str,
        conversation_id: str,
        run_id: str,
        steps: Sequence[Step],
        *,
        fence: int,
        begun_at: int,
        asked: Sequence[Approval] = (),
    ) -> None:
        """Store steps that are new or have changed, together; what is too much for one transaction is stored in order.

        Args:
            asked: What people are asked about, with these steps.

        Raises:
            FenceLost: Somebody else owns the conversation.
        """
        lease = LeaseItem(pk=keys.conversation(tenant, conversation_id), sk=keys.LEASE)
        progress = [LeaseItem.begun.set(run_id), LeaseItem.begun_at.set(begun_at), LeaseItem.parked_at.remove()]
        if any(step.kind == "tool" or step.status == "succeeded" for step in steps):
            progress.append(LeaseItem.attempts.set(1))
        for group in batches(_items(tenant, run_id, steps, asked)):
            write = Transaction()
            write.update("lease", lease, progress, LeaseItem.fence == fence)
            for item in group:
                write.put(item.sk, item)
            _commit_fenced(write)

    def steps(self, tenant: str, run_id: str) -> list[Step]:
        """All stored steps of a run, in order."""
        return stored_steps(tenant, run_id)

    def finish(self, tenant: str, conversation_id: str, end: RunEnd, *, fence: int, wake: int | None) -> bool:
        """Store the answer, the last steps and the end of the run, and take it out of the queue.

        Args:
            end: What is stored.
            wake: Where nothing else is known to wait, the wake counter last seen: unless it rose, the same write lets
                go of the conversation.

        Returns:
            Whether the conversation was let go.

        Raises:
            FenceLost: Somebody else owns the conversation.
        """
        pk, run_id = keys.conversation(tenant, conversation_id), end.run.run_id
        answer = _answer_item(pk, end.run, end.outcome, end.now)
        puts = [*_answer_pieces(tenant, run_id, answer), *step_items(tenant, run_id, end.steps)]
        *ahead, last = batches(puts)
        for group in ahead:
            write = Transaction()
            held = LeaseItem.lease_until.set(end.now + LEASE_MS)
            write.update("lease", LeaseItem(pk=pk, sk=keys.LEASE), [held], LeaseItem.fence == fence)
            for item in group:
                write.put(item.sk, item)
            _commit_fenced(write)
        puts = [answer, *last]
        if wake is not None:
            try:
                self._finish(tenant, pk, end, puts, fence, wake, 0).commit()
            except RaceLost:
                pass  # something came in, or the fence is lost: the write below tells which
            else:
                return True
        _commit_fenced(self._finish(tenant, pk, end, puts, fence, None, 0))
        return False

    def drop(self, tenant: str, conversation_id: str, end: RunEnd, *, place: int, fence: int) -> bool:
        """End a run that waits behind others, at this place of the queue; False where it stands there no more."""
        pk = keys.conversation(tenant, conversation_id)
        answer = _answer_item(pk, end.run, end.outcome, end.now)
        try:
            self._finish(tenant, pk, end, [answer], fence, None, place).commit()
        except RaceLost:
            return False
        return True

    def _finish(
        self, tenant: str, pk: str, end: RunEnd, puts: Sequence[Item], fence: int, wake: int | None, place: int
    ) -> Transaction:
        run_id = end.run.run_id
        write = Transaction()
        entry = LeaseItem.queue[place]
        mine = (LeaseItem.fence == fence) & (entry["run_id"] == run_id)
        lease: list[Any] = [entry.remove(), LeaseItem.cancelled.delete({run_id})]
        if place == 0:
            lease += [LeaseItem.attempts.set(0), LeaseItem.hops.set(0), LeaseItem.begun.remove()]
            lease += [LeaseItem.parked_at.remove()]
        if end.gone:
            lease.append(LeaseItem.subscribers.delete(set(end.gone)))
        if end.seen:
            lease.append(LeaseItem.resumed.delete(set(end.seen)))
        if wake is not None:
            mine &= LeaseItem.wake == wake
            lease += [LeaseItem.lease_until.set(0), LeaseItem.due_pk.remove(), LeaseItem.due_at.remove()]
        write.update("lease", LeaseItem(pk=pk, sk=keys.LEASE), lease, mine)
        for item in puts:
            write.put(item.sk, item)
        if end.used is not None:
            write.put("used", note_item(tenant, end.used, now=end.now))
        if end.traced:
            write.put("traced", mark_item(tenant, run_id, end.traced, now=end.now))
        write.update("run", RunItem(pk=keys.run(tenant, run_id), sk=keys.HEAD), _run_actions(end))
        touched = [ConversationItem.updated_at.set(end.now), *_added_up(end.outcome)]
        write.update("conversation", ConversationItem(pk=pk, sk=keys.HEAD), touched, ConversationItem.pk.exists())
        return write

    def due(self, shard: int, *, now: int, limit: int = 50) -> list[tuple[str, str]]:
        """Keys of what became due in a shard, oldest first."""
        return found_keys(f"DUE#{shard}", DueIndex.due_at <= now, index=DUE_INDEX, limit=limit)

    def _update(self, tenant: str, conversation_id: str, actions: list[Any], condition: Any) -> Lease | None:
        item = LeaseItem(pk=keys.conversation(tenant, conversation_id), sk=keys.LEASE)
        try:
            retrying(lambda: item.update(actions, condition))
        except RaceLost:
            return None
        return lease_of(item)


def due_after_lease(now: int) -> int:
    """When the rescue is to look at a lease that is renewed now.

    In steps, so that most heartbeats leave the index as it is: to move an entry is two writes more than the heartbeat.
    """
    return -(-(now + LEASE_MS + 1_000) // DUE_STEP_MS) * DUE_STEP_MS


def _items(tenant: str, run_id: str, steps: Sequence[Step], asked: Sequence[Approval]) -> Iterator[Item]:
    """What is stored of steps; what people are asked stands right before its step, so that they come together."""
    asked_of = {approval.number: approval for approval in asked}
    for step in steps:
        approval = asked_of.get(step.number)
        if approval is not None:
            yield approval_item(tenant, run_id, approval)
        yield from step_items(tenant, run_id, [step])


def _commit_fenced(write: Transaction) -> None:
    try:
        write.commit()
    except RaceLost as error:
        raise FenceLost("Another runner owns this conversation now, or it was deleted.") from error


def _answer_item(pk: str, run: QueuedRun, outcome: Outcome, now: int) -> MessageItem:
    return MessageItem(
        pk=pk,
        sk=keys.message(run.run_id, "assistant"),
        message_id=run.message_id,
        run_id=run.run_id,
        role="assistant",
        parts=message_parts(outcome.message),
        created_at=now,
        status=outcome.status,
        stop_reason=outcome.stop_reason,
        usage=outcome.usage.model_dump(),
        cost=outcome.cost.model_dump(),
        error=_error(outcome),
    )


def _answer_pieces(tenant: str, run_id: str, answer: MessageItem) -> list[PieceItem]:
    """Move the parts of a large answer into items of their own."""
    texts = split(answer.parts)
    if texts:
        answer.parts, answer.pieces = [], len(texts)
    pk = keys.run(tenant, run_id)
    return [PieceItem(pk=pk, sk=keys.piece(number), text=text) for number, text in enumerate(texts)]


def _run_actions(end: RunEnd) -> list[Any]:
    outcome, timing = end.outcome, end.timing or Timing()
    told: list[tuple[Any, Any]] = [
        (RunItem.stop_reason, outcome.stop_reason or None),
        (RunItem.error, _error(outcome)),
        (RunItem.started_at, timing.started_at),
        (RunItem.duration_ms, timing.duration_ms),
        (RunItem.first_token_ms, timing.first_token_ms),
    ]
    return [
        RunItem.status.set(outcome.status),
        RunItem.finished_at.set(end.now),
        RunItem.usage.set(outcome.usage.model_dump()),
        RunItem.cost.set(outcome.cost.model_dump()),
        *(attribute.set(value) for attribute, value in told if value is not None),
    ]


def _added_up(outcome: Outcome) -> list[Any]:
    """What a conversation has used: this run's share, added by the write that ends it."""
    counts = {"runs": 1, **used(outcome.usage, outcome.cost)}
    return [Path(name).add(count) for name, count in counts.items() if count]


def _error(outcome: Outcome) -> dict[str, Any] | None:
    if not outcome.error_code:
        return None
    return {"code": outcome.error_code, "detail": outcome.error, "retryable": outcome.retryable}
