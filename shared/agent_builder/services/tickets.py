"""Tickets: a browser cannot send headers with a WebSocket, so it fetches a way in that works once."""

from __future__ import annotations

from dataclasses import dataclass

from agent_builder.clock import Clock, now_ms, rfc3339
from agent_builder.ids import require_id
from agent_builder.messages import Json
from agent_builder.models.identity import Identity
from agent_builder.models.principals import Ticket, new_ticket
from agent_builder.repositories.principals import PrincipalRepository

TICKET_SECONDS = 60


@dataclass(frozen=True, slots=True)
class TicketService:
    """Tickets for the caller."""

    repository: PrincipalRepository
    clock: Clock = now_ms

    def create(self, identity: Identity, agent_id: str) -> Json:
        """A ticket for one connection to an agent, within 60 seconds. Whether the agent exists is told there.

        Raises:
            NotFound: This is no id of an agent.
        """
        require_id("agt", agent_id, "agent")
        secret, ends_at = new_ticket(identity.tenant), self.clock() // 1000 + TICKET_SECONDS
        ticket = Ticket(
            tenant=identity.tenant,
            subject=identity.subject,
            permissions=identity.permissions,
            key_id=identity.key_id,
            agent_id=agent_id,
            expires_at=ends_at,
            identity_expires_at=identity.expires_at,
        )
        self.repository.save_ticket(secret.hash, ticket)
        return {"ticket": secret.text, "agent_id": agent_id, "expires_at": rfc3339(ends_at * 1000)}
