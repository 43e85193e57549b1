"""Each tenant's way out, with the lists of its owners; what it refuses is recorded. The runner's side."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field

from agent_builder.clock import Clock, now_ms
from agent_builder.errors import RefusalReason, StoreError
from agent_builder.ids import new_id
from agent_builder.models.egress import RefusedCall
from agent_builder.repositories.egress import EgressRepository
from agent_builder.tools.egress import Egress, EgressPolicy, Refusal, log_refusal

FRESH_MS = 10_000
_TENANTS_KEPT = 1024

logger = logging.getLogger(__name__)


@dataclass
class Outbound:
    """Makes ways out.

    Attributes:
        tls: Answers the process's TLS context.
        loopback: Whether this machine may be called.
        private: Whether private networks may be called too.
        on_refused: Told the reason of each refusal.
    """

    repository: EgressRepository
    tls: Callable[[], ssl.SSLContext]
    loopback: bool = False
    private: bool = False
    clock: Clock = now_ms
    on_refused: Callable[[RefusalReason], object] = lambda reason: None
    _known: dict[str, tuple[int, EgressPolicy]] = field(default_factory=dict)

    async def open(self, tenant: str) -> Egress:
        """A way out for the running event loop, with the tenant's lists as they were at most ten seconds ago. Close it.

        Raises:
            StoreError: The lists cannot be read; without them nothing may be called.
        """
        known = self._known.get(tenant)
        if known is None or self.clock() - known[0] > FRESH_MS:
            if len(self._known) >= _TENANTS_KEPT:
                self._known.clear()
            known = self._known[tenant] = (self.clock(), await asyncio.to_thread(self._policy, tenant))
        loop = asyncio.get_running_loop()

        def record(refusal: Refusal) -> None:
            self.on_refused(refusal.reason)
            # In a thread that begins now, and ends also where the loop stops running.
            loop.run_in_executor(None, self._record, tenant, refusal)

        return Egress(known[1], tls=self.tls(), record=record)

    def _policy(self, tenant: str) -> EgressPolicy:
        settings = self.repository.settings(tenant)
        return EgressPolicy(
            allow=tuple(settings.allow),
            deny=tuple(settings.deny),
            ports=frozenset(settings.ports),
            allow_loopback=self.loopback,
            allow_private=self.private,
        )

    def _record(self, tenant: str, refusal: Refusal) -> None:
        log_refusal(refusal, tenant=tenant)
        refused = RefusedCall(
            new_id("ref"), self.clock(), refusal.reason, refusal.purpose, refusal.host[:253], refusal.port
        )
        try:
            self.repository.record(tenant, refused)
        except StoreError:
            logger.exception("a refused call is missing in the record")
