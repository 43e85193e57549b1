"""Shuts a subject out whose rights were taken or changed: tickets, then connections."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from agent_builder.realtime.connections import Connections
from agent_builder.repositories.entries import EntryRepository
from agent_builder.services.limits import LimitService

logger = logging.getLogger(__name__)

# The index lags a moment, and an authorizer may remember for five seconds whom it let in.
LOOKS_AFTER_SECONDS = (0.0, 1.0, 7.0)


@dataclass(frozen=True, slots=True)
class Disconnector:
    """Runs of the subject go on: what was accepted is answered. With the new rights one may connect again at once."""

    entries: EntryRepository
    connections: Connections
    limits: LimitService
    sleep: Callable[[float], None] = time.sleep

    def disconnect(self, tenant: str, subject: str, *, keep: Iterable[str] = ()) -> int:
        """Close what the subject has open with other permissions than those in `keep`; answers how many connections."""
        kept, closed = frozenset(keep), 0
        for seconds in LOOKS_AFTER_SECONDS:
            self.sleep(seconds)
            gone = self.entries.take_back(tenant, subject, keep=kept)
            for connection_id in gone:
                self.connections.close(connection_id)
            self.limits.disconnect(tenant, subject, gone)
            closed += len(gone)
        logger.info("a subject was disconnected", extra={"connections": closed})
        return closed
