"""Accepts what clients of the playground say: stores it, rings the runner, and answers at once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agent_builder.clock import Clock, now_ms
from agent_builder.errors import Conflict, IdempotencyMismatch, NotFound, RaceLost, StoreError, TooManyRequests
from agent_builder.ids import is_id, made_at, new_id
from agent_builder.messages import user_message
from agent_builder.metrics import MESSAGES_ACCEPTED, Metrics
from agent_builder.models.agents import AgentHead
from agent_builder.models.conversations import Lease, QueuedRun
from agent_builder.models.identity import Identity
from agent_builder.realtime.doorbell import Doorbell
from agent_builder.repositories import keys
from agent_builder.repositories.agents import AgentRepository
from agent_builder.repositories.intake import (
    MAX_QUEUED,
    Acceptance,
    AcceptedItem,
    ClientMessage,
    IntakeRepository,
    raw,
)

_CLIENT_MESSAGE_SECONDS = 7 * 24 * 3600
_CONNECTION_SECONDS = 3 * 3600
_TITLE_LENGTH = 80
_AGENTS_KEPT = 1024
_ATTEMPTS = 12


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of a user's message. `conversation_is_new` only the first time."""

    conversation_id: str
    run_id: str
    message_id: str
    conversation_is_new: bool = False
    queued: bool = False
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class UserMessage:
    """What a user said; the watcher `connection_id` is told of everything that follows.

    `answer_id` is the id that the answer is to have; it names the run's place among those at once.
    """

    content: str
    conversation_id: str | None = None
    client_message_id: str | None = None
    connection_id: str | None = None
    answer_id: str | None = None


