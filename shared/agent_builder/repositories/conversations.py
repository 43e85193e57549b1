"""Conversations and their messages, as readers see them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from pynamodb.attributes import (
    JSONAttribute,
    ListAttribute,
    MapAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)
from pynamodb.expressions.update import Action

from agent_builder.messages import Cost, Message, Usage
from agent_builder.models.conversations import Conversation, Lease, QueuedRun, RunStatus, StoredMessage
from agent_builder.models.usage import cost_of, usage_of
from agent_builder.repositories import keys
from agent_builder.repositories.agents import purge_item
from agent_builder.repositories.table import Item, PackedJSON, Transaction, get_item, present, retrying, translated


class ConversationItem(Item, discriminator="conversation"):
    """The head of a conversation."""

    agent_id = UnicodeAttribute()
    title = UnicodeAttribute()
    created_by = UnicodeAttribute()
    created_at = NumberAttribute()
    updated_at = NumberAttribute()
    revision = NumberAttribute(default=1)
    deleted_at = NumberAttribute(null=True)
    # What its ended runs used, added up.
    runs = NumberAttribute(null=True)
    input_tokens = NumberAttribute(null=True)
    cache_read_tokens = NumberAttribute(null=True)
    cache_write_tokens = NumberAttribute(null=True)
    output_tokens = NumberAttribute(null=True)
    reasoning_tokens = NumberAttribute(null=True)
    amount_nanousd = NumberAttribute(null=True)
    priced_steps = NumberAttribute(null=True)
    unpriced_steps = NumberAttribute(null=True)


class QueueEntry(MapAttribute[str, Any]):
    """A queued run, inside the lease."""

    run_id = UnicodeAttribute()
    agent_id = UnicodeAttribute()
    version = NumberAttribute()
    user_message_id = UnicodeAttribute()
    message_id = UnicodeAttribute()
    subject = UnicodeAttribute()
    accepted_at = NumberAttribute()


class LeaseItem(Item, discriminator="lease"):
    """Who works on a conversation and what waits in it. Due while anything waits."""

    fence = NumberAttribute(default=0)
    lease_until = NumberAttribute(default=0)
    lease_before = NumberAttribute(null=True)
    wake = NumberAttribute(default=0)
    queue: ListAttribute[QueueEntry] = ListAttribute(of=QueueEntry)
    last_run_id = UnicodeAttribute(default="")
    subscribers = UnicodeSetAttribute(null=True)
    cancelled = UnicodeSetAttribute(null=True)
    resumed = UnicodeSetAttribute(null=True)
    attempts = NumberAttribute(default=0)
    hops = NumberAttribute(default=0)
    holder = UnicodeAttribute(null=True)
    begun = UnicodeAttribute(null=True)
    begun_at = NumberAttribute(null=True)
    parked_until = NumberAttribute(null=True)
    parked_at = NumberAttribute(null=True)
    deleted_at = NumberAttribute(null=True)


class MessageItem(Item, discriminator="message"):
    """A message; `parts` is its list of typed parts. An item holds 400 KB: beyond, they stand in `pieces` items."""

    message_id = UnicodeAttribute()
    run_id = UnicodeAttribute()
    role = UnicodeAttribute()
    parts = PackedJSON()
    pieces = NumberAttribute(null=True)
    created_at = NumberAttribute()
    status = UnicodeAttribute(default="completed")
    stop_reason = UnicodeAttribute(null=True)
    usage = JSONAttribute(null=True)
    cost = JSONAttribute(null=True)
    error = JSONAttribute(null=True)


class PieceItem(Item, discriminator="piece"):
    """A piece of the packed parts of an answer, in its run's partition."""

    text = UnicodeAttribute()


