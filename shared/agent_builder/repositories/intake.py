"""What the playground writes: accepted messages, cancel requests, subscriptions, connections."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute, UnicodeSetAttribute
from pynamodb.expressions.condition import size
from pynamodb.expressions.operand import Path

from agent_builder.errors import RaceLost
from agent_builder.messages import Message
from agent_builder.models.conversations import Lease, QueuedRun
from agent_builder.models.identity import Identity
from agent_builder.repositories import keys
from agent_builder.repositories.agents import AgentItem
from agent_builder.repositories.approvals import wake_actions
from agent_builder.repositories.conversations import (
    ConversationItem,
    LeaseItem,
    MessageItem,
    lease_of,
    message_parts,
    queue_entry,
    stored_lease,
)
from agent_builder.repositories.table import Item, Transaction, get_item, present, retrying

MAX_QUEUED = 20
RESCUE_AFTER_MS = 20_000


class RunItem(Item, discriminator="run"):
    """A run, from its acceptance to its end."""

    conversation_id = UnicodeAttribute()
    agent_id = UnicodeAttribute()
    version = NumberAttribute()
    status = UnicodeAttribute()
    user_message_id = UnicodeAttribute()
    message_id = UnicodeAttribute()
    created_by = UnicodeAttribute()
    created_at = NumberAttribute()
    finished_at = NumberAttribute(null=True)
    stop_reason = UnicodeAttribute(null=True)
    usage = JSONAttribute(null=True)
    cost = JSONAttribute(null=True)
    error = JSONAttribute(null=True)


class AcceptedItem(Item, discriminator="accepted"):
    """A client's own message id, and what became of it."""

    fingerprint = UnicodeAttribute()
    conversation_id = UnicodeAttribute()
    run_id = UnicodeAttribute()
    user_message_id = UnicodeAttribute()


class ConnectionItem(Item, discriminator="connection"):
    """An open WebSocket."""

    agent_id = UnicodeAttribute()
    subject = UnicodeAttribute()
    permissions: UnicodeSetAttribute = UnicodeSetAttribute(null=True)
    connected_at = NumberAttribute()
    greeting = UnicodeAttribute(default="due")


@dataclass(frozen=True, slots=True)
class ClientMessage:
    """A client's own message id. `fingerprint` is a digest of what it said."""

    sk: str
    fingerprint: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class Acceptance:
    """All that one accepted message writes. With `expect_idle` it is stored only if nothing waits before it."""

    tenant: str
    conversation_id: str
    is_new: bool
    expect_idle: bool
    title: str
    run: QueuedRun
    message: Message
    connection_id: str | None
    client_message: ClientMessage | None


