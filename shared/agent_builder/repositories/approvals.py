"""Whether calls may be made: asked once by a runner, answered once by whoever comes first."""

from __future__ import annotations

from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from agent_builder.errors import RaceLost
from agent_builder.models.approvals import Approval, Decision
from agent_builder.models.conversations import LEASE_MS
from agent_builder.repositories import keys
from agent_builder.repositories.conversations import LeaseItem
from agent_builder.repositories.table import Item, PackedJSON, Transaction, retrying, translated


class ApprovalItem(Item, discriminator="approval"):
    """A call that a person must approve. `decision` is there once somebody has, or nobody can any more."""

    number = NumberAttribute()
    tool_use_id = UnicodeAttribute()
    tool_name = UnicodeAttribute()
    input = PackedJSON()
    asked_at = NumberAttribute()
    expires_at_ms = NumberAttribute()
    decision = PackedJSON(null=True)


class ApprovalRepository:
    """The first decision holds: each is conditional on there being none."""

    def of_run(self, tenant: str, run_id: str) -> list[Approval]:
        """All that were ever asked for in a run, in order; strongly consistent."""
        with translated():
            found = ApprovalItem.query(keys.run(tenant, run_id), Item.sk.startswith("A#"), consistent_read=True)
            return [_approval(item) for item in found]

    def decide(self, tenant: str, conversation_id: str, run_id: str, number: int, decision: Decision) -> None:
        """Store what a person decided, and wake the run: it is due as if a runner had just died.

        Raises:
            RaceLost: `failed` names what stood in the way: `approval` (decided or expired), `lease` (the run is over,
                or its conversation gone).
        """
        item = ApprovalItem(pk=keys.run(tenant, run_id), sk=keys.approval(number))
        lease = LeaseItem(pk=keys.conversation(tenant, conversation_id), sk=keys.LEASE)
        goes_on = (LeaseItem.queue[0]["run_id"] == run_id) & LeaseItem.deleted_at.does_not_exist()
        write = Transaction()
        in_time = _undecided() & (ApprovalItem.expires_at_ms > decision.at)
        write.update("approval", item, [ApprovalItem.decision.set(_stored(decision))], in_time)
        write.update("lease", lease, wake_actions(decision.at), goes_on)
        write.commit()

    def expire(self, tenant: str, run_id: str, number: int, decision: Decision) -> bool:
        """Store that nobody decided in time; False where somebody did."""
        item = ApprovalItem(pk=keys.run(tenant, run_id), sk=keys.approval(number))
        try:
            retrying(lambda: item.update([ApprovalItem.decision.set(_stored(decision))], _undecided()))
        except RaceLost:
            return False
        return True


def wake_actions(now: int) -> list[Any]:
    """What takes a conversation out of waiting: it is due soon, and whoever is about to let go looks once more."""
    return [
        LeaseItem.wake.add(1),
        LeaseItem.parked_until.remove(),
        LeaseItem.due_at.set(now + LEASE_MS + 1_000),
    ]


def approval_item(tenant: str, run_id: str, asked: Approval) -> ApprovalItem:
    """What is stored of a call that people are asked about."""
    return ApprovalItem(
        pk=keys.run(tenant, run_id),
        sk=keys.approval(asked.number),
        number=asked.number,
        tool_use_id=asked.tool_use_id,
        tool_name=asked.tool_name,
        input=asked.input,
        asked_at=asked.asked_at,
        expires_at_ms=asked.expires_at,
    )


def _undecided() -> Any:
    return ApprovalItem.pk.exists() & ApprovalItem.decision.does_not_exist()


def _stored(decision: Decision) -> dict[str, Any]:
    return {
        "verdict": decision.verdict,
        "at": decision.at,
        "by": decision.by,
        "input": decision.input,
        "reason": decision.reason,
    }


def _approval(item: ApprovalItem) -> Approval:
    return Approval(
        number=int(item.number),
        tool_use_id=item.tool_use_id,
        tool_name=item.tool_name,
        input=item.input,
        asked_at=int(item.asked_at),
        expires_at=int(item.expires_at_ms),
        decision=Decision(**item.decision) if item.decision else None,
    )