class ConversationRepository:
    """Access patterns: one by id; an agent's newest first; messages of one, newest first."""

    def get(self, tenant: str, conversation_id: str) -> Conversation | None:
        """One strongly consistent read; a deleted one is gone."""
        item = get_item(ConversationItem, keys.conversation(tenant, conversation_id), keys.HEAD)
        return None if item is None or present(item.deleted_at) else _conversation(item)

    def page(
        self, tenant: str, agent_id: str, *, limit: int, before: str | None
    ) -> tuple[list[Conversation], str | None]:
        """An agent's conversations, newest first."""
        condition = ConversationItem.parent_sk < before if before else None
        with translated():
            results = ConversationItem.by_parent.query(
                keys.agent_conversations(tenant, agent_id), condition, scan_index_forward=False, limit=limit + 1
            )
            page = [_conversation(item) for item in results if isinstance(item, ConversationItem)]
        return page[:limit], page[limit - 1].id if len(page) > limit else None

    def rename(self, tenant: str, conversation: Conversation, title: str, *, now: int) -> Conversation:
        """Change the title.

        Raises:
            RaceLost: It is gone, or at another revision.
        """
        item = ConversationItem(pk=keys.conversation(tenant, conversation.id), sk=keys.HEAD)
        actions: list[Action] = [
            ConversationItem.title.set(title),
            ConversationItem.updated_at.set(now),
            ConversationItem.revision.set(conversation.revision + 1),
        ]
        condition = (ConversationItem.revision == conversation.revision) & ConversationItem.deleted_at.does_not_exist()
        retrying(lambda: item.update(actions, condition))
        return _conversation(item)

    def delete(
        self, tenant: str, conversation_id: str, *, expected_revision: int | None, now: int, due_at: int
    ) -> None:
        """Hide it from every reader and writer at once and leave a note of what is to be purged.

        Raises:
            RaceLost: It is gone, or at another revision.
        """
        pk = keys.conversation(tenant, conversation_id)
        alive = ConversationItem.deleted_at.does_not_exist() & ConversationItem.pk.exists()
        if expected_revision is not None:
            alive &= ConversationItem.revision == expected_revision
        write = Transaction()
        write.update("conversation", ConversationItem(pk=pk, sk=keys.HEAD), hide_actions(now), alive)
        write.update("lease", LeaseItem(pk=pk, sk=keys.LEASE), retire_actions(now))
        write.put("purge", purge_item(tenant, "conversation", conversation_id, now=now, due_at=due_at))
        write.commit()

    def messages(
        self, tenant: str, conversation_id: str, *, limit: int, before: str | None = None
    ) -> tuple[list[StoredMessage], str | None]:
        """Newest first; `before` and the returned cursor are sort keys."""
        pk = keys.conversation(tenant, conversation_id)
        condition = MessageItem.sk.between("M#", before) if before else MessageItem.sk.startswith("M#")
        with translated():
            results = MessageItem.query(
                pk, condition, scan_index_forward=False, consistent_read=True, limit=limit + 1 + bool(before)
            )
            page = [item for item in results if item.sk != before]
        shown = [_whole(tenant, item) for item in page[:limit]]
        return shown, page[limit - 1].sk if len(page) > limit else None

    def messages_since(self, tenant: str, conversation_id: str, run_id: str) -> list[StoredMessage]:
        """What came behind the answer of a run, newest first."""
        pk = keys.conversation(tenant, conversation_id)
        condition = MessageItem.sk.between(keys.message(run_id, "assistant") + "#", "M#~")
        with translated():
            found = list(MessageItem.query(pk, condition, consistent_read=True))
        return [_whole(tenant, item) for item in reversed(found)]

    def question(self, tenant: str, conversation_id: str, run_id: str) -> StoredMessage | None:
        """What a run answers."""
        item = get_item(MessageItem, keys.conversation(tenant, conversation_id), keys.message(run_id, "user"))
        return _whole(tenant, item) if item else None

    def answer(self, tenant: str, conversation_id: str, run_id: str | None) -> StoredMessage | None:
        """The answer of a run; without one the newest answer."""
        pk = keys.conversation(tenant, conversation_id)
        if run_id is not None:
            item = get_item(MessageItem, pk, keys.message(run_id, "assistant"))
            return _whole(tenant, item) if item else None
        newest, _ = self.messages(tenant, conversation_id, limit=2)
        return next((message for message in newest if message.message.role == "assistant"), None)


def hide_actions(now: int) -> list[Any]:
    """What makes a conversation gone for readers, and out of its agent's list."""
    return [ConversationItem.deleted_at.set(now), ConversationItem.parent_pk.remove()]