class IntakeRepository:
    """Accepting is one transaction: message, run, queue and wake counter, or nothing."""

    def accept(self, entry: Acceptance) -> None:
        """Store the message and its run, if the agent still is at the pinned version.

        Raises:
            RaceLost: `failed` names what stood in the way: `agent`, `client_message`, `conversation`, `lease`.
        """
        run = entry.run
        write = Transaction()
        at_version = (AgentItem.version == run.version) & (AgentItem.status != "inactive")
        write.check("agent", AgentItem, keys.agents(entry.tenant), run.agent_id, at_version)
        if entry.client_message:
            self._remember(write, entry, entry.client_message)
        if entry.is_new:
            self._begin(write, entry)
        else:
            self._append(write, entry)
        write.put("message", _user_message_item(entry))
        write.put("run", _run_item(entry))
        write.commit()

    def accepted(self, tenant: str, agent_id: str, sk: str) -> AcceptedItem | None:
        """What became of a client's message id."""
        return get_item(AcceptedItem, keys.agent(tenant, agent_id), sk)

    def run(self, tenant: str, run_id: str) -> RunItem | None:
        """A run's head."""
        return get_item(RunItem, keys.run(tenant, run_id), keys.HEAD)

    def belongs(self, tenant: str, conversation_id: str, agent_id: str) -> bool:
        """Whether a conversation is there and is this agent's."""
        item = get_item(ConversationItem, keys.conversation(tenant, conversation_id), keys.HEAD)
        return item is not None and not present(item.deleted_at) and item.agent_id == agent_id

    def lease(self, tenant: str, conversation_id: str) -> Lease | None:
        """The lease as it stands; None if the conversation is gone."""
        return stored_lease(tenant, conversation_id)

    def subscribe(self, tenant: str, conversation_id: str, watcher: str, *, now: int) -> Lease | None:
        """Watch a conversation; None if it is gone.

        A runner that is about to end looks once more (`wake`), and a runner is asked for a snapshot; of a run that
        waits for people whoever reads this lease has to show one, since no runner is to come.
        """
        request = f"{watcher}#{uuid.uuid4().hex}"
        asked: list[Any] = [
            LeaseItem.subscribers.add({watcher}),
            LeaseItem.resumed.add({request}),
            LeaseItem.wake.add(1),
        ]
        unparked = LeaseItem.parked_until.does_not_exist() | (LeaseItem.parked_until <= now)
        only_watch = [LeaseItem.subscribers.add({watcher})]
        return (
            self._change(tenant, conversation_id, asked, _alive() & unparked)
            or self._change(tenant, conversation_id, only_watch, _alive() & (LeaseItem.parked_until > now))
            or self._change(tenant, conversation_id, asked, _alive())
        )

    def request_cancel(self, tenant: str, conversation_id: str, run_ids: set[str], *, now: int) -> Lease | None:
        """Ask that these runs end, and wake who waits for people; None if the conversation is gone."""
        actions = [LeaseItem.cancelled.add(run_ids), *wake_actions(now)]
        return self._change(tenant, conversation_id, actions, _alive())

    def _change(self, tenant: str, conversation_id: str, actions: list[Any], condition: Any) -> Lease | None:
        item = LeaseItem(pk=keys.conversation(tenant, conversation_id), sk=keys.LEASE)
        try:
            retrying(lambda: item.update(actions, condition))
        except RaceLost:
            return None
        return lease_of(item)

    def connect(self, identity: Identity, connection_id: str, *, now: int, expires_at: int) -> None:
        """Remember an open connection; it is found again by its subject, to be closed."""
        tenant, subject = identity.tenant, identity.subject
        item = ConnectionItem(
            pk=keys.connection(tenant, connection_id),
            sk=keys.HEAD,
            agent_id=identity.agent_id,
            subject=subject,
            permissions=set(identity.permissions),
            connected_at=now,
            greeting="due",
            expires_at=expires_at,
            parent_pk=keys.subject_entries(tenant, subject),
            parent_sk=f"CONNECTION#{connection_id}",
        )
        retrying(item.save)

    def connection(self, tenant: str, connection_id: str) -> ConnectionItem | None:
        """An open connection."""
        return get_item(ConnectionItem, keys.connection(tenant, connection_id), keys.HEAD)

    def greeting(self, tenant: str, connection_id: str) -> str | None:
        """`due`, `claimed` or `done`; None where the connection is not known (any more)."""
        item = get_item(ConnectionItem, keys.connection(tenant, connection_id), keys.HEAD)
        return item.greeting if item else None

    def claim_greeting(self, tenant: str, connection_id: str) -> bool:
        """Whether it falls to the caller to greet: true exactly once per connection."""
        return self._greeting(tenant, connection_id, "due", "claimed")

    def greeting_done(self, tenant: str, connection_id: str) -> None:
        """The greeting that was claimed has been sent."""
        self._greeting(tenant, connection_id, "claimed", "done")

    def _greeting(self, tenant: str, connection_id: str, before: str, after: str) -> bool:
        item = ConnectionItem(pk=keys.connection(tenant, connection_id), sk=keys.HEAD)
        try:
            retrying(lambda: item.update([ConnectionItem.greeting.set(after)], ConnectionItem.greeting == before))
        except RaceLost:
            return False
        return True

    def disconnect(self, tenant: str, connection_id: str) -> None:
        """Forget a connection."""
        item = ConnectionItem(pk=keys.connection(tenant, connection_id), sk=keys.HEAD)
        retrying(item.delete)

    def _remember(self, write: Transaction, entry: Acceptance, client: ClientMessage) -> None:
        item = AcceptedItem(
            pk=keys.agent(entry.tenant, entry.run.agent_id),
            sk=client.sk,
            fingerprint=client.fingerprint,
            conversation_id=entry.conversation_id,
            run_id=entry.run.run_id,
            user_message_id=entry.run.user_message_id,
            expires_at=client.expires_at,
        )
        now = entry.run.accepted_at // 1000
        write.put("client_message", item, AcceptedItem.pk.does_not_exist() | (AcceptedItem.expires_at < now))

    def _begin(self, write: Transaction, entry: Acceptance) -> None:
        pk, run = keys.conversation(entry.tenant, entry.conversation_id), entry.run
        conversation = ConversationItem(
            pk=pk,
            sk=keys.HEAD,
            agent_id=run.agent_id,
            title=entry.title,
            created_by=run.subject,
            created_at=run.accepted_at,
            updated_at=run.accepted_at,
            revision=1,
            parent_pk=keys.agent_conversations(entry.tenant, run.agent_id),
            parent_sk=entry.conversation_id,
        )
        lease = LeaseItem(
            pk=pk,
            sk=keys.LEASE,
            wake=1,
            queue=[queue_entry(run)],
            last_run_id=run.run_id,
            subscribers={entry.connection_id} if entry.connection_id else None,
            due_pk=keys.due(pk),
            due_at=run.accepted_at + RESCUE_AFTER_MS,
        )
        write.put("conversation", conversation, ConversationItem.pk.does_not_exist())
        write.put("lease", lease)

    def _append(self, write: Transaction, entry: Acceptance) -> None:
        pk, run = keys.conversation(entry.tenant, entry.conversation_id), entry.run
        alive = ConversationItem.deleted_at.does_not_exist() & (ConversationItem.agent_id == run.agent_id)
        touched = [ConversationItem.updated_at.set(run.accepted_at)]
        due_at = run.accepted_at + RESCUE_AFTER_MS
        write.update("conversation", ConversationItem(pk=pk, sk=keys.HEAD), touched, alive)
        actions = [
            LeaseItem.wake.add(1),
            LeaseItem.queue.set(LeaseItem.queue.append([queue_entry(run)])),
            LeaseItem.last_run_id.set(run.run_id),
            # What others wait for is due already; what waits for people must not be sooner.
            LeaseItem.due_pk.set(LeaseItem.due_pk | keys.due(pk)),
            LeaseItem.due_at.set(due_at if entry.expect_idle else LeaseItem.due_at | due_at),
        ]
        if entry.connection_id:
            actions.append(LeaseItem.subscribers.add({entry.connection_id}))
        queued = size(Path("queue"))
        room = queued == 0 if entry.expect_idle else queued < MAX_QUEUED
        in_order = LeaseItem.last_run_id < run.run_id
        write.update("lease", LeaseItem(pk=pk, sk=keys.LEASE), actions, _alive() & room & in_order)


def _alive() -> Any:
    return LeaseItem.pk.exists() & LeaseItem.deleted_at.does_not_exist()


def _user_message_item(entry: Acceptance) -> MessageItem:
    run = entry.run
    return MessageItem(
        pk=keys.conversation(entry.tenant, entry.conversation_id),
        sk=keys.message(run.run_id, "user"),
        message_id=run.user_message_id,
        run_id=run.run_id,
        role="user",
        parts=message_parts(entry.message),
        created_at=run.accepted_at,
    )


def _run_item(entry: Acceptance) -> RunItem:
    run = entry.run
    return RunItem(
        pk=keys.run(entry.tenant, run.run_id),
        sk=keys.HEAD,
        conversation_id=entry.conversation_id,
        agent_id=run.agent_id,
        version=run.version,
        status="queued",
        user_message_id=run.user_message_id,
        message_id=run.message_id,
        created_by=run.subject,
        created_at=run.accepted_at,
        parent_pk=keys.agent_runs(entry.tenant, run.agent_id),
        parent_sk=run.run_id,
    )


def raw(item: Mapping[str, Any] | None, name: str) -> Any:
    """One attribute of a raw item that a failed condition returned."""
    for value in ((item or {}).get(name) or {}).values():
        return value
    return None