class Intake:
    """One instance per execution environment.

    It remembers each agent's version, so that a message is accepted in one transaction; the transaction itself checks
    that the version still is the current one.
    """

    def __init__(
        self,
        repository: IntakeRepository,
        agents: AgentRepository,
        doorbell: Doorbell,
        clock: Clock = now_ms,
        metrics: Metrics | None = None,
    ) -> None:
        self._repository = repository
        self._agents = agents
        self._doorbell = doorbell
        self._clock = clock
        self._metrics = metrics or Metrics()
        self._versions: dict[tuple[str, str], int] = {}

    def prepare(self) -> None:
        """Make what the first message needs."""
        self._doorbell.prepare()

    def agent(self, identity: Identity, agent_id: str) -> AgentHead:
        """The agent, if it may be talked to.

        Raises:
            NotFound: Unknown, foreign or deleted.
            Conflict: `agent_inactive`.
        """
        agent = self._agents.head(identity.tenant, agent_id) if is_id("agt", agent_id) else None
        if agent is None:
            raise NotFound("There is no agent with this id.", code="agent_not_found")
        if agent.status == "inactive":
            raise Conflict("This agent is inactive; activate it to talk to it.", code="agent_inactive")
        if len(self._versions) >= _AGENTS_KEPT:
            self._versions.clear()
        self._versions[identity.tenant, agent_id] = agent.version
        return agent

    def accept(self, identity: Identity, agent_id: str, said: UserMessage) -> Accepted:
        """Store a message and its run. The caller rings, with `ring`, once it has told the client.

        Raises:
            NotFound: The agent or the conversation.
            IdempotencyMismatch: The client's message id was used with other content.
            TooManyRequests: Too many messages wait in this conversation.
        """
        if said.conversation_id is not None and not is_id("cnv", said.conversation_id):
            raise _no_conversation()
        last_run, idle = "", True
        for _ in range(_ATTEMPTS):
            run = self._run(identity, agent_id, last_run, said.answer_id)
            entry = self._entry(identity, run, said, idle=idle)
            try:
                self._repository.accept(entry)
            except RaceLost as race:
                repeated = self._settle(race, identity, agent_id, entry)
                if repeated:
                    return repeated
                lease = race.failed.get("lease")
                last_run = raw(lease, "last_run_id") or ""
                idle = not raw(lease, "queue")
            else:
                self._metrics.add(MESSAGES_ACCEPTED)
                return Accepted(entry.conversation_id, run.run_id, run.user_message_id, entry.is_new, not idle)
        raise StoreError("The message could not be stored because of too much contention; send it again.")

    def ring(self, identity: Identity, conversation_id: str) -> None:
        """Wake the runner."""
        self._doorbell.ring("run", tenant_id=identity.tenant, conversation_id=conversation_id)

    def connect(self, identity: Identity, connection_id: str) -> None:
        """Remember a new connection and have it greeted."""
        now = self._clock()
        self._repository.connect(identity, connection_id, now=now, expires_at=now // 1000 + _CONNECTION_SECONDS)
        self._doorbell.ring("greet", tenant_id=identity.tenant, connection_id=connection_id, agent_id=identity.agent_id)

    def greeting(self, tenant: str, connection_id: str) -> str | None:
        """How far the greeting of a connection is: `due`, `claimed` or `done`; None where nobody is to be greeted."""
        return self._repository.greeting(tenant, connection_id)

    def greeting_done(self, tenant: str, connection_id: str) -> None:
        """Say that a claimed greeting was sent."""
        self._repository.greeting_done(tenant, connection_id)

    def claim_greeting(self, tenant: str, connection_id: str) -> bool:
        """Whether the caller is the one who greets this connection."""
        return self._repository.claim_greeting(tenant, connection_id)

    def disconnect(self, identity: Identity, connection_id: str) -> None:
        """Forget a connection. Its runs go on."""
        self._repository.disconnect(identity.tenant, connection_id)

    def subscribe(self, identity: Identity, agent_id: str, conversation_id: str, watcher: str) -> Lease:
        """Let a connection, named as `realtime.connections.watcher` does, watch a conversation."""
        lease = self._of_agent(identity, agent_id, conversation_id, watcher)
        if lease.unattended(self._clock()):
            self.ring(identity, conversation_id)
        return lease

    def cancel(self, identity: Identity, conversation_id: str, run_id: str | None, lease: Lease) -> list[str]:
        """Ask that a run end, or all that wait; answers which.

        Raises:
            Conflict: `nothing_to_cancel`.
            NotFound: The conversation was deleted meanwhile.
        """
        waiting = [run.run_id for run in lease.queue]
        chosen = [run for run in waiting if run_id in (None, run)]
        if not chosen:
            raise Conflict("Nothing of this is running or waiting any more.", code="nothing_to_cancel")
        now = self._clock()
        asked = self._repository.request_cancel(identity.tenant, conversation_id, set(chosen), now=now)
        if asked is None:
            raise _no_conversation()
        if asked.unattended(now):
            self.ring(identity, conversation_id)
        return chosen

    def lease(self, identity: Identity, agent_id: str, conversation_id: str) -> Lease:
        """What waits in a conversation of this agent.

        Raises:
            NotFound: `conversation_not_found`.
        """
        self._require(identity, agent_id, conversation_id)
        lease = self._repository.lease(identity.tenant, conversation_id)
        if lease is None:
            raise _no_conversation()
        return lease

    def _require(self, identity: Identity, agent_id: str, conversation_id: str) -> None:
        if not is_id("cnv", conversation_id) or not self._repository.belongs(
            identity.tenant, conversation_id, agent_id
        ):
            raise _no_conversation()

    def _of_agent(self, identity: Identity, agent_id: str, conversation_id: str, watcher: str) -> Lease:
        self._require(identity, agent_id, conversation_id)
        lease = self._repository.subscribe(identity.tenant, conversation_id, watcher, now=self._clock())
        if lease is None:
            raise _no_conversation()
        return lease

    def _version(self, identity: Identity, agent_id: str) -> int:
        known = self._versions.get((identity.tenant, agent_id))
        return known if known is not None else self.agent(identity, agent_id).version

    def _run(self, identity: Identity, agent_id: str, after: str, answer_id: str | None) -> QueuedRun:
        """What it is to be; runs are found by the time that their ids tell, so that is when it was accepted."""
        version = self._version(identity, agent_id)  # may read, and meanwhile others take their place
        run_id = new_id("run", after, at=self._clock())
        return QueuedRun(
            run_id=run_id,
            agent_id=agent_id,
            version=version,
            user_message_id=new_id("msg"),
            message_id=answer_id or new_id("msg"),
            subject=identity.subject,
            accepted_at=made_at(run_id),
        )

    def _entry(self, identity: Identity, run: QueuedRun, said: UserMessage, *, idle: bool) -> Acceptance:
        client = None
        if said.client_message_id is not None:
            client = ClientMessage(
                sk=keys.accepted(identity.subject, said.client_message_id),
                fingerprint=hashlib.sha256(said.content.encode()).hexdigest(),
                expires_at=run.accepted_at // 1000 + _CLIENT_MESSAGE_SECONDS,
            )
        return Acceptance(
            tenant=identity.tenant,
            conversation_id=said.conversation_id or new_id("cnv"),
            is_new=said.conversation_id is None,
            expect_idle=idle,
            title=_title(said.content),
            run=run,
            message=user_message(said.content),
            connection_id=said.connection_id,
            client_message=client,
        )

    def _settle(self, race: RaceLost, identity: Identity, agent_id: str, entry: Acceptance) -> Accepted | None:
        """Find out why it was not accepted: an answer, an error, or None to try again."""
        client = entry.client_message
        if client and "client_message" in race.failed:
            item = self._repository.accepted(identity.tenant, agent_id, client.sk)
            return self._repeated(identity, client, item) if item else None
        if "agent" in race.failed:
            self._versions.pop((identity.tenant, agent_id), None)
            self.agent(identity, agent_id)
            return None
        if "conversation" in race.failed:
            raise _no_conversation()
        self._check_room(race.failed.get("lease"))
        return None

    def _repeated(self, identity: Identity, client: ClientMessage, item: AcceptedItem) -> Accepted:
        if item.fingerprint != client.fingerprint:
            raise IdempotencyMismatch("This client_message_id was already used with other content; use a new one.")
        self.ring(identity, item.conversation_id)
        return Accepted(item.conversation_id, item.run_id, item.user_message_id, repeated=True)

    def _check_room(self, lease: Mapping[str, Any] | None) -> None:
        if len(raw(lease, "queue") or ()) >= MAX_QUEUED:
            detail = f"{MAX_QUEUED} messages already wait in this conversation; wait for an answer."
            raise TooManyRequests(detail, code="queue_full", retry_after=5)


def _title(content: str) -> str:
    line = " ".join(content.split())
    return line if len(line) <= _TITLE_LENGTH else line[: _TITLE_LENGTH - 1].rstrip() + "…"


def _no_conversation() -> NotFound:
    return NotFound("There is no conversation with this id.", code="conversation_not_found")