def retire_actions(now: int) -> list[Any]:
    """What makes every later write of a runner fail: the fence leaps beyond anything one could hold."""
    return [
        LeaseItem.deleted_at.set(now),
        LeaseItem.fence.set(2**40),
        LeaseItem.due_pk.remove(),
    ]


def _whole(tenant: str, item: MessageItem) -> StoredMessage:
    """A message item as a value, with what stands in other items."""
    if item.pieces:
        with translated():
            last = keys.piece(int(item.pieces) - 1)  # an attempt that broke off may have left more of them
            condition = PieceItem.sk.between(keys.piece(0), last)
            found = PieceItem.query(keys.run(tenant, item.run_id), condition, consistent_read=True)
            item.parts = PackedJSON().deserialize("".join(piece.text for piece in found))
    return stored_message(item)


def stored_message(item: MessageItem) -> StoredMessage:
    """A message item as a value."""
    error = item.error or {}
    return StoredMessage(
        id=item.message_id,
        run_id=item.run_id,
        message=Message.model_validate({"role": item.role, "parts": item.parts}),
        created_at=int(item.created_at),
        stop_reason=item.stop_reason,
        usage=Usage.model_validate(item.usage) if item.usage else None,
        cost=Cost.model_validate(item.cost) if item.cost else None,
        status=cast(RunStatus, item.status),
        error_code=error.get("code"),
        error=error.get("detail"),
        retryable=bool(error.get("retryable")),
    )


def stored_lease(tenant: str, conversation_id: str) -> Lease | None:
    """The lease as it stands; None if the conversation is gone."""
    item = get_item(LeaseItem, keys.conversation(tenant, conversation_id), keys.LEASE)
    return lease_of(item) if item is not None and not present(item.deleted_at) else None


def lease_of(item: LeaseItem) -> Lease:
    """A lease item as a value."""
    return Lease(
        fence=int(item.fence),
        lease_until=int(item.lease_until),
        wake=int(item.wake),
        queue=tuple(_queued(entry) for entry in item.queue or ()),
        subscribers=frozenset(item.subscribers or ()),
        cancelled=frozenset(item.cancelled or ()),
        resumed=frozenset(item.resumed or ()),
        attempts=int(item.attempts or 0),
        hops=int(item.hops or 0),
        begun=item.begun or "",
        begun_at=int(item.begun_at or 0),
        lease_before=int(item.lease_before or 0),
        parked_until=int(item.parked_until or 0),
        parked_at=int(item.parked_at or 0),
    )


def queue_entry(run: QueuedRun) -> QueueEntry:
    """A queued run as it is stored."""
    return QueueEntry(  # type: ignore[no-untyped-call]
        run_id=run.run_id,
        agent_id=run.agent_id,
        version=run.version,
        user_message_id=run.user_message_id,
        message_id=run.message_id,
        subject=run.subject,
        accepted_at=run.accepted_at,
    )


def _queued(entry: Any) -> QueuedRun:
    return QueuedRun(
        run_id=entry.run_id,
        agent_id=entry.agent_id,
        version=int(entry.version),
        user_message_id=entry.user_message_id,
        message_id=entry.message_id,
        subject=entry.subject,
        accepted_at=int(entry.accepted_at),
    )


def _conversation(item: ConversationItem) -> Conversation:
    names = ("runs", "amount_nanousd", "priced_steps", "unpriced_steps", *Usage.model_fields)
    counts = {name: int(getattr(item, name) or 0) for name in names}
    return Conversation(
        id=keys.id_of(item.pk),
        agent_id=item.agent_id,
        title=item.title,
        created_by=item.created_by,
        created_at=int(item.created_at),
        updated_at=int(item.updated_at),
        revision=int(item.revision),
        runs=counts["runs"],
        usage=usage_of(counts),
        cost=cost_of(counts),
    )


def message_parts(message: Message) -> list[Mapping[str, Any]]:
    """Parts as they are stored and shown."""
    return [part.model_dump(mode="json", exclude_none=True) for part in message.parts]
